import { openQuestion, shownState } from '../../lib/domain/cases/case';
import { FIRST_LOOK_SECONDS } from '../../lib/domain/cases/recheck';
/** One departure from the webhook to the seal, with the real Lambdas under their own rights; then with every step killed. */

import { createHmac } from 'node:crypto';
import { receiveWebhook } from '../../lambdas/intake';
import { importPeople } from '../../lambdas/people-import';
import { prove } from '../../lambdas/prover';
import { tick } from '../../lambdas/ticker';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import type { World } from '../../lib/local/world';
import { LOOK_AGAIN_SECONDS } from '../../lib/work/cases/start-case';
import { extent } from '../support/extent';
import { seedFor } from '../support/seeded';
import { expectDeparted, expectEvidence, outstanding, theOneCase } from './departed';
import {
  BAMBOO_SECRET,
  departureWorld,
  drainOutboxes,
  dyingAt,
  execute,
  foldInbox,
  metaOf,
  metas,
  outbox,
  send,
  WORKER,
} from './departure-world';
import { RING, ringOf, verifierOf } from './signing-world';

test('a departure: contained, planned, acted on, proved, closed and sealed', async () => {
  const world = await departureWorld();
  const before = await outstanding(world);
  const accepted = await (await verifierOf(world)).verify(before.forged);
  expect(accepted.claims.sub).toBe('nobody-at-all'); // the breach is real

  const caseId = await theOneCase(world);
  expect([...world.workflow.started.keys()]).toEqual([`${caseId}.1`]);
  await execute(world, caseId, 1);

  await expectDeparted(world, caseId, before);
  const records = await expectEvidence(world, caseId);
  expect(
    records
      .map(({ id }) => id.slice(caseId.length + 1))
      .filter((name) => name.startsWith('item') && !name.endsWith('proved'))
      .sort(),
  ).toEqual([
    'item/01/contained',
    'item/02/contained',
    'item/03/contained',
    'item/04/contained',
    'item/05/contained',
    'item/06/done',
    'item/07/done',
    'item/08/done',
    'item/09/done',
  ]);
  expect(world.events.said.map(({ detailType }) => detailType)).toEqual(
    expect.arrayContaining(['CaseOpened', 'CaseContained', 'CaseClosed']),
  );
});

test.each(['key.tainted', 'wave.completed', 'key.denied'])(
  'a case is not sealed while a %s that it owes was never written',
  async (type) => {
    const world = await departureWorld();
    const caseId = await theOneCase(world);
    let kid: unknown;
    const sealing = execute(world, caseId, 1, async (request, run) => {
      if (request.step !== 'seal') return run();
      // As if the act had not been recorded; what else was, is in the log by now.
      const lost = world.tables
        .dump('keys')
        .find(({ sk, record }) => sk.startsWith('OUT#') && (record as unknown as EvidenceRecord).type === type);
      if (!lost) throw new Error(`no ${type}`);
      kid = (lost.record as unknown as EvidenceRecord).body.kid;
      await world.tables.transact([{ kind: 'delete', table: 'keys', key: { pk: lost.pk, sk: lost.sk } }]);
      return run();
    });
    await expect(sealing).rejects.toMatchObject({
      code: 'ERR_EVIDENCE_INCOMPLETE',
      message: `case ${caseId} has records that are not in the tree yet`,
    });
    await expect(sealing).rejects.toMatchObject({ got: [`${type} of ${kid}`] });
  },
);

test('records and payloads name nobody: no worker id, user name, ARN or access key in clear', async () => {
  const world = await departureWorld();
  await outstanding(world);
  const payloads: unknown[] = [];
  const caseId = await theOneCase(world);
  const answers = await execute(world, caseId, 1, async (request, run) => {
    payloads.push(request);
    const answer = await run();
    payloads.push(answer);
    return answer;
  });
  const said = JSON.stringify([outbox(world), world.events.said, payloads, answers]);
  for (const secret of [WORKER, 'mallory', 'arn:', 'laptop']) expect(said).not.toContain(secret);
  // As a word: a digest may spell four letters.
  expect(said).not.toMatch(/\bAKIA\d\b/);

  const { pseudonym } = await metaOf(world, caseId);
  const contained = outbox(world).find(({ id }) => id === `${caseId}/item/04/contained`);
  const opened = await world.sealer.open(pseudonym, `${contained?.id}#sealed`, contained?.body.sealed as string);
  expect(JSON.parse(opened)).toEqual({
    arn: 'arn:aws:iam::000000000000:user/mallory',
    userName: 'mallory',
    accessKeyId: 'AKIA2',
  });
});

