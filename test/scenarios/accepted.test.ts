/** What nobody can act on: two people accept it until a date, the case closes with exceptions, and a linked case tries again. */
import { listCases } from '../../bin/commands/case';
import { showCase } from '../../bin/commands/case-show';
import { decide } from '../../lambdas/decider';
import { tick } from '../../lambdas/ticker';
import { checkManifest, checkOrder } from '../../lib/domain/audit/manifest';
import { shownState } from '../../lib/domain/cases/case';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { CASE_ITEM } from '../../lib/domain/store/case-items';
import { policyAllowing } from '../../lib/local/kms';
import { roleArn } from '../../lib/local/world';
import { extent } from '../support/extent';
import { seedFor } from '../support/seeded';
import { APPROVERS, approveAs, beforeAccept, DAY, decideBoth, lookAtApprovals } from './approvers';
import {
  allRecords,
  type DepartureWorld,
  departureWorld,
  drainOutboxes,
  dyingAt,
  execute,
  imported,
  metaOf,
  metas,
  send,
  strike,
  WORKER,
} from './departure-world';
import { calmly, RING } from './signing-world';

const [ONE, TWO, THREE] = APPROVERS.map(({ identity }) => identity);
const ELSEWHERE = 'arn:aws:iam::999999999999:user/mallory';
const NO_RING = { asset: 'ring:no-such-ring', class: 'could-use', how: 'a stale row', since: 1 };
const ports = (world: DepartureWorld) => ({ tables: world.tables.parsed, clock: world.clock }) as never;
const evidence = (world: DepartureWorld) => allRecords(world) as readonly EvidenceRecord[];

function check(world: DepartureWorld, caseId: string): void {
  checkManifest(evidence(world), caseId);
  checkOrder(evidence(world), caseId);
}

/** A departure of which everything is done but for a user of another account, and an exposure of no ring of ours. */
async function stuck(world: DepartureWorld, principals: readonly object[] = [{ type: 'iam-user', arn: ELSEWHERE }]) {
  await imported(world, WORKER, principals, [NO_RING]);
  await send(world);
  const caseId = metas(world)[0]?.caseId ?? '';
  await attempted(world, caseId);
  expect(shownState(await metaOf(world, caseId))).not.toMatch(/CLOSED/);
  return caseId;
}

/** One attempt, which may leave the case open. */
async function attempted(world: DepartureWorld, caseId: string): Promise<string> {
  const { attempt } = await metaOf(world, caseId);
  await execute(world, caseId, attempt).catch((error) => {
    if (error.code !== 'ERR_NOT_PROVED') throw error;
  });
  await drainOutboxes(world);
  world.workflow.end(`${caseId}.${attempt}`);
  return shownState(await metaOf(world, caseId));
}

/** By day at one effect in so many, which by the seed; at night at each. */
const EVERY = extent(4, 1);
const first = (what: string) => 1 + (seedFor(what) % EVERY);

const itemsOf = (world: DepartureWorld, caseId: string) => world.tables.parsed.query(CASE_ITEM.in(caseId));
const linkedOf = (world: DepartureWorld, caseId: string) =>
  metas(world).find(({ provesAgain }) => provesAgain === caseId)?.caseId ?? '';

test('two approvers accept it: the case closes with exceptions, and nothing calls these items proved', async () => {
  const world = await departureWorld(calmly);
  const caseId = await stuck(world);
  const until = world.clock.now() + 30 * DAY;
  expect((await showCase(ports(world), caseId)).text).toMatch(/curfew case accept c-\S+ --item 06,\d\d --until DATE/);
  expect(await approveAs(world, ONE, caseId, 'accept')).toMatchObject({ status: 202, counts: true, isDecided: false });
  expect(await approveAs(world, TWO, caseId, 'accept', { until })).toMatchObject({ isDecided: true });
  expect(await attempted(world, caseId)).toBe('CLOSED WITH EXCEPTIONS');

  const closed = evidence(world).find(({ id }) => id === `${caseId}/closed`);
  const open = (await itemsOf(world, caseId)).filter(({ state }) => state !== 'PROVED');
  expect(open.map(({ state, acceptedUntil }) => [state, acceptedUntil])).toEqual([
    ['ACCEPTED', until],
    ['ACCEPTED', until],
  ]);
  expect(closed?.body).toMatchObject({ accepted: 2, items: (await itemsOf(world, caseId)).length });
  check(world, caseId);
  expect((await showCase(ports(world), caseId)).text).toContain('accepted by two approvers, and not proved: item 06, ');
  expect((await listCases(ports(world), undefined, WORKER)).json).toEqual(
    expect.arrayContaining([expect.objectContaining({ caseId, state: 'CLOSED WITH EXCEPTIONS' })]),
  );
  expect(JSON.stringify(evidence(world).filter(({ case: of }) => of === caseId))).not.toMatch(
    /W-000\d|AIDA|CHG-12|999999/,
  );
});

