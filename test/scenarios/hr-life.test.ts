/** What HR really says of one person: moved, taken back, told twice, planted, late. The rows are those of the field cases. */

import fc from 'fast-check';
import { receiveWebhook } from '../../lambdas/intake';
import { importPeople } from '../../lambdas/people-import';
import { tick } from '../../lambdas/ticker';
import { type DepartureCase, openQuestion, shownState } from '../../lib/domain/cases/case';
import { CASE_ITEM } from '../../lib/domain/store/case-items';
import { counted, extent } from '../support/extent';
import { seedFor } from '../support/seeded';
import {
  type DepartureWorld,
  delivery,
  departureWorld,
  execute,
  metaOf,
  metas,
  outbox,
  type Said,
  send,
  WORKER,
} from './departure-world';
import { calmly, ringOf } from './signing-world';

const HOUR = 3600;
const DAY = 86_400;

let told = 0;
/** One delivery; each has an id of its own. */
const tell = (world: DepartureWorld, said: Said = {}) => send(world, { id: `msg_${++told}`, ...said });
const isContained = (world: DepartureWorld) => !world.iam.mayAct('mallory', 'AKIA1');

/** Time passes; the ticker begins what is due, and each case that has begun is carried out. */
async function until(world: DepartureWorld, at: number): Promise<DepartureCase[]> {
  world.clock.set(at);
  await tick(world.deps('ticker'));
  return carryOut(world);
}

async function carryOut(world: DepartureWorld): Promise<DepartureCase[]> {
  for (const { caseId, attempt, state, followUpOf } of metas(world))
    if (state !== 'OPEN' && state !== 'CLOSED' && followUpOf === undefined) await execute(world, caseId, attempt);
  return metas(world).filter(({ followUpOf }) => followUpOf === undefined);
}

test('F-A2: a case that never closes swallows nothing: the same person, rehired, leaves again', async () => {
  const world = await departureWorld(calmly);
  const stale = { asset: 'ring:no-such-ring', class: 'could-use', how: 'x', since: 1 };
  await importPeople(
    { workers: [{ workerId: WORKER, principals: [], exposures: [stale] }] },
    world.deps('people-import'),
    'AIDAIMPORTER0001',
  );
  const start = world.clock.now();
  await tell(world);
  const [first] = metas(world);
  await expect(carryOut(world)).rejects.toMatchObject({ code: 'ERR_NOT_PROVED' });
  world.clock.set(start + 100 * DAY);
  await tell(world, { type: 'worker.rehired', effectiveAt: start + 100 * DAY });
  // As whoever takes them on again does: their key works once more.
  world.iam.reactivateAccessKey('mallory', 'AKIA1');
  await world.iam.detachDenyPolicy('mallory');
  await world.iam.untagLeaver('mallory');
  expect(isContained(world)).toBe(false);
  world.clock.set(start + 200 * DAY);
  await tell(world, { effectiveAt: start + 200 * DAY });
  const second = metas(world).find(({ number }) => number === 2);
  await execute(world, second?.caseId ?? '', 1).catch(() => undefined);
  expect([isContained(world), (await metaOf(world, first?.caseId ?? '')).state]).toEqual([true, 'PROVING']);
});

test('F-A3: terminated for the tenth day and taken back on the second: nothing happens on the tenth', async () => {
  const world = await departureWorld(calmly);
  const now = world.clock.now();
  await tell(world, { effectiveAt: now + 10 * DAY });
  world.clock.advance(2 * DAY);
  await tell(world, { type: 'worker.rescinded', effectiveAt: now + 10 * DAY });
  expect(world.tables.dump('cases').filter(({ pk }) => pk.startsWith('DUE'))).toEqual([]);
  expect([await until(world, now + 11 * DAY), isContained(world)]).toEqual([[], false]);
  expect(outbox(world).map(({ type }) => type)).toEqual(['approvers.set']);
});

