/**
 * The rotation of a ring as a model: the real rules under every order of rotators, departures, issuers and publishers,
 * with a death at any call and a clock that jumps. How it is built: test/support/model.
 */

import { rotate } from '../../../lambdas/rotator';
import { createRing } from '../../../lib/domain/rings/life';
import { World } from '../../../lib/local/world';
import { issueTo, pass, RING, ringOf, SETTINGS, wire } from '../../scenarios/signing-world';
import { Departure } from '../../support/model/departure-script';
import { GUARDS, RACES } from '../../support/model/guards';
import { Life } from '../../support/model/life';
import { callsOf, comparable, recordCalls } from '../../support/model/recording';
import { rotateNow, tick } from '../../support/model/rotator-script';
import type { Script } from '../../support/model/script';
import { issue } from '../../support/model/token-scripts';
import { shortest, tell, type Walk, walk } from '../../support/model/walk';
import { MODEL_CFG, type ModelWorld } from '../../support/model/world';
import { NOW } from '../../support/rings';

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Throws the shortest life that violates something, as it can be read. */
function soundStates(given: Walk): number {
  const { violation, states } = walk(given);
  if (violation) throw new Error(tell(shortest(violation, given.rules), given.rules));
  return states;
}

test('in 100,000 states no invariant is violated', () => {
  const anything = soundStates({ seed: 20_270_115, states: 68_000 });
  const races = soundStates({ seed: 20_270_116, states: 34_000, often: RACES });
  expect(anything + races).toBeGreaterThanOrEqual(100_000);
  say(`model: ${anything + races} states, 0 violations`);
}, 120_000);

describe('without a guard its violation is found:', () => {
  const found: string[] = [];
  afterAll(() => say(['guard | violation without it | found after', ...found].join('\n')));

  test.each(GUARDS.map((guard) => [guard.guard, guard] as const))(
    '%s',
    (_name, { guard, violation: wanted, rules, often }) => {
      const { violation, states } = walk({ seed: 1, states: 300_000, rules, often, wanted });
      expect(violation?.sentence).toMatch(new RegExp(`^${wanted}`));
      found.push(`${guard} | ${wanted} | ${states} states`);
    },
    120_000,
  );

  test('and the shortest life that shows it still does', () => {
    const [{ rules, violation: wanted } = GUARDS[0] as (typeof GUARDS)[0]] = GUARDS;
    const { violation } = walk({ seed: 1, states: 300_000, rules, wanted });
    if (!violation) throw new Error('nothing was violated');
    const short = shortest(violation, rules);
    expect(short.actions.length).toBeLessThan(violation.actions.length);
    expect(tell(short, rules)).toMatch(new RegExp(`^seed ${violation.seed}: ${wanted}\\n[^]*=> .*${wanted}`));
  });
});

describe('a script makes the calls of its Lambda, in the same order:', () => {
  const PERIOD = MODEL_CFG.periodSeconds;
  const WAIT = MODEL_CFG.propagationSeconds + MODEL_CFG.cacheSeconds;

  /** A ring of one age in both worlds; then what the real Lambdas do, and what the script does. */
  async function both(
    age: number,
    real: (world: World) => Promise<unknown>,
    script: (world: ModelWorld) => Script<unknown>,
  ) {
    const world = wire(new World({ now: NOW, settings: SETTINGS }));
    await world.tables.transact(createRing(RING, MODEL_CFG, NOW));
    const { world: model } = new Life();
    model.kms.slowness = 0;
    if (age > 0) {
      await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
      callsOf(tick(model), model);
      world.clock.advance(age);
      model.now += age;
    }
    const calls = recordCalls(world);
    await real(world);
    const keys = world.tables.dump('keys').filter(({ sk }) => sk.startsWith('KEY#'));
    const modelled = callsOf(script(model), model);
    return [comparable(calls, keys), comparable(modelled, model.store.query('keys', `RING#${RING}`, 'KEY#'))];
  }

  test.each<[string, number, number, (world: World) => Promise<unknown>, (world: ModelWorld) => Script<unknown>]>([
    ['birth', 0, 60, (world) => rotate({ op: 'tick', ring: RING }, world.deps('rotator')), tick],
    ['a tick with nothing to do', WAIT, 10, (world) => rotate({ op: 'tick', ring: RING }, world.deps('rotator')), tick],
    ['scheduled rotation', PERIOD, 40, (world) => rotate({ op: 'tick', ring: RING }, world.deps('rotator')), tick],
    ['rotation by hand', WAIT, 30, byHand, (model) => rotateNow(model, model.ring()?.activeKid ?? '')],
    ['an issue', WAIT, 3, (world) => issueTo(world, 'member-1'), issue],
    ['an emergency', WAIT, 50, emergency, modelEmergency],
  ])('%s', async (_what, age, atLeast, real, script) => {
    const [calls = [], modelled] = await both(age, real, script);
    expect(modelled).toEqual(calls);
    expect(calls.length).toBeGreaterThanOrEqual(atLeast);
  });

  async function byHand(world: World) {
    const { activeKid: from = '' } = await ringOf(world);
    return rotate({ op: 'rotate', ring: RING, from, reason: 'a test' }, world.deps('rotator'));
  }

  /** What the conductor does of a case, step by step. */
  async function emergency(world: World) {
    const { functions } = world.deps('conductor');
    const { activeKid: kid = '' } = await ringOf(world);
    const { kid: prepared } = await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'));
    const targets = [{ kid, class: 'compromise', reason: 'a test' }] as const;
    const { batches } = await functions.invoke('taint', {
      op: 'taint',
      ring: RING,
      targets,
      successor: prepared,
      caseId: 'c-1',
    });
    await functions.invoke('publisher', { ring: RING });
    world.clock.advance(MODEL_CFG.drainSeconds);
    await rotate({ op: 'disable-old', ring: RING, prepared }, world.deps('rotator'));
    await pass(world, batches, 1);
    await pass(world, batches, 2);
    await functions.invoke('taint', { op: 'deny', ring: RING, kids: [kid] });
    await functions.invoke('publisher', { ring: RING });
  }

  function modelEmergency(model: ModelWorld): Script {
    const targets = [{ kid: model.ring()?.activeKid ?? '', class: 'compromise', reason: 'a test' }] as const;
    return new Departure(model, targets, true, 'c-1').run();
  }
});