test('at the end date the linked case tries again: still open, it stays open and may be accepted again', async () => {
  const world = await departureWorld(calmly);
  const caseId = await stuck(world);
  await decideBoth(world, caseId, 'accept');
  await attempted(world, caseId);
  const linked = linkedOf(world, caseId);
  const { dueAt } = await metaOf(world, linked);
  world.clock.set(dueAt - 1);
  await tick(world.deps('ticker'));
  expect((await metaOf(world, linked)).state).toBe('OPEN');
  world.clock.set(dueAt);
  await strike(world, 0);
  await tick(world.deps('ticker'));
  expect(world.workflow.started.has(`${linked}.1`)).toBe(true);
  expect(await attempted(world, linked)).not.toMatch(/CLOSED/);
  expect((await itemsOf(world, linked)).map(({ item, state }) => [item.kind, state])).toEqual([
    ['unplannable', 'PLANNED'],
    ['unplannable', 'PLANNED'],
  ]);
  check(world, caseId);

  await decideBoth(world, linked, 'accept');
  expect(await attempted(world, linked)).toBe('CLOSED WITH EXCEPTIONS');
  check(world, linked);
  check(world, caseId);
  expect(await metaOf(world, linkedOf(world, linked))).toMatchObject({ state: 'OPEN', provesAgain: linked });
});

test('what can be acted on by then is acted on, proved, and closes without exceptions', async () => {
  const world = await departureWorld(calmly);
  const later = { type: 'subject', ring: 'later', sub: 'mallory' };
  const personal = world.kms.createKey({ algorithm: 'ES256', policy: policyAllowing([], []) });
  const caseId = await stuck(world, [later, { type: 'kms-key', arn: personal }]);
  const items = (await itemsOf(world, caseId)).filter(({ state }) => state !== 'PROVED').map(({ item }) => item.nn);
  const until = world.clock.now() + DAY;
  const early = { ...(await beforeAccept(world, caseId, { items, until })) };
  expect(await approveAs(world, ONE, caseId, 'accept', early)).toMatchObject({ counts: false, why: /not tried twice/ });
  world.clock.advance(900);
  await tick(world.deps('ticker'));
  await attempted(world, caseId);
  for (const identity of [ONE, TWO]) {
    world.clock.advance(1);
    await approveAs(world, identity, caseId, 'accept', await beforeAccept(world, caseId, { items, until }));
  }
  expect(await attempted(world, caseId)).toBe('CLOSED WITH EXCEPTIONS');

  // The account lets our disabler in, and nobody imports anything anew.
  world.kms.putPolicy(personal, policyAllowing([roleArn('disabler')], ['kms:DisableKey', 'kms:DescribeKey']));
  const linked = linkedOf(world, caseId);
  world.clock.set(until);
  await strike(world, 0);
  await tick(world.deps('ticker'));
  await attempted(world, linked);
  const found = (await itemsOf(world, linked)).map(({ item, state }) => [item.kind, state]);
  expect(found).toEqual([
    ['personal-key', 'PROVED'],
    ['unplannable', 'PLANNED'],
    ['unplannable', 'PLANNED'],
  ]);
});

