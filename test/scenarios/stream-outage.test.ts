/** What a stream forgot after a day of failures is found in the tables: nothing is lost, nothing is there twice, cases close. */
import fc from 'fast-check';
import { receiveWebhook } from '../../lambdas/intake';
import { sequence } from '../../lambdas/sequencer';
import { tick } from '../../lambdas/ticker';
import { CurfewError } from '../../lib/domain/base/errors';
import { SWEEP_EVERY_SECONDS } from '../../lib/domain/deployment/time-outs';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { LOG_RECORD } from '../../lib/domain/store/log';
import { OUTBOX_PREFIX, type TableName } from '../../lib/domain/store/table';
import { World } from '../../lib/local/world';
import { LOOK_AGAIN_SECONDS } from '../../lib/work/cases/start-case';
import { sweep } from '../../lib/work/evidence/sweep';
import { checkLog } from '../lambdas/check-log';
import { expectEvidence, theOneCase } from './departed';
import { delivery, departureWorld, drainOutboxes, execute, metaOf, metas } from './departure-world';
import { NOW, signingWorld } from './signing-world';

const DAY = 86_400;
const OUTBOXES = ['keys', 'cut-offs', 'cases'] as const;
const ROUND = 16;

/** Its consumer fails for as long as `down`; what a stream holds is gone after a day. */
function failing(world: World, consumer: RegExp) {
  const state = { down: true };
  world.ports.add(async (call, go) => {
    if (state.down && consumer.test(call.by)) throw new CurfewError('ERR_UNAVAILABLE', 'the consumer is down');
    return go(call);
  });
  return {
    async until(tables: readonly TableName[]) {
      world.clock.advance(DAY + 60);
      for (const table of tables) world.tables.takeStream(table);
      state.down = false;
    },
  };
}

async function sweepOnce(world: World): Promise<number> {
  const signing = await sweep(['keys', 'cut-offs'], world.deps('sweeper-signing'));
  const offboarding = await sweep(['cases'], world.deps('sweeper-offboarding'));
  return signing.carried + offboarding.carried;
}

async function sweepRound(world: World): Promise<number> {
  let carried = 0;
  for (let n = 0; n < ROUND; n++) {
    carried += await sweepOnce(world);
    world.clock.advance(SWEEP_EVERY_SECONDS);
  }
  await sequence({}, world.deps('sequencer'));
  return carried;
}

const written = (world: World): string[] =>
  OUTBOXES.flatMap((table) => world.tables.dump(table))
    .filter(({ sk }) => sk.startsWith(OUTBOX_PREFIX))
    .map(({ record }) => (record as unknown as EvidenceRecord).id)
    .sort();
const inTheTree = async (world: World): Promise<string[]> =>
  ((await checkLog(world.objects))?.records ?? [])
    .filter(({ type }) => type !== 'tokens.issued')
    .map(({ id }) => id)
    .sort();

test('stream.down: after a day without outboxes every record is in a tree that verifies, once, and the case closes', async () => {
  const world = await departureWorld();
  const outboxes = failing(world, /^outbox-/);
  const caseId = await theOneCase(world);
  await expect(execute(world, caseId, 1)).rejects.toMatchObject({ message: 'the consumer is down' });
  expect((await metaOf(world, caseId)).sealedAt).toBeUndefined();
  await outboxes.until(OUTBOXES);

  const owed = written(world);
  expect(owed.length).toBeGreaterThan(20);
  expect(await sweepRound(world)).toBe(owed.length);
  expect(await inTheTree(world)).toEqual(owed);
  const told = new Set(world.events.said.map(({ detailType }) => detailType));
  expect([...told]).toEqual(expect.arrayContaining(['KeyStateChanged', 'CutOffSet', 'CaseOpened']));

  world.clock.advance(LOOK_AGAIN_SECONDS);
  world.workflow.end(`${caseId}.1`);
  await tick(world.deps('ticker'));
  await execute(world, caseId, (await metaOf(world, caseId)).attempt);
  expect(await metaOf(world, caseId)).toMatchObject({ state: 'CLOSED', sealedAt: expect.any(Number) });
  await expectEvidence(world, caseId);
  // What the streams carried since is not carried again.
  expect(await sweepRound(world)).toBe(0);
  expect(await inTheTree(world)).toEqual(written(world));
});

test('stream.down: after a day without the folder the ticker folds the delivery, and its case runs', async () => {
  const world = await departureWorld();
  const folder = failing(world, /^case-folder$/);
  expect((await receiveWebhook(delivery(world), world.deps('intake'))).statusCode).toBe(202);
  await expect(tick({ ...world.deps('ticker') })).resolves.toEqual({ started: 0, begun: 0, folded: 0 });
  await folder.until(['inbox']);

  expect(await tick(world.deps('ticker'))).toEqual({ started: 0, begun: 0, folded: 1 });
  expect(metas(world).map(({ state }) => state)).toEqual(['CONTAINING']);
  expect(await tick(world.deps('ticker'))).toEqual({ started: 0, begun: 0, folded: 0 });
  const [{ caseId = '' } = {}] = metas(world);
  await execute(world, caseId, 1);
  expect((await metaOf(world, caseId)).state).toBe('CLOSED');
});

