/** A case that waits, is held or stays open for days, while HR, people and keys go on. */
import { rotate } from '../../lambdas/rotator';
import { openTaint } from '../../lambdas/taint-opener';
import { tick } from '../../lambdas/ticker';
import { checkManifest, checkOrder } from '../../lib/domain/audit/manifest';
import { CurfewError, isCurfewError } from '../../lib/domain/base/errors';
import { shownState } from '../../lib/domain/cases/case';
import { FREEZINGS_MAX } from '../../lib/domain/cases/containment';
import { CASE_LIST } from '../../lib/domain/store/case-items';
import { put } from '../../lib/domain/store/entity';
import { ROW_ABSENT } from '../../lib/domain/store/table';
import { LOOK_AGAIN_SECONDS } from '../../lib/work/cases/start-case';
import { decideBoth } from './approvers';
import {
  allRecords,
  type DepartureWorld,
  departureWorld,
  execute,
  imported,
  metaOf,
  metas,
  outbox,
  send,
  strike,
  WORKER,
} from './departure-world';
import { calmly, RING, ringOf } from './signing-world';

const DAY = 86_400;
const UNKNOWN = 'w-1042';

async function begun(world: DepartureWorld, said: Parameters<typeof send>[1] = {}): Promise<string> {
  await send(world, { id: 'm1', ...said });
  return metas(world).at(-1)?.caseId ?? '';
}

const carried = (world: DepartureWorld, caseId: string, attempt: number) =>
  execute(world, caseId, attempt).catch((error: unknown) => {
    if (!isCurfewError(error)) throw error;
  });

/** The attempt has ended; the ticker begins the next. */
async function nextAttempt(world: DepartureWorld, caseId: string, wait = DAY): Promise<void> {
  const { attempt } = await metaOf(world, caseId);
  world.workflow.end(`${caseId}.${attempt}`);
  world.clock.advance(wait);
  await tick(world.deps('ticker'));
  await carried(world, caseId, (await metaOf(world, caseId)).attempt);
}

describe('a worker whom no import named', () => {
  const waiting = async () => {
    const world = await departureWorld(calmly);
    const arn = world.iam.addUser('nina', { accessKeyIds: ['AKIANINA'], loginProfile: true });
    const caseId = await begun(world, { workerId: UNKNOWN });
    await execute(world, caseId, 1);
    expect(shownState(await metaOf(world, caseId))).toBe('WAITING');
    return { world, arn, caseId, at: world.clock.now() };
  };

  test.each<[string, string, (at: number, now: number) => number]>([
    ['taken back', 'worker.rescinded', (at) => at],
    ['moved to a day to come', 'worker.terminated', (_at, now) => now + 60 * DAY],
    ['followed by a rehire', 'worker.rehired', (_at, now) => now],
  ])(
    'is not contained by a departure that was %s meanwhile, and people can give it back',
    async (_what, type, when) => {
      const { world, arn, caseId, at } = await waiting();
      world.clock.advance(3 * DAY);
      await send(world, { workerId: UNKNOWN, id: 'm2', type, effectiveAt: when(at, world.clock.now()) });
      await imported(world, UNKNOWN, [{ type: 'iam-user', arn }]);
      await nextAttempt(world, caseId, LOOK_AGAIN_SECONDS);
      expect(world.iam.mayAct('nina', 'AKIANINA')).toBe(true);
      expect(shownState(await metaOf(world, caseId))).toBe('WAITING');

      expect(await decideBoth(world, caseId, 'give-back')).toMatchObject({ isDecided: true });
      await execute(world, caseId, (await metaOf(world, caseId)).attempt);
      const back = metas(world).find(({ givesBack }) => givesBack === caseId)?.caseId ?? '';
      await execute(world, back, 1);
      expect(await metaOf(world, caseId)).toMatchObject({ state: 'CLOSED', givenBackAt: expect.any(Number) });
      expect((await metaOf(world, back)).state).toBe('CLOSED');
      expect(world.iam.mayAct('nina', 'AKIANINA')).toBe(true);
      for (const id of [caseId, back]) checkManifest(allRecords(world), id);
    },
  );

  test('is not known by half an import', async () => {
    const { world, arn, caseId } = await waiting();
    const subjects = Array.from({ length: 100 }, (_, n) => ({ type: 'subject', ring: RING, sub: `nina-${n}` }));
    const exposures = [{ asset: `ring:${RING}`, class: 'could-use', how: 'x', since: 1 }];
    const whole = () => imported(world, UNKNOWN, [...subjects, { type: 'iam-user', arn }], exposures);
    world.faults.crashAt(2, 'before');
    await whole().catch(() => undefined);
    world.faults.restart();
    await nextAttempt(world, caseId, LOOK_AGAIN_SECONDS);
    expect(shownState(await metaOf(world, caseId))).toBe('WAITING');
    await whole();
    await nextAttempt(world, caseId, LOOK_AGAIN_SECONDS);
    expect(shownState(await metaOf(world, caseId))).toBe('CLOSED');
    expect(world.iam.mayAct('nina', 'AKIANINA')).toBe(false);
    expect((await ringOf(world)).keys.filter(({ state }) => state === 'DENIED')).toHaveLength(1);
  });
});