test('a statement that nobody confirmed is held: what can be undone is done, and the key that could have been copied is ended', async () => {
  const world = await departureWorld();
  const body = JSON.stringify({
    employees: [
      { id: WORKER, fields: { Status: { value: 'Inactive' }, 'Employment Status: Date': { value: '2026-11-30' } } },
    ],
  });
  const at = world.clock.now();
  const signature = createHmac('sha256', BAMBOO_SECRET).update(`${body}${at}`).digest('hex');
  const headers = { 'x-bamboohr-timestamp': String(at), 'x-bamboohr-signature': signature };
  await receiveWebhook(
    { pathParameters: { source: 'bamboo' }, headers, body, isBase64Encoded: false },
    world.deps('intake'),
  );
  await foldInbox(world);
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);

  const held = await metaOf(world, caseId);
  expect([shownState(held), openQuestion(held)?.reasons]).toEqual(['HELD', ['long-ago', 'unconfirmed']]);
  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);
  expect(await world.iam.hasLoginProfile('mallory')).toBe(true);
  // A key that could have been copied does not wait for people; the one that issues does.
  const { keys } = await ringOf(world);
  expect(keys.filter(({ state }) => state === 'DENIED').map(({ kind }) => kind)).toEqual(['legacy']);
  expect(outbox(world).filter(({ type }) => type === 'case.held')).toMatchObject([{ body: { question: 1 } }]);
});

test('a transfer ends custody and leaves the access of the worker alone', async () => {
  const world = await departureWorld();
  await send(world, { type: 'worker.transferred' });
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  expect((await metaOf(world, caseId)).state).toBe('CLOSED');
  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(true);
  expect(await world.iam.hasLoginProfile('mallory')).toBe(true);
  expect((await ringOf(world)).keys.filter(({ state }) => state === 'DENIED')).toHaveLength(2);
});

test('a departure of someone with nothing to end closes at once, and waits for no wave', async () => {
  const world = await departureWorld();
  const workers = [{ workerId: 'W-1', principals: [], exposures: [] }];
  await importPeople({ workers }, world.deps('people-import'), 'AIDAIMPORTER0001');
  await send(world, { workerId: 'W-1' });
  const caseId = metas(world)[0]?.caseId ?? '';
  const at = world.clock.now();
  await execute(world, caseId, 1);
  expect(await metaOf(world, caseId)).toMatchObject({ state: 'CLOSED', closedAt: at + FIRST_LOOK_SECONDS });
  await expectEvidence(world, caseId);
});

test('the linked case rotates the ring a second time, when every session alive at containment has expired', async () => {
  const world = await departureWorld();
  const caseId = await theOneCase(world);
  await execute(world, caseId, 1);
  const { followUp = '' } = await metaOf(world, caseId);
  const active = (await ringOf(world)).activeKid;

  expect((await tick(world.deps('ticker'))).started).toBe(0);
  world.clock.set((await metaOf(world, followUp)).dueAt);
  await tick(world.deps('ticker'));
  expect(await metaOf(world, followUp)).toMatchObject({ state: 'CONTAINING', attempt: 1 });
  expect(await metaOf(world, caseId)).toMatchObject({ state: 'CLOSED', attempt: 1 });
  // The second STANDBY took the place of the first; the rotator births and publishes the next ones at its own ticks.
  await execute(world, followUp, 1);

  const ring = await ringOf(world);
  expect(ring.keys.find(({ kid }) => kid === active)?.state).toBe('DENIED');
  const closed = await metaOf(world, followUp);
  expect([closed.state, closed.followUp]).toEqual(['CLOSED', undefined]);
  expect(metas(world)).toHaveLength(2);
  await expectEvidence(world, followUp);
});