test('a record is left to the stream for ten minutes, whichever segment it is in, and then it is found', async () => {
  const found = { young: 0, old: 0 };
  for (let n = 0; n < ROUND; n++) {
    const world = await signingWorld({ now: NOW + n * SWEEP_EVERY_SECONDS });
    found.young += await sweepOnce(world);
    world.clock.advance(600);
    found.old += await sweepOnce(world);
  }
  expect(found).toEqual({ young: 0, old: expect.any(Number) });
  expect(found.old).toBeGreaterThan(0);
});

test('a record is found however old it is', async () => {
  const world = await signingWorld();
  world.clock.advance(3 * 365 * DAY);
  expect(await sweepRound(world)).toBe(written(world).length);
  expect(await inTheTree(world)).toEqual(written(world));
});

test('lambda.killed: a sweep that is stopped, or whose appender fails, loses nothing: the next one goes on', async () => {
  const world = await signingWorld();
  for (const table of OUTBOXES) world.tables.takeStream(table);
  world.clock.advance(3600);
  const appender = failing(world, /^appender$/);
  let failed = 0;
  for (let n = 0; n < ROUND; n++) {
    await sweepOnce(world).catch(() => failed++);
    world.clock.advance(SWEEP_EVERY_SECONDS);
  }
  expect(failed).toBeGreaterThan(0);
  await appender.until([]);
  expect(await sweepRound(world)).toBe(written(world).length);
  expect(await inTheTree(world)).toEqual(written(world));
});

test('scheduler.twice: two sweeps beside each other, and the stream with them, add each record once', async () => {
  const world = await departureWorld();
  await theOneCase(world);
  world.clock.advance(3600);
  for (let n = 0; n < ROUND; n++) {
    await Promise.all([sweepOnce(world), sweepOnce(world), ...(n === 3 ? [drainOutboxes(world)] : [])]);
    world.clock.advance(SWEEP_EVERY_SECONDS);
  }
  await sequence({}, world.deps('sequencer'));
  expect(await inTheTree(world)).toEqual(written(world));
});

test('a row that cannot be read is found by the sweep as well, named once and told of once', async () => {
  const world = await signingWorld();
  await world.tables.transact([{ kind: 'put', table: 'keys', row: { pk: 'RING#x', sk: 'OUT#000001.0', v: 1 } }]);
  const named = async () => {
    const ids = (await checkLog(world.objects))?.records.filter(({ type }) => type === 'record.unreadable') ?? [];
    return ids.map(({ ring, body }) => [ring, body.table]);
  };
  let errors = 0;
  for (let n = 0; n < 2 * ROUND; n++) {
    errors += (await sweep(['keys'], world.deps('sweeper-signing'))).errors.length;
    world.clock.advance(SWEEP_EVERY_SECONDS);
  }
  await sequence({}, world.deps('sequencer'));
  expect(await named()).toEqual([['x', 'keys']]);
  expect(errors).toBe(1);
});

test('a row of the log that cannot be read is told of, and keeps no other record from the log', async () => {
  const world = await signingWorld();
  const [id = '', ...others] = written(world);
  const row = { ...LOG_RECORD.key(id), v: 1, id, addedLater: true };
  await world.tables.transact([{ kind: 'put', table: 'log', row }]);
  const codes = new Set<string>();
  let carried = 0;
  for (let n = 0; n < ROUND; n++) {
    world.clock.advance(SWEEP_EVERY_SECONDS);
    const swept = await sweep(['keys'], world.deps('sweeper-signing'));
    carried += swept.carried;
    for (const { code } of swept.errors) codes.add(code);
  }
  expect([carried, [...codes]]).toEqual([others.length, ['ERR_ITEM_INVALID']]);
});

test('scheduler.late: whatever the minute of the schedule, and however late it is, a round reads every segment', async () => {
  const late = fc.array(fc.integer({ min: 0, max: 120 }), { minLength: ROUND + 1, maxLength: ROUND + 1 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: SWEEP_EVERY_SECONDS - 1 }), late, async (minute, lateness) => {
      const world = new World({ now: 1_800_000_000 });
      const read = new Set<number>();
      world.ports.add((call, go) => {
        if (call.name === 'tables.scan') read.add((call.args[0] as { readonly segment: number }).segment);
        return go(call);
      });
      for (const [n, seconds] of lateness.entries()) {
        world.clock.set(1_800_000_000 + minute + n * SWEEP_EVERY_SECONDS + seconds);
        await sweep(['cases'], world.deps('sweeper-offboarding'));
      }
      expect(read.size).toBe(ROUND);
    }),
    { numRuns: 50 },
  );
});