test('the day that HR meant comes, although one that was a mistake was given back before it', async () => {
  const world = await departureWorld(calmly);
  const start = world.clock.now();
  await send(world, { id: 'm0', effectiveAt: start + 50 * DAY });
  world.clock.advance(DAY);
  const caseId = await begun(world);
  await execute(world, caseId, 1);
  world.clock.advance(DAY);
  await decideBoth(world, caseId, 'give-back');
  await execute(world, metas(world).find(({ givesBack }) => givesBack === caseId)?.caseId ?? '', 1);
  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(true);
  world.clock.advance(60 * DAY);
  await tick(world.deps('ticker'));
  expect(metas(world).map(({ number, effectiveAt }) => [number, (effectiveAt - start) / DAY])).toContainEqual([2, 50]);
});

test('what was proved and is open again when another item is proved is shut before the case closes', async () => {
  const world = await departureWorld(calmly);
  const caseId = await begun(world);
  await execute(world, caseId, 1, async (request, run) => {
    if (request.step === 'prove' && request.nn === '05') throw new CurfewError('ERR_UNAVAILABLE', 'a bad minute');
    return run();
  }).catch(() => undefined);
  world.iam.reactivateAccessKey('mallory', 'AKIA1');
  await world.iam.detachDenyPolicy('mallory');
  await nextAttempt(world, caseId);
  expect((await metaOf(world, caseId)).state).not.toBe('CLOSED');
  await nextAttempt(world, caseId);
  expect([(await metaOf(world, caseId)).state, world.iam.mayAct('mallory', 'AKIA1')]).toEqual(['CLOSED', false]);
  const ids = outbox(world).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a console login that was proved to be gone and is there again is removed before the case closes', async () => {
  const world = await departureWorld(calmly);
  const caseId = await begun(world);
  await execute(world, caseId, 1, async (request, run) => {
    if (request.step === 'prove' && request.nn === '05') throw new CurfewError('ERR_UNAVAILABLE', 'a bad minute');
    return run();
  }).catch(() => undefined);
  expect(outbox(world).some(({ type, body }) => type === 'item.proved' && body.kind === 'login-profile')).toBe(true);
  world.iam.addLoginProfile('mallory');
  await nextAttempt(world, caseId);
  expect((await metaOf(world, caseId)).state).not.toBe('CLOSED');
  await nextAttempt(world, caseId);
  expect([(await metaOf(world, caseId)).state, await world.iam.hasLoginProfile('mallory')]).toEqual(['CLOSED', false]);
  const ids = outbox(world).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a case that was listed as often as it may be, and finds more, stays open and says so', async () => {
  const world = await departureWorld(calmly);
  const caseId = await begun(world);
  await execute(world, caseId, 1, async (request, run) => {
    const answer = await run();
    if (request.step !== 'plan') return answer;
    for (let n = 2; n <= FREEZINGS_MAX; n++)
      await world.tables.transact([
        put(CASE_LIST, [caseId, n], { state: 'FROZEN', n, principals: [], targets: {} }, ROW_ABSENT),
      ]);
    world.iam.reactivateAccessKey('mallory', 'AKIALATER');
    return answer;
  }).then(
    () => expect('it').toBe('refused'),
    (error: unknown) => expect(error).toMatchObject({ code: 'ERR_PLAN_INVALID', allowed: FREEZINGS_MAX }),
  );
  expect((await metaOf(world, caseId)).state).not.toBe('CLOSED');
});