describe('an attempt that ended without closing its case', () => {
  const dueMarkers = (world: World, caseId: string) =>
    world.tables.dump('cases').filter((item) => item.pk === 'DUE' && item.caseId === caseId);

  test('is followed by another, which does the rest', async () => {
    const world = await departureWorld();
    const caseId = await theOneCase(world);
    const failing = execute(world, caseId, 1, (request, run) =>
      request.step === 'disable-old' ? Promise.reject(new Error('KMS is down')) : run(),
    );
    await expect(failing).rejects.toThrow('KMS is down');
    world.workflow.end(`${caseId}.1`);

    world.clock.advance(LOOK_AGAIN_SECONDS);
    await tick(world.deps('ticker'));
    expect((await metaOf(world, caseId)).attempt).toBe(2);
    expect([...world.workflow.started.keys()]).toEqual([`${caseId}.1`, `${caseId}.2`]);

    await execute(world, caseId, 2);
    expect((await metaOf(world, caseId)).state).toBe('CLOSED');
    await expectEvidence(world, caseId);
    world.clock.advance(2 * LOOK_AGAIN_SECONDS);
    await tick(world.deps('ticker'));
    expect(dueMarkers(world, caseId)).toEqual([]);
  });

  test('is followed by another also when only the seal is missing', async () => {
    const world = await departureWorld();
    const caseId = await theOneCase(world);
    const failing = execute(world, caseId, 1, (request, run) =>
      request.step === 'seal' ? Promise.reject(new Error('the outbox is late')) : run(),
    );
    await expect(failing).rejects.toThrow('the outbox is late');
    world.workflow.end(`${caseId}.1`);
    expect(await metaOf(world, caseId)).toMatchObject({ state: 'CLOSED', attempt: 1 });

    world.clock.advance(LOOK_AGAIN_SECONDS);
    await tick(world.deps('ticker'));
    const ring = await ringOf(world);
    await execute(world, caseId, 2);
    expect((await metaOf(world, caseId)).sealedAt).toBeDefined();
    expect((await ringOf(world)).keys).toEqual(ring.keys);
    await expectEvidence(world, caseId);
  });

  test('is followed ever more rarely', async () => {
    const world = await departureWorld();
    const caseId = await theOneCase(world);
    const pauses = [];
    for (let n = 1; n <= 10; n++) {
      world.workflow.end(`${caseId}.${n}`);
      const [marker] = dueMarkers(world, caseId);
      const at = Number(marker?.sk.slice(0, 12));
      pauses.push(at - world.clock.now());
      world.clock.set(at);
      await tick(world.deps('ticker'));
    }
    expect(pauses).toEqual([900, 1800, 3600, 7200, 14_400, 28_800, 57_600, 86_400, 86_400, 86_400]);
  });

  test('is not followed while it runs, however long it waits for holders', async () => {
    const world = await departureWorld();
    const caseId = await theOneCase(world);
    for (let n = 0; n < 5; n++) {
      world.clock.advance(LOOK_AGAIN_SECONDS);
      await tick(world.deps('ticker'));
    }
    expect((await metaOf(world, caseId)).attempt).toBe(1);
    expect(world.workflow.started.size).toBe(1);
    expect(dueMarkers(world, caseId)).toHaveLength(1);
  });
});

test('an item that is not proved keeps the case open and names itself; nothing else is held up', async () => {
  const world = await departureWorld();
  const caseId = await theOneCase(world);
  const undo = execute(world, caseId, 1, (request, run) => {
    if (request.step === 'prove' && request.nn === '03') world.iam.reactivateAccessKey('mallory', 'AKIA1');
    return run();
  });
  await expect(undo).rejects.toMatchObject({ code: 'ERR_NOT_PROVED', got: ['03 access-key PLANNED'] });
  expect((await metaOf(world, caseId)).state).toBe('PROVING');
  expect(outbox(world).some(({ type }) => type === 'case.closed')).toBe(false);
  await expect(prove({ caseId, attempt: 1, step: 'prove', nn: '03' }, world.deps('prover'))).rejects.toMatchObject({
    code: 'ERR_NOT_PROVED',
    got: 'PLANNED',
  });
});

