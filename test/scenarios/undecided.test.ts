/** Where nobody may decide, a held case closes as not decided after 30 days, still contained; and nobody can say so sooner. */
import { explainCase } from '../../bin/commands/case-explain';
import { checkManifest, checkOrder } from '../../lib/domain/audit/manifest';
import { openQuestion, shownState } from '../../lib/domain/cases/case';
import { planCase } from '../../lib/domain/cases/plan';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { CASE_ITEM } from '../../lib/domain/store/case-items';
import { APPROVERS, DAY, deployApprovers } from './approvers';
import {
  allRecords,
  type DepartureWorld,
  departureWorld,
  drainOutboxes,
  dyingAt,
  execute,
  metaOf,
  metas,
  send,
  strike,
} from './departure-world';
import { calmly, ringOf } from './signing-world';

const evidence = (world: DepartureWorld) => allRecords(world) as readonly EvidenceRecord[];
const stateOf = async (world: DepartureWorld, caseId: string) => shownState(await metaOf(world, caseId));

/** Held on the word of one source. */
async function held(world: DepartureWorld): Promise<string> {
  await send(world, { source: 'payroll' });
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  expect(await stateOf(world, caseId)).toBe('HELD');
  return caseId;
}

async function withNobody(): Promise<DepartureWorld> {
  const world = await departureWorld(calmly);
  await deployApprovers(world, []);
  return world;
}

test('it closes with exceptions, contained, with what was never begun on record; and is asked no second time', async () => {
  const world = await withNobody();
  const caseId = await held(world);
  const { containedAt = 0 } = await metaOf(world, caseId);
  world.clock.set(containedAt + 30 * DAY - 60);
  await execute(world, caseId, 1);
  expect(await stateOf(world, caseId)).toBe('HELD');
  world.clock.set(containedAt + 30 * DAY);
  await strike(world, 0);
  await execute(world, caseId, 1);
  expect(await stateOf(world, caseId)).toBe('CLOSED WITH EXCEPTIONS');

  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);
  expect(await world.iam.hasLoginProfile('mallory')).toBe(true);
  // The copied one, and no other key.
  const { keys } = await ringOf(world);
  expect(keys.filter(({ state }) => state === 'DENIED').map(({ kid }) => kid)).toEqual([world.legacy.jwk.kid]);
  const items = await world.tables.parsed.query(CASE_ITEM.in(caseId));
  const open = items.filter(({ state }) => state !== 'PROVED').map(({ item }) => item.nn);
  expect(evidence(world).find(({ id }) => id === `${caseId}/closed`)?.body).toMatchObject({ notDecided: 1, open });
  expect(open.length).toBeGreaterThan(1);
  checkManifest(evidence(world), caseId);
  checkOrder(evidence(world), caseId);
  const ports = { tables: world.tables.parsed, clock: world.clock } as never;
  expect((await explainCase(ports, caseId)).text).toContain('for 30 days nobody could decide');
  await send(world, { id: 'msg_2', source: 'payroll' });
  expect(openQuestion(await metaOf(world, caseId))).toBeUndefined();
});

test.each<[string, (world: DepartureWorld) => Promise<unknown>]>([
  ['that has approvers', async () => undefined],
  ['that has had none for a day', async (world) => [world.clock.advance(29 * DAY), await deployApprovers(world, [])]],
  [
    'that had some for an hour in between',
    async (world) => {
      await deployApprovers(world, []);
      world.clock.advance(DAY);
      await strike(world, 0);
      await deployApprovers(world, APPROVERS);
      world.clock.advance(3600);
      await deployApprovers(world, []);
    },
  ],
])('it goes on waiting in a deployment %s', async (_what, happens) => {
  const world = await departureWorld(calmly);
  const caseId = await held(world);
  const { containedAt = 0 } = await metaOf(world, caseId);
  await happens(world);
  world.clock.set(containedAt + 30 * DAY);
  await strike(world, 0);
  await execute(world, caseId, 1);
  expect(await stateOf(world, caseId)).toBe('HELD');
});

test('a suspension that nobody can decide about stays as it is', async () => {
  const world = await withNobody();
  await send(world, { source: 'payroll', type: 'worker.suspended' });
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  world.clock.advance(31 * DAY);
  await strike(world, 0);
  await execute(world, caseId, 1);
  expect(await stateOf(world, caseId)).toBe('HELD');
});

test('killed at any effect of the attempt that closes it, it ends the same', async () => {
  for (const mode of ['before', 'after'] as const)
    for (const n of [1, 2, 3]) {
      const world = await withNobody();
      const caseId = await held(world);
      world.clock.advance(31 * DAY);
      await strike(world, 0);
      await execute(world, caseId, 1, dyingAt(world, n, mode).via);
      await drainOutboxes(world);
      expect(await stateOf(world, caseId)).toBe('CLOSED WITH EXCEPTIONS');
      const ids = evidence(world).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      checkManifest(evidence(world), caseId);
    }
}, 60_000);

describe('an operator who writes that nobody decided', () => {
  let whole: readonly EvidenceRecord[];
  let caseId: string;
  beforeAll(async () => {
    const world = await withNobody();
    caseId = await held(world);
    world.clock.advance(31 * DAY);
    await strike(world, 0);
    await execute(world, caseId, 1);
    whole = evidence(world);
  });
  const named = (name: string) => whole.find(({ id }) => id === `${caseId}/${name}`) as EvidenceRecord;
  const set = (n: number) => whole.find(({ id }) => id === `approvers/${n}`) as EvidenceRecord;
  const body = (record: EvidenceRecord, changed: object) =>
    ({ ...record, body: { ...record.body, ...changed } }) as EvidenceRecord;
  const replaced = (...others: readonly EvidenceRecord[]) =>
    whole.map((record) => others.find(({ id }) => id === record.id) ?? record);
  const opened = (nn: string) =>
    replaced(body(named('closed'), { open: [...(named('closed').body.open as string[]), nn] })).filter(
      ({ id }) => !id.startsWith(`${caseId}/item/${nn}/`),
    );
  const compromised = () =>
    planCase(named('inventory').body as never).find((item) => item.kind === 'taint' && item.class === 'compromise')?.nn;

  test.each<[string, () => readonly EvidenceRecord[], RegExp]>([
    ['with approvers on record', () => whole.filter(({ id }) => id !== set(2).id), /somebody could have decided/],
    ['with no set on record', () => whole.filter(({ type }) => type !== 'approvers.set'), /somebody could have/],
    ['a day too early', () => replaced({ ...named('asked/1'), at: named('closed').at - 29 * DAY }), /held for 30 days/],
    ['of another question', () => replaced(body(named('closed'), { notDecided: 2 })), /do not agree/],
    ['of no question', () => whole.filter(({ id }) => id !== `${caseId}/went-on/1`), /nothing ended|do not agree/],
    ['and leaves an access key open', () => opened('03'), /item 03 may not stay open/],
    ['and leaves a copied key open', () => opened(compromised() ?? ''), /may not stay open/],
    ['of items that it does not name', () => replaced(body(named('closed'), { open: [] })), /are missing/],
  ])('%s is refused', (_what, bend, why) => {
    expect(() => checkManifest(whole, caseId)).not.toThrow();
    expect(() => checkManifest(bend(), caseId)).toThrow(why);
  });
});