test('an old case that stays open shuts nothing that somebody taken on again was given', async () => {
  const world = await departureWorld(calmly);
  await imported(world, WORKER, [], [{ asset: `kid:${RING}/gone`, class: 'could-use', how: 'x', since: 1 }]);
  const caseId = await begun(world);
  await carried(world, caseId, 1);
  world.clock.advance(60 * DAY);
  await send(world, { id: 'm2', type: 'worker.rehired', effectiveAt: world.clock.now() });
  const arn = world.iam.addUser('mallory-new', { accessKeyIds: ['AKIANEW'] });
  await imported(world, WORKER, [{ type: 'iam-user', arn }]);
  await nextAttempt(world, caseId);
  expect(world.iam.mayAct('mallory-new', 'AKIANEW')).toBe(true);
});

test('held until its key has retired, it goes on, closes, and its evidence says how the key ended', async () => {
  const world = await departureWorld(calmly);
  const caseId = await begun(world, { source: 'payroll' });
  const kid = (await ringOf(world)).activeKid;
  await execute(world, caseId, 1);
  expect(shownState(await metaOf(world, caseId))).toBe('HELD');
  for (let hour = 0; hour < 34 * 24; hour += 6) {
    world.clock.advance(6 * 3600);
    await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
    await strike(world, 0);
  }
  expect((await ringOf(world)).keys.find((key) => key.kid === kid)?.state).toBe('RETIRED');
  await decideBoth(world, caseId, 'go-on');
  await execute(world, caseId, (await metaOf(world, caseId)).attempt);
  expect((await metaOf(world, caseId)).state).toBe('CLOSED');
  checkManifest(allRecords(world), caseId);
  checkOrder(allRecords(world), caseId);
});

test('a question about a case that is sealed is asked again, and holds its second rotation visibly', async () => {
  const world = await departureWorld(calmly);
  const at = world.clock.now();
  const caseId = await begun(world, { effectiveAt: at });
  await execute(world, caseId, 1);
  world.workflow.end(`${caseId}.1`);
  world.clock.advance(LOOK_AGAIN_SECONDS);
  await tick(world.deps('ticker'));
  expect((await metaOf(world, caseId)).sealedAt).toBeDefined();
  await send(world, { id: 'm2', type: 'worker.rescinded', effectiveAt: at });
  for (let hour = 0; hour < 26; hour++) {
    world.clock.advance(3600);
    await tick(world.deps('ticker'));
  }
  expect((await metaOf(world, caseId)).questions).toMatchObject([{ n: 1, reminders: 2 }]);
  expect(world.metrics.kept.findLast(({ name }) => name === 'HeldCases')?.value).toBe(1);
  // Nothing runs for it: it is closed, and asks.
  expect([...world.workflow.started.keys()].filter((name) => name.startsWith(caseId))).toEqual([`${caseId}.1`]);
});

test('a key that is asked to be ended once more is tried again at once where the attempt has ended', async () => {
  const world = await departureWorld(calmly);
  const key = { ring: RING, kid: (await ringOf(world)).activeKid ?? '', class: 'compromise', reason: 'INC-7' } as const;
  const { caseId } = await openTaint(key, world.deps('taint-opener'));
  world.workflow.end(`${caseId}.1`);
  world.clock.advance(60);
  await openTaint(key, world.deps('taint-opener'));
  expect([...world.workflow.started.keys()]).toContain(`${caseId}.2`);
});
