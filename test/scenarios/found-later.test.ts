/** What nobody had said, or did not exist yet, when a case began: a worker of whom nothing was imported, a key made since. */

import { listCases } from '../../bin/commands/case';
import { showCase } from '../../bin/commands/case-show';
import { tick } from '../../lambdas/ticker';
import { checkManifest, checkOrder } from '../../lib/domain/audit/manifest';
import { shownState } from '../../lib/domain/cases/case';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { LOOK_AGAIN_SECONDS } from '../../lib/work/cases/start-case';
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
  WORKER,
} from './departure-world';
import { calmly, issueTo, RING } from './signing-world';

const UNKNOWN = 'w-1042';
const ports = (world: DepartureWorld) => ({ tables: world.tables.parsed, clock: world.clock }) as never;
async function begun(world: DepartureWorld, workerId: string): Promise<string> {
  await send(world, { workerId, id: 'msg_1' });
  return metas(world).find((meta) => meta.workerId === workerId)?.caseId ?? '';
}

describe('B4: a worker of whom nothing was ever imported', () => {
  test('waits, not contained, is counted, and never closes by itself', async () => {
    const world = await departureWorld(calmly);
    const caseId = await begun(world, UNKNOWN);
    for (let attempt = 1; attempt <= 6; attempt++) {
      expect(await execute(world, caseId, attempt)).toMatchObject({ close: { closed: false, held: true } });
      const meta = await metaOf(world, caseId);
      expect([shownState(meta), meta.containedAt, meta.plannedAt]).toEqual(['WAITING', undefined, undefined]);
      world.workflow.end(`${caseId}.${attempt}`);
      // Every quarter of an hour, however often: somebody is not contained.
      world.clock.advance(LOOK_AGAIN_SECONDS);
      await tick(world.deps('ticker'));
      expect(world.metrics.kept.findLast(({ name }) => name === 'WaitingCases')?.value).toBe(1);
    }
    expect(outbox(world).map(({ type }) => type)).toEqual(['approvers.set', 'case.opened']);
    expect((await showCase(ports(world), caseId)).text).toContain(
      'it waits: when it last looked, no import named this worker, or HR had taken them on again',
    );
    expect((await listCases(ports(world), 'WAITING', undefined)).json).toMatchObject([{ caseId, state: 'WAITING' }]);
    expect((await listCases(ports(world), 'HELD', undefined)).json).toEqual([]);
  });

  test.each([
    ['names what they have', [{ type: 'subject', ring: RING, sub: 'nina' }]],
    ['says that they have nothing', []],
  ])('goes on by itself once an import %s', async (_what, principals) => {
    const world = await departureWorld(calmly);
    const caseId = await begun(world, UNKNOWN);
    await execute(world, caseId, 1);
    await imported(world, UNKNOWN, principals);
    world.workflow.end(`${caseId}.1`);
    world.clock.advance(LOOK_AGAIN_SECONDS);
    await tick(world.deps('ticker'));
    expect([...world.workflow.started.keys()]).toContain(`${caseId}.2`);
    await execute(world, caseId, 2);
    expect(shownState(await metaOf(world, caseId))).toBe('CLOSED');
    if (principals.length > 0)
      await expect(issueTo(world, 'nina')).rejects.toMatchObject({ code: 'ERR_SUBJECT_BLOCKED' });
    checkManifest(allRecords(world), caseId);
  });
});