test.each<[string, (world: DepartureWorld, id: string) => Promise<unknown>]>([
  ['one approval', (world, id) => approveAs(world, ONE, id, 'accept')],
  [
    'one person twice',
    async (world, id) => [await approveAs(world, ONE, id, 'accept'), await approveAs(world, ONE, id, 'accept')],
  ],
  [
    'two ends',
    async (world, id) => [
      await approveAs(world, ONE, id, 'accept', await beforeAccept(world, id)),
      await approveAs(world, TWO, id, 'accept', await beforeAccept(world, id, { until: world.clock.now() + 3 * DAY })),
    ],
  ],
  [
    'two lists',
    async (world, id) => [
      await approveAs(world, ONE, id, 'accept', await beforeAccept(world, id)),
      await approveAs(world, TWO, id, 'accept', await beforeAccept(world, id, { items: ['06'] })),
    ],
  ],
  [
    'an old digest',
    async (world, id) => [
      await approveAs(world, ONE, id, 'accept'),
      await approveAs(world, TWO, id, 'accept', { about: 'x'.repeat(43) }),
    ],
  ],
  [
    'more than 90 days',
    async (world, id) => {
      const late = await beforeAccept(world, id, { until: world.clock.now() + 90 * DAY + 1 });
      for (const one of [ONE, TWO])
        expect(await approveAs(world, one, id, 'accept', late)).toMatchObject({ status: 400 });
    },
  ],
  [
    'an end that is over by the second',
    async (world, id) => {
      const soon = await beforeAccept(world, id, { until: world.clock.now() + 60 });
      await approveAs(world, ONE, id, 'accept', soon);
      world.clock.advance(60);
      await approveAs(world, TWO, id, 'accept', soon);
    },
  ],
  [
    'an item that is proved',
    async (world, id) => {
      const done = await beforeAccept(world, id, { items: ['01', '06'] });
      expect(await approveAs(world, ONE, id, 'accept', done)).toMatchObject({
        counts: false,
        why: /item 01: it is PROVED/,
      });
      await approveAs(world, TWO, id, 'accept', done);
    },
  ],
  [
    'no item',
    async (world, id) => {
      expect(await approveAs(world, ONE, id, 'accept', { items: [] })).toMatchObject({ status: 400 });
      await approveAs(world, TWO, id, 'accept', { items: [] });
    },
  ],
  [
    'a second after eight days',
    async (world, id) => {
      const list = await beforeAccept(world, id);
      await approveAs(world, ONE, id, 'accept', list);
      world.clock.advance(8 * DAY);
      await strike(world, 0);
      await approveAs(world, TWO, id, 'accept', list);
    },
  ],
])('nothing is accepted by %s', async (_what, attempt) => {
  const world = await departureWorld(calmly);
  const caseId = await stuck(world);
  await attempt(world, caseId);
  expect((await metaOf(world, caseId)).accepted).toBeUndefined();
  expect((await itemsOf(world, caseId)).filter(({ state }) => state === 'ACCEPTED')).toEqual([]);
  expect(evidence(world).filter(({ type }) => type === 'case.accepted' || type === 'case.approved')).toEqual([]);
  expect(await attempted(world, caseId)).not.toMatch(/CLOSED/);
});

test('nor by the leaver, who is an approver as well', async () => {
  const approvers = [...APPROVERS, { workerId: WORKER, identity: 'AIDALEAVER000001' }];
  const world = await departureWorld((options) => calmly({ ...options, config: { approvers } }));
  const caseId = await stuck(world);
  await approveAs(world, ONE, caseId, 'accept');
  expect(await approveAs(world, 'AIDALEAVER000001', caseId, 'accept')).toMatchObject({
    isDecided: false,
    counts: false,
  });
});

test('an item that changes between the two approvals is not accepted, and the others are not either', async () => {
  const world = await departureWorld(calmly);
  const personal = world.kms.createKey({ algorithm: 'ES256', policy: policyAllowing([], []) });
  const caseId = await stuck(world, [{ type: 'kms-key', arn: personal }]);
  world.clock.advance(900);
  await tick(world.deps('ticker'));
  await attempted(world, caseId);
  const items = (await itemsOf(world, caseId)).filter(({ state }) => state !== 'PROVED').map(({ item }) => item.nn);
  const list = await beforeAccept(world, caseId, { items });
  expect(await approveAs(world, ONE, caseId, 'accept', list)).toMatchObject({ counts: true });
  world.kms.putPolicy(personal, policyAllowing([roleArn('disabler')], ['kms:DisableKey', 'kms:DescribeKey']));
  await attempted(world, caseId);
  expect(await approveAs(world, TWO, caseId, 'accept', list)).toMatchObject({
    isDecided: false,
    counts: false,
    why: expect.stringMatching(/is PROVED/),
  });
});

test.each(['copied-possible', 'could-use'])('of a key that is not yet issuing and that was %s', async (wanted) => {
  const world = await departureWorld(calmly);
  const standby = world.tables.dump('keys').find(({ state }) => state === 'STANDBY')?.kid;
  await imported(world, WORKER, [], [{ asset: `kid:${RING}/${standby}`, class: wanted, how: 'h', since: 1 }]);
  await send(world);
  const caseId = metas(world)[0]?.caseId ?? '';
  await attempted(world, caseId);
  const answered = await decideBoth(world, caseId, 'accept');
  if (wanted === 'could-use') expect(answered).toMatchObject({ isDecided: true });
  else expect(answered).toMatchObject({ isDecided: false, counts: false, why: /could have been copied/ });
});

