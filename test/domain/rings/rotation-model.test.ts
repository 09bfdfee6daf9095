/**
 * The rotation of a ring as a model: the real rules under every order of rotators, departures, issuers and publishers,
 * with a death at any call and a clock that jumps. How it is built: test/support/model.
 */

import { rotate } from '../../../lambdas/rotator';
import { createRing } from '../../../lib/domain/rings/life';
import { World } from '../../../lib/local/world';
import { issueTo, pass, RING, ringOf, SETTINGS, wire } from '../../scenarios/signing-world';
import { counted, extent, THOROUGH } from '../../support/extent';
import { Departure } from '../../support/model/departure-script';
import { GUARDS, type Guard, RACES } from '../../support/model/guards';
import { Life } from '../../support/model/life';
import { callsOf, comparable, recordCalls } from '../../support/model/recording';
import { rotateNow, tick } from '../../support/model/rotator-script';
import type { Script } from '../../support/model/script';
import { issue } from '../../support/model/token-scripts';
import { shortest, tell, type Violation, type Walk, walk } from '../../support/model/walk';
import { MODEL_CFG, type ModelWorld } from '../../support/model/world';
import { NOW } from '../../support/rings';
import { seedFor } from '../../support/seeded';

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Throws the shortest life that violates something, as it can be read. */
function soundStates(given: Walk): number {
  const { violation, states } = walk(given);
  if (violation) throw new Error(tell(shortest(violation, given.rules), given.rules));
  return states;
}

/** A million: `npm run verify:all`. */
const STATES = extent(6_000, 300_000);

test('no invariant is violated, whatever happens in whatever order', () => {
  const anything = soundStates({ seed: seedFor('anything'), states: (2 * STATES) / 3 });
  const races = soundStates({ seed: seedFor('races'), states: STATES / 3, often: RACES });
  expect(anything + races).toBeGreaterThanOrEqual(STATES);
  say(`model: ${counted(anything + races)} states, 0 violations`);
}, 600_000);

/**
 * A life of the model in which each guard was missed, by its seed. To find one takes seconds, to live it again
 * milliseconds. Where none stands, or the model has changed since, `npm test` searches; a thorough run always does.
 */
const KNOWN_LIVES: Readonly<Record<string, number>> = {
  'confirmedAt is written after the kid was read back as served': 378978667,
  'the fence: one change of a ring at a time': 786703249,
  'a transition tests the state that it read': 1897644056,
  'a slot takes one KMS key': 1278162530,
  'the feed announces a key before it issues': 15989727,
  'a STANDBY is Disabling before DisableKey is called': 1292216101,
  'a STANDBY that was given up rests': 2088358410,
  'an ACTIVE key is never disabled, whatever HEAD said': 905500799,
  'the dead man’s statement of the key policy': 161971140,
  'the clock in the JWKS': 3,
  'the last transaction of an issue tests halted and closing': 495271621,
  'each tick reads every key back': 547548082,
  'each tick looks for keys that carry the tag of a taken slot': 1133729133,
  'a feed replaces exactly the one that was read': 1226894501,
  'a STANDBY waits for propagation and cache before it signs': 663762163,
  'two STANDBYs stand by': 1622020133,
  'the plan disables what must not sign': 1383354925,
  'the drain is over before the old key is disabled': 2049385724,
  'a key is disabled at birth, before the ring knows it': 752525945,
  'kmsState says Enabled before EnableKey is called': 1001943529,
  'the probe: a key signs before it becomes ACTIVE': 1963062549,
  'the last transaction of an issue tests HEAD.activeKid': 561858710,
  'a key is disabled before it is DENIED': 2003504386,
  'a key whose policy was changed is no successor': 291894757,
};

/** The rarest violation takes some 100,000 states on average: so many that none is missed by chance. */
const SEARCH_MAX = 5_000_000;

function violationWithout({ guard, violation: wanted, rules, often }: Guard): Violation {
  const known = THOROUGH ? undefined : KNOWN_LIVES[guard];
  const found = (known !== undefined && walk({ seed: known, states: 1, rules, often, wanted }).violation) || undefined;
  const { violation } = found
    ? { violation: found }
    : walk({ seed: seedFor(guard), states: SEARCH_MAX, rules, often, wanted });
  if (!violation) throw new Error(`nothing was violated without: ${guard}`);
  return violation;
}

describe('without a guard its violation is found:', () => {
  const found: string[] = [];
  afterAll(() => say(['guard | violation without it | found after', ...found].join('\n')));

  test.each(GUARDS.map((guard) => [guard.guard, guard] as const))(
    '%s',
    (_name, guard) => {
      const { sentence, states, seed } = violationWithout(guard);
      expect(sentence).toMatch(new RegExp(`^${guard.violation}`));
      found.push(`${guard.guard} | ${guard.violation} | ${counted(states)} states, in life ${seed}`);
    },
    600_000,
  );

  test('and the shortest life that shows it still does', () => {
    const [guard = GUARDS[0] as Guard] = GUARDS;
    const { rules, violation: wanted } = guard;
    const violation = violationWithout(guard);
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