describe('B10: what came to be after the first list was frozen', () => {
  /** Between the wave and the proof, as somebody does who still has a way in. */
  const whileItRuns = async (world: DepartureWorld, change: () => unknown, afterwards: () => unknown = () => {}) => {
    const caseId = await begun(world, WORKER);
    await execute(world, caseId, 1, async (request, run) => {
      if (request.step === 'plan') await change();
      const answer = await run();
      if (request.step === 'plan') await afterwards();
      return answer;
    });
    return caseId;
  };
  const itemsOf = (world: DepartureWorld, kind: string) =>
    outbox(world).filter(({ type, body }) => type === 'item.proved' && body.kind === kind);

  test('an access key is listed, shut, proved and recorded; the case closes', async () => {
    const world = await departureWorld(calmly);
    const caseId = await whileItRuns(world, () => world.iam.reactivateAccessKey('mallory', 'AKIALATER'));
    expect(await world.iam.accessKeys('mallory')).toEqual(
      ['AKIA1', 'AKIA2', 'AKIALATER'].map((accessKeyId) => ({ accessKeyId, status: 'Inactive' })),
    );
    expect(shownState(await metaOf(world, caseId))).toBe('CLOSED');
    const listings = outbox(world).filter(({ type }) => type === 'case.listed');
    expect(listings.map(({ id, body }) => [id, body.n])).toEqual([
      [`${caseId}/listed`, 1],
      [`${caseId}/listed/2`, 2],
    ]);
    expect(itemsOf(world, 'access-key')).toHaveLength(3);
    checkManifest(allRecords(world), caseId);
    checkOrder(allRecords(world), caseId);
  });

  test.each([
    ['of a user who had none', 'mallory-2', true],
    ['of a user whom an import names only then', 'mallory-3', false],
  ])('a console login %s is listed, removed, proved and recorded', async (_what, name, isKnown) => {
    const world = await departureWorld(calmly);
    const known = () => imported(world, WORKER, [{ type: 'iam-user', arn: `arn:aws:iam::000000000000:user/${name}` }]);
    world.iam.addUser(name, { accessKeyIds: ['AKIA9'] });
    if (isKnown) await known();
    const late = async () => {
      world.iam.addLoginProfile(name);
      if (!isKnown) await known();
    };
    const caseId = await whileItRuns(world, () => undefined, late);
    expect([await world.iam.hasLoginProfile(name), world.iam.mayAct(name, 'AKIA9')]).toEqual([false, false]);
    expect(shownState(await metaOf(world, caseId))).toBe('CLOSED');
    expect(itemsOf(world, 'login-profile')).toHaveLength(2);
    checkManifest(allRecords(world), caseId);
    checkOrder(allRecords(world), caseId);
  });

  test('a console login made while the case is held waits for people, as every step that cannot be undone', async () => {
    const world = await departureWorld(calmly);
    world.iam.addUser('mallory-2', { accessKeyIds: ['AKIA9'] });
    await imported(world, WORKER, [{ type: 'iam-user', arn: 'arn:aws:iam::000000000000:user/mallory-2' }]);
    await send(world, { source: 'payroll' });
    const caseId = metas(world)[0]?.caseId ?? '';
    await execute(world, caseId, 1);
    world.iam.addLoginProfile('mallory-2');
    world.workflow.end(`${caseId}.1`);
    world.clock.advance(LOOK_AGAIN_SECONDS);
    await tick(world.deps('ticker'));
    await execute(world, caseId, 2);
    expect([shownState(await metaOf(world, caseId)), await world.iam.hasLoginProfile('mallory-2')]).toEqual([
      'HELD',
      true,
    ]);
  });

  test('a principal that an import names is contained too', async () => {
    const world = await departureWorld(calmly);
    const more = [{ type: 'subject', ring: RING, sub: 'mallory-batch' }];
    const caseId = await whileItRuns(world, () => imported(world, WORKER, more));
    await expect(issueTo(world, 'mallory-batch')).rejects.toMatchObject({ code: 'ERR_SUBJECT_BLOCKED' });
    expect(shownState(await metaOf(world, caseId))).toBe('CLOSED');
    checkManifest(allRecords(world), caseId);
  });

  test('an access key that is set Active again is shut again before anybody calls it proved', async () => {
    const world = await departureWorld(calmly);
    const caseId = await begun(world, WORKER);
    await expect(
      execute(world, caseId, 1, async (request, run) => {
        if (request.step === 'close') return run();
        if (request.step === 'prove' && request.nn === '03') world.iam.reactivateAccessKey('mallory', 'AKIA1');
        return run();
      }),
    ).rejects.toMatchObject({ code: 'ERR_NOT_PROVED' });
    world.workflow.end(`${caseId}.1`);
    world.clock.advance(LOOK_AGAIN_SECONDS);
    await tick(world.deps('ticker'));
    await execute(world, caseId, 2);
    expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);
    expect((await world.iam.accessKeys('mallory')).every(({ status }) => status === 'Inactive')).toBe(true);
    expect(shownState(await metaOf(world, caseId))).toBe('CLOSED');
  });

  test.each([
    [
      'a listing that is left out',
      (all: readonly EvidenceRecord[], caseId: string) => all.filter(({ id }) => id !== `${caseId}/listed`),
    ],
    [
      'an item of it that was never proved',
      (all: readonly EvidenceRecord[]) => all.filter(({ id }) => !/item\/2\d{4}\/proved$/.test(id)),
    ],
    [
      'an item of it that is left out',
      (all: readonly EvidenceRecord[]) =>
        all.map((one) => (one.body.n === 2 ? { ...one, body: { ...one.body, items: [] } } : one)),
    ],
  ])('%s makes the evidence incomplete', async (_what, bend) => {
    const world = await departureWorld(calmly);
    const caseId = await whileItRuns(world, () => world.iam.reactivateAccessKey('mallory', 'AKIALATER'));
    expect(() => checkManifest(bend(allRecords(world), caseId), caseId)).toThrow(
      expect.objectContaining({ code: 'ERR_EVIDENCE_INCOMPLETE' }),
    );
  });
});
