/** Who may approve is on record before anybody decides, from the minute in which a deployment said it. */
import { tick } from '../../lambdas/ticker';
import { checkManifest } from '../../lib/domain/audit/manifest';
import { shownState } from '../../lib/domain/cases/case';
import { recordApprovers } from '../../lib/work/cases/approver-set';
import { APPROVERS, approveAs, deployApprovers } from './approvers';
import {
  allRecords,
  type DepartureWorld,
  departureWorld,
  drainOutboxes,
  execute,
  metaOf,
  metas,
  outbox,
  send,
} from './departure-world';
import { calmly } from './signing-world';

const [ONE, TWO, THREE] = APPROVERS;
const FOUR = { workerId: 'W-0004', identity: 'AIDAAPPROVERFOU4' } as const;
const HOUR = 3600;

const sets = (world: DepartureWorld) => outbox(world).filter(({ type }) => type === 'approvers.set');
const said = (world: DepartureWorld) =>
  sets(world).map(({ id, at, body }) => [id, at, (body.approvers as string[]).length]);

async function minute(world: DepartureWorld): Promise<void> {
  world.clock.advance(60);
  await tick(world.deps('ticker'));
}

async function held(world: DepartureWorld): Promise<string> {
  await send(world, { source: 'payroll' });
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  expect(shownState(await metaOf(world, caseId))).toBe('HELD');
  return caseId;
}

test('a change is on record within a minute, without a decision, once; one that comes back is one more', async () => {
  const world = await departureWorld(calmly);
  const start = world.clock.now();
  await minute(world);
  expect(said(world)).toEqual([['approvers/1', start, 3]]);
  await deployApprovers(world, [...APPROVERS, FOUR], false);
  await minute(world);
  await minute(world);
  await deployApprovers(world, APPROVERS, false);
  await minute(world);
  expect(said(world)).toEqual([
    ['approvers/1', start, 3],
    ['approvers/2', start + 120, 4],
    ['approvers/3', start + 240, 3],
  ]);
  const [first, , third] = sets(world);
  expect(third?.body.set).toBe(first?.body.set);
  expect(JSON.stringify(sets(world))).not.toMatch(/W-000|AIDA|AROA/);
  await drainOutboxes(world);
  const logged = world.tables.dump('log').filter(({ id }) => String(id).startsWith('approvers/'));
  expect(logged.length).toBe(3);
});

test('where the owner wrote that there are none, the empty set is on record', async () => {
  const world = await departureWorld(calmly);
  await deployApprovers(world, undefined, false);
  await minute(world);
  expect(sets(world).at(-1)?.body).toMatchObject({ n: 2, approvers: [] });
});

test('two tickers of one minute write it once, and so does one that dies at any effect', async () => {
  const world = await departureWorld(calmly);
  await deployApprovers(world, [...APPROVERS, FOUR], false);
  await Promise.all([recordApprovers(world.deps('ticker')), recordApprovers(world.deps('ticker'))]);
  expect(said(world).length).toBe(2);
  for (const mode of ['before', 'after'] as const)
    for (let n = 1; ; n++) {
      const other = await departureWorld(calmly);
      await deployApprovers(other, [...APPROVERS, FOUR], false);
      other.faults.crashAt(n, mode);
      await recordApprovers(other.deps('ticker')).catch(() => undefined);
      const died = other.faults.crashed;
      other.faults.restart();
      await recordApprovers(other.deps('ticker'));
      expect(said(other).map(([id]) => id)).toEqual(['approvers/1', 'approvers/2']);
      if (!died) break;
    }
});

test('nobody decides by a set that is not on record yet; once it is, what was given too early is given again', async () => {
  const world = await departureWorld(calmly);
  const caseId = await held(world);
  await deployApprovers(world, [ONE, THREE, FOUR], false);
  expect(await approveAs(world, ONE.identity, caseId, 'go-on')).toMatchObject({ isDecided: false });
  expect(await approveAs(world, FOUR.identity, caseId, 'go-on')).toMatchObject({ status: 202, isDecided: false });
  expect((await metaOf(world, caseId)).attempt).toBe(1);
  world.clock.advance(61);
  await tick(world.deps('ticker'));
  await minute(world);
  expect(shownState(await metaOf(world, caseId))).toBe('HELD');
  const early = world.tables.dump('approvals').filter(({ sk }) => sk.endsWith(`#${FOUR.workerId}`));
  expect(early).toMatchObject([{ counts: false, why: 'they became an approver after they gave it: give it again' }]);
  expect(await approveAs(world, FOUR.identity, caseId, 'go-on')).toMatchObject({ counts: true, isDecided: true });
  await execute(world, caseId, (await metaOf(world, caseId)).attempt);
  await drainOutboxes(world);
  expect(checkManifest(allRecords(world), caseId).expected).toBeGreaterThan(10);
});

test('who stands in the configuration no more does not decide, though they could when they approved', async () => {
  const world = await departureWorld(calmly);
  const caseId = await held(world);
  await approveAs(world, TWO.identity, caseId, 'go-on');
  world.clock.advance(HOUR);
  await deployApprovers(world, [ONE, THREE, FOUR]);
  expect(await approveAs(world, ONE.identity, caseId, 'go-on')).toMatchObject({ counts: true, isDecided: false });
  expect(shownState(await metaOf(world, caseId))).toBe('HELD');
  expect(await approveAs(world, THREE.identity, caseId, 'go-on')).toMatchObject({ isDecided: true });
});