test.each<[string, readonly Said[]]>([
  ['by a second statement', [{ type: 'worker.terminated' }]],
  ['taken back and said anew', [{ type: 'worker.rescinded' }, { type: 'worker.terminated' }]],
])('F-A4: moved from the tenth to the fortieth day %s: contained on the fortieth, and closed', async (_how, words) => {
  const world = await departureWorld(calmly);
  const now = world.clock.now();
  await tell(world, { effectiveAt: now + 10 * DAY });
  for (const [n, word] of words.entries()) {
    world.clock.advance(1 + n);
    const of = word.type === 'worker.rescinded' ? 10 : 40;
    await tell(world, { ...word, effectiveAt: now + of * DAY });
  }
  expect([await until(world, now + 12 * DAY), isContained(world)]).toEqual([[], false]);
  expect(await until(world, now + 40 * DAY)).toMatchObject([{ state: 'CLOSED', number: 1 }]);
  expect(isContained(world)).toBe(true);
});

test.each([1, 5 * HOUR, 36 * HOUR])(
  'F-A5: told by two sources, %d seconds apart: one departure, corroborated, closes',
  async (apart) => {
    const world = await departureWorld(calmly);
    const now = world.clock.now();
    await tell(world, { effectiveAt: now });
    await tell(world, { source: 'payroll', effectiveAt: now + apart });
    await carryOut(world);
    const [meta] = await until(world, now + apart);
    expect([metas(world).length, meta]).toMatchObject([2, { state: 'CLOSED', questions: [] }]);
  },
);

test('F-A5: the second voice of a source that has to be confirmed lets the case go on', async () => {
  const world = await departureWorld(calmly);
  const now = world.clock.now();
  await tell(world, { source: 'payroll', effectiveAt: now });
  const [held] = await carryOut(world);
  expect([held && shownState(held), held && openQuestion(held)?.reasons]).toEqual(['HELD', ['unconfirmed']]);
  await tell(world, { effectiveAt: now });
  expect(await carryOut(world)).toMatchObject([{ state: 'CLOSED', questions: [{ endedBy: 'sources' }] }]);
  expect(outbox(world).filter(({ type }) => type === 'case.went-on')).toMatchObject([{ body: { by: 'sources' } }]);
});

test('F-A6: a transfer planted for 2099, and a rescind planted ahead, disarm nothing', async () => {
  const world = await departureWorld(calmly);
  const now = world.clock.now();
  await tell(world, { type: 'worker.transferred', effectiveAt: Date.UTC(2099, 0, 1) / 1000 });
  await tell(world, { type: 'worker.rescinded', effectiveAt: now + 10 });
  world.clock.advance(10);
  await tell(world, { effectiveAt: now + 10 });
  expect(await carryOut(world)).toMatchObject([{ act: 'end', state: 'CLOSED' }]);
});

test('F-A7: a step fails, then HR moves the date: what was tainted reaches DENIED, and the case is held with a record', async () => {
  const world = await departureWorld(calmly);
  const now = world.clock.now();
  await tell(world, { effectiveAt: now });
  const [meta] = metas(world);
  const caseId = meta?.caseId ?? '';
  const dies = execute(world, caseId, 1, ({ step }, run) =>
    step === 'disable-old' ? Promise.reject(new Error('the Lambda died')) : run(),
  );
  await expect(dies).rejects.toThrow('the Lambda died');
  expect((await ringOf(world)).keys.filter(({ state }) => state === 'SUSPECT')).toHaveLength(2);
  world.clock.advance(1);
  await tell(world, { effectiveAt: now + 5 * DAY });
  await execute(world, caseId, 1);
  const held = await metaOf(world, caseId);
  expect([shownState(held), openQuestion(held)?.reasons]).toEqual(['HELD', ['moved:hr']]);
  expect((await ringOf(world)).keys.filter(({ state }) => state === 'DENIED')).toHaveLength(2);
  expect(outbox(world).map(({ type }) => type)).toEqual(expect.arrayContaining(['case.asked', 'case.held']));
  // The sources agree again: HR takes the move back.
  world.clock.advance(1);
  await tell(world, { effectiveAt: now });
  expect(world.workflow.started.has(`${caseId}.2`)).toBe(true);
  await execute(world, caseId, 2);
  expect(await metaOf(world, caseId)).toMatchObject({ state: 'CLOSED' });
});