test('a case that people then give back takes its linked case with it', async () => {
  const world = await departureWorld(calmly);
  const caseId = await stuck(world);
  await decideBoth(world, caseId, 'accept');
  await attempted(world, caseId);
  const linked = linkedOf(world, caseId);
  world.clock.advance(60);
  expect(await approveAs(world, ONE, linked, 'give-back')).toMatchObject({
    counts: false,
    why: `it proves accepted items again: decide about case ${caseId}`,
  });
  await decideBoth(world, caseId, 'give-back');
  const back = metas(world).find(({ givesBack }) => givesBack === caseId)?.caseId ?? '';
  await attempted(world, back);
  world.clock.set((await metaOf(world, linked)).dueAt);
  await strike(world, 0);
  await tick(world.deps('ticker'));
  await attempted(world, linked);
  expect(await metaOf(world, linked)).toMatchObject({ state: 'CLOSED', givenBackAt: expect.any(Number) });
  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(true);
  world.clock.advance(3 * DAY);
  await strike(world, 0);
  for (const id of [caseId, back, linked]) check(world, id);
});

test('the linked case of somebody who was taken on again shuts nothing: it waits for people', async () => {
  const world = await departureWorld(calmly);
  const caseId = await stuck(world);
  await decideBoth(world, caseId, 'accept');
  await attempted(world, caseId);
  world.clock.advance(DAY);
  await strike(world, 0);
  await send(world, { id: 'msg_2', type: 'worker.rehired' });
  const linked = linkedOf(world, caseId);
  world.clock.set((await metaOf(world, linked)).dueAt);
  await strike(world, 0);
  await tick(world.deps('ticker'));
  expect(await attempted(world, linked)).toBe('WAITING');
});

test('killed at any effect of the decision, and of what follows, it ends the same', async () => {
  for (const mode of ['before', 'after'] as const)
    for (let n = first('acceptance killed'), died = true; died; n += EVERY) {
      const world = await departureWorld(calmly);
      const caseId = await stuck(world);
      const list = await beforeAccept(world, caseId);
      await approveAs(world, ONE, caseId, 'accept', list);
      world.faults.crashAt(n, mode);
      await approveAs(world, THREE, caseId, 'accept', list).catch(() => undefined);
      died = world.faults.crashed;
      world.faults.restart();
      // The approval itself may not have been kept: the person asks again.
      const asks = world.tables.dump('approvals').filter(({ pk }) => pk === `${caseId}#0`).length < 2;
      if (asks) await approveAs(world, THREE, caseId, 'accept', list);
      world.clock.advance(61);
      await tick(world.deps('ticker'));
      await lookAtApprovals(world);
      await decide({ caseId, question: 0 }, world.deps('decider'));
      const { attempt } = await metaOf(world, caseId);
      expect([attempt, world.workflow.started.has(`${caseId}.2`)]).toEqual([2, true]);
      expect(await attempted(world, caseId)).toBe('CLOSED WITH EXCEPTIONS');
      expect(metas(world).filter(({ provesAgain }) => provesAgain === caseId)).toHaveLength(1);
      expect(
        world.tables.dump('cases').filter(({ pk, sk }) => pk === 'DUE' && sk.endsWith(linkedOf(world, caseId))),
      ).toHaveLength(1);
      expect(world.tables.dump('approvals').filter(({ pk }) => pk === 'PENDING')).toEqual([]);
      const ids = evidence(world).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      check(world, caseId);
    }
}, 120_000);

test('a linked case that is killed at any effect ends the same', async () => {
  for (const mode of ['before', 'after'] as const)
    for (let n = first('linked case killed'); ; n += EVERY) {
      const world = await departureWorld(calmly);
      const caseId = await stuck(world, []);
      await decideBoth(world, caseId, 'accept');
      await attempted(world, caseId);
      const linked = linkedOf(world, caseId);
      world.clock.set((await metaOf(world, linked)).dueAt);
      await strike(world, 0);
      await tick(world.deps('ticker'));
      const deaths = dyingAt(world, n, mode);
      await expect(execute(world, linked, 1, deaths.via)).rejects.toMatchObject({ code: 'ERR_NOT_PROVED' });
      expect((await itemsOf(world, linked)).map(({ item, state }) => [item.kind, state])).toEqual([
        ['unplannable', 'PLANNED'],
      ]);
      const ids = evidence(world).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      check(world, caseId);
      if (deaths.killed === 0) break;
    }
}, 120_000);