test('an execution that runs again after the close finds everything done: no key is enabled, nothing is written', async () => {
  const world = await departureWorld();
  const before = await outstanding(world);
  const caseId = await theOneCase(world);
  await execute(world, caseId, 1);
  const stores = ['cases', 'keys', 'ledger', 'log', 'people', 'inbox'] as const;
  const dump = () => stores.map((table) => world.tables.dump(table));
  await drainOutboxes(world);
  const [then, denied] = [dump(), (await ringOf(world)).keys.filter(({ state }) => state === 'DENIED')];

  await execute(world, caseId, 1);
  expect(dump()).toEqual(then);
  expect((await ringOf(world)).keys.filter(({ state }) => state === 'DENIED')).toEqual(denied);
  await expectDeparted(world, caseId, before);
});

test('a step of an attempt that has been taken over is refused', async () => {
  const world = await departureWorld();
  const caseId = await theOneCase(world);
  await expect(execute(world, caseId, 2)).rejects.toMatchObject({
    code: 'ERR_CASE_STATE',
    message: `case ${caseId} is at attempt 1`,
  });
});

test.each([
  [{ workers: [] }, 'workers: too_small'],
  [{ workers: [{ workerId: 'W-1', principals: [], exposures: [], name: 'x' }] }, 'workers.0: unrecognized_keys'],
  [
    { workers: [{ workerId: 'W-1', principals: [{ type: 'iam-user', arn: 'mallory' }], exposures: [] }] },
    'workers.0.principals.0.arn: invalid_format',
  ],
  [
    {
      workers: [
        {
          workerId: 'W-1',
          principals: [],
          exposures: [{ asset: 'secret:db', class: 'could-use', how: 'x', since: 1 }],
        },
      ],
    },
    'workers.0.exposures.0.asset: invalid_format',
  ],
  [
    {
      workers: [
        { workerId: 'W-1', principals: [], exposures: [{ asset: `ring:${RING}`, class: 'owns', how: 'x', since: 1 }] },
      ],
    },
    'workers.0.exposures.0.class: invalid_value',
  ],
])('%# an import of another shape is refused by the place, and the value is not echoed', async (given, message) => {
  const world = await departureWorld();
  const people = world.tables.dump('people');
  await expect(importPeople(given, world.deps('people-import'), 'AIDAIMPORTER0001')).rejects.toMatchObject({
    code: 'ERR_INPUT_INVALID',
    message,
  });
  expect(world.tables.dump('people')).toEqual(people);
});

describe('killed at any effect and replayed', () => {
  /** Every step of one departure dies once, at its n-th effect, and is run again. Answers how many had so many effects. */
  async function departureKilledAt(n: number, mode: 'before' | 'after'): Promise<number> {
    const world = await departureWorld();
    const before = await outstanding(world);
    const caseId = await theOneCase(world);
    const deaths = dyingAt(world, n, mode);
    await execute(world, caseId, 1, deaths.via);
    await drainOutboxes(world);
    await expectDeparted(world, caseId, before);
    await expectEvidence(world, caseId);
    return deaths.killed;
  }

  test.each(['before', 'after'] as const)(
    '%s it: the same postconditions, no double effect, complete evidence',
    async (mode) => {
      let killed = 0;
      // By day at every eighth effect, which by the seed: `npm run verify:all` dies at each.
      const step = extent(8, 1);
      for (let n = 1 + (seedFor('killed') % step); ; n += step) {
        const now = await departureKilledAt(n, mode);
        killed += now;
        if (now === 0) break;
      }
      // With a step of eight, the last effects of the longest step may fall between two of them.
      expect(killed).toBeGreaterThan(80 / step);
    },
    120_000,
  );
});