test.each(['contained', 'plan', 'prepare', 'taint', 'item'])(
  'F-A8: taken back just before %s is done: nothing begins that cannot be undone, the copied key apart',
  async (at) => {
    const world = await departureWorld(calmly);
    const now = world.clock.now();
    await tell(world, { effectiveAt: now });
    const caseId = metas(world)[0]?.caseId ?? '';
    let isSaid = false;
    await execute(world, caseId, 1, async ({ step, nn = '00' }, run) => {
      const items = await world.tables.parsed.query(CASE_ITEM.in(caseId, nn));
      if (!isSaid && step === at && (step !== 'item' || items[0]?.phase === 'act')) {
        isSaid = true;
        world.clock.advance(1);
        await tell(world, { type: 'worker.rescinded', effectiveAt: now });
      }
      return run().catch(() => undefined);
    });
    const held = await metaOf(world, caseId);
    expect([isSaid, shownState(held), isContained(world)]).toEqual([true, 'HELD', true]);
    expect(await world.iam.hasLoginProfile('mallory')).toBe(true);
    const { keys } = await ringOf(world);
    const tainted = keys.filter(({ state }) => state === 'DENIED').map(({ kind }) => kind);
    // What was claimed before HR took it back runs to its end.
    expect(tainted).toEqual(at === 'item' ? ['legacy', 'kms'] : ['legacy']);
  },
);

test('F-A10: two dates that nobody settles are contained at the earlier one, held, and visible', async () => {
  const world = await departureWorld(calmly);
  const now = world.clock.now();
  await tell(world, { effectiveAt: now + DAY });
  await tell(world, { source: 'payroll', effectiveAt: now + 9 * DAY });
  const [held] = await until(world, now + DAY);
  expect([held && shownState(held), held && openQuestion(held)?.reasons]).toEqual(['HELD', ['dates-apart']]);
  expect(isContained(world)).toBe(true);
  const records = outbox(world).filter(({ type }) => /asked|held/.test(type));
  expect(records.map(({ type }) => type)).toEqual(['case.asked', 'case.held']);
  // It stays so, attempt after attempt.
  const [later] = await until(world, now + 20 * DAY);
  expect([later && shownState(later), metas(world).length]).toEqual(['HELD', 1]);
});

test.each([
  ['Asia/Seoul', '2027-02-26T14:59:59Z'],
  ['America/Los_Angeles', '2027-02-27T07:59:59Z'],
])('F-C6: the bare last day 2027-02-26 in %s ends at %s', async (zone, ends) => {
  const world = await departureWorld(calmly);
  world.hrSources.write({
    hr: { scheme: 'standard-webhooks', corroboration: 'signed-fact', zone, secretArn: 'arn:hr' },
  });
  const at = Date.parse(ends) / 1000;
  await tell(world, { effectiveAt: '2027-02-26' });
  expect([await until(world, at - 1), isContained(world)]).toEqual([[], false]);
  expect([await until(world, at), isContained(world)]).toMatchObject([[{ state: 'CLOSED' }], true]);
});

test('a bare day of a source without a time zone is refused, and nothing changes', async () => {
  const world = await departureWorld(calmly);
  expect([await tell(world, { effectiveAt: '2027-02-26' }), world.tables.dump('inbox')]).toEqual([422, []]);
});

test.each(['kim@example.com', '김 민준', 'José Álvarez', 'W#7'])('F-C7: %s is a worker id', async (workerId) => {
  const world = await departureWorld(calmly);
  expect(await tell(world, { workerId })).toBe(202);
  expect(metas(world)).toMatchObject([{ workerId: workerId.normalize('NFC') }]);
});

test('a statement from the future is not taken yet: the sender tries again, and then it counts', async () => {
  const world = await departureWorld(calmly);
  const said = { saidAt: world.clock.now() + 61, effectiveAt: world.clock.now() };
  expect([await tell(world, said), world.tables.dump('inbox')]).toEqual([503, []]);
  world.clock.advance(1);
  expect([await tell(world, said), metas(world).length]).toEqual([202, 1]);
});

test('one delivery id with two bodies is two deliveries; with the same body it is one', async () => {
  const world = await departureWorld(calmly);
  const ids = { id: 'same', effectiveAt: world.clock.now(), saidAt: world.clock.now() };
  expect(await send(world, { ...ids, workerId: 'W-1' })).toBe(202);
  expect(await send(world, { ...ids, workerId: 'W-2' })).toBe(202);
  expect(await send(world, { ...ids, workerId: 'W-1' })).toBe(200);
  expect(
    metas(world)
      .map(({ workerId }) => workerId)
      .sort(),
  ).toEqual(['W-1', 'W-2']);
});

test('a sender that tries an old statement again, with a newer signature, changes nothing', async () => {
  const world = await departureWorld(calmly);
  const now = world.clock.now();
  await tell(world, { effectiveAt: now + 10 * DAY, saidAt: now - 50 });
  await tell(world, { type: 'worker.rescinded', effectiveAt: now + 10 * DAY, saidAt: now - 40 });
  world.clock.advance(HOUR);
  await tell(world, { effectiveAt: now + 10 * DAY, saidAt: now - 50 });
  expect(await until(world, now + 11 * DAY)).toEqual([]);
});

test('two folders at once fold every statement once, and begin one case', async () => {
  const world = await departureWorld(calmly);
  const now = world.clock.now();
  const said = [
    { effectiveAt: now },
    { effectiveAt: now + 60, source: 'payroll' },
    { type: 'worker.transferred', effectiveAt: now + 9 * DAY },
  ];
  await Promise.all(
    said.map((one, n) => receiveWebhook(delivery(world, { ...one, id: `at-once-${n}` }), world.deps('intake'))),
  );
  const inserted = world.tables.takeStream('inbox');
  await Promise.all(
    [...inserted, ...inserted].map(({ pk, sk }) =>
      pk === 'PENDING' ? undefined : world.functions.invoke('case-folder', { source: pk, delivery: sk }),
    ),
  );
  expect(metas(world).map(({ act }) => act)).toEqual(['end']);
  expect(world.tables.dump('cases').filter(({ sk }) => sk.startsWith('SAID#'))).toHaveLength(3);
});

test('a suspension contains, and does nothing else, until it becomes an end', async () => {
  const world = await departureWorld(calmly);
  await tell(world, { type: 'worker.suspended' });
  const [suspended] = await carryOut(world);
  expect([suspended?.state, isContained(world), await world.iam.hasLoginProfile('mallory')]).toEqual([
    'CONTAINED',
    true,
    true,
  ]);
  expect((await ringOf(world)).keys.filter(({ state }) => state === 'DENIED' || state === 'SUSPECT')).toEqual([]);
  world.clock.advance(DAY);
  await tell(world, {});
  const cases = await carryOut(world);
  expect(cases.map(({ act, state }) => [act, state]).sort()).toEqual([
    ['end', 'CLOSED'],
    ['suspend', 'CONTAINED'],
  ]);
});

test('a leave of absence is kept, and changes nothing', async () => {
  const world = await departureWorld(calmly);
  expect(await tell(world, { type: 'worker.on_leave', workerId: WORKER })).toBe(202);
  expect([await carryOut(world), isContained(world)]).toEqual([[], false]);
});

test('S-A1: however often and in whatever order a sender delivers, each leaver has one case, begun once', async () => {
  const [leavers, copies] = [extent(10, 500), 5];
  const world = await departureWorld(calmly);
  const now = world.clock.now();
  const words = Array.from({ length: leavers }, (_, n): Said[] =>
    [
      { effectiveAt: now, saidAt: now - 4 },
      { effectiveAt: now - 30, saidAt: now - 3 },
      { effectiveAt: now - 60, saidAt: now - 2 },
      { type: 'worker.on_leave', saidAt: now - 1 },
    ].map((said, k) => ({ ...said, workerId: `L-${n}`, id: `msg-${n}-${k}` })),
  ).flat();
  const all = Array.from({ length: copies }, () => words).flat();
  const [order = []] = fc.sample(fc.shuffledSubarray(all, { minLength: all.length }), {
    numRuns: 1,
    seed: seedFor('S-A1'),
  });
  const answers: (number | undefined)[] = [];
  for (const said of order) answers.push(await send(world, said));
  const cases = metas(world);
  const opened = outbox(world).filter(({ type }) => type === 'case.opened');
  expect([cases.length, new Set(cases.map(({ workerId }) => workerId)).size, opened.length]).toEqual(
    Array(3).fill(leavers),
  );
  expect(world.workflow.started.size).toBe(leavers);
  expect([...new Set(answers)].sort()).toEqual([200, 202]);
  expect(world.tables.dump('cases').filter(({ sk }) => sk.startsWith('SAID#'))).toHaveLength(words.length);
  process.stdout.write(
    `deliveries: ${counted(order.length)} of ${counted(leavers)} leavers, ${counted(cases.length)} cases, each begun once\n`,
  );
}, 600_000);
