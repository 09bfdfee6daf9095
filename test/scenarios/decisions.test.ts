/** What two people decide about a case, and what nobody else can. */

import { importPeople } from '../../lambdas/people-import';
import { tick } from '../../lambdas/ticker';
import { checkManifest } from '../../lib/domain/audit/manifest';
import { openQuestion, shownState } from '../../lib/domain/cases/case';
import { CASE_ITEM } from '../../lib/domain/store/case-items';
import { put } from '../../lib/domain/store/entity';
import { IMPORT } from '../../lib/domain/store/people';
import type { Row } from '../../lib/domain/store/table';
import { extent } from '../support/extent';
import { seedFor } from '../support/seeded';
import { APPROVERS, approveAs, before, decideBoth } from './approvers';
import { outstanding } from './departed';
import {
  allRecords,
  type DepartureWorld,
  departureWorld,
  drainOutboxes,
  dyingAt,
  execute,
  metaOf,
  metas,
  outbox,
  send,
  WORKER,
} from './departure-world';
import { calmly, issueTo, ringOf, verifierOf } from './signing-world';

const DAY = 86_400;
const [ONE, TWO, THREE] = APPROVERS.map(({ identity }) => identity);
let told = 0;
const tell = (world: DepartureWorld, said = {}) => send(world, { id: `said_${++told}`, ...said });

/** A departure that one source alone says, which has to be confirmed. */
async function held(world: DepartureWorld): Promise<string> {
  await tell(world, { source: 'payroll' });
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  expect(shownState(await metaOf(world, caseId))).toBe('HELD');
  return caseId;
}

async function goesOn(world: DepartureWorld, caseId: string): Promise<void> {
  const { attempt } = await metaOf(world, caseId);
  expect(world.workflow.started.has(`${caseId}.${attempt}`)).toBe(true);
  await execute(world, caseId, attempt);
}

const records = (world: DepartureWorld, caseId: string) => outbox(world).filter((record) => record.case === caseId);

test('F-A10: two approvers let a held case go on; it closes, and the evidence says who decided', async () => {
  const world = await departureWorld(calmly);
  const caseId = await held(world);
  expect(await approveAs(world, ONE, caseId, 'go-on')).toMatchObject({ status: 202, counts: true, isDecided: false });
  expect(await approveAs(world, TWO, caseId, 'go-on')).toMatchObject({ status: 202, counts: true, isDecided: true });
  await goesOn(world, caseId);
  expect(await metaOf(world, caseId)).toMatchObject({ state: 'CLOSED', questions: [{ endedBy: 'go-on' }] });
  const types = records(world, caseId).map(({ type }) => type);
  expect(types.filter((type) => /asked|held|approved|went-on/.test(type)).sort()).toEqual([
    'case.approved',
    'case.approved',
    'case.asked',
    'case.held',
    'case.went-on',
  ]);
  await drainOutboxes(world);
  const all = allRecords(world) as ReturnType<typeof outbox>;
  expect(checkManifest(all, caseId).expected).toBeGreaterThan(10);
  for (const by of ['time', 'operator', undefined]) {
    const bent = all.map((one) => (one.type === 'case.went-on' ? { ...one, body: { ...one.body, by } } : one));
    expect(() => checkManifest(bent, caseId)).toThrow('neither people nor the sources ended the question');
  }
  expect(JSON.stringify(records(world, caseId))).not.toMatch(/W-000\d|AIDA|AROA|CHG-12/);
});

test.each<[string, (world: DepartureWorld, caseId: string) => Promise<unknown>]>([
  [
    'one person twice',
    async (world, id) => [await approveAs(world, ONE, id, 'go-on'), await approveAs(world, ONE, id, 'go-on')],
  ],
  [
    'one person under another role',
    async (world, id) => [
      await approveAs(world, ONE, id, 'go-on'),
      await approveAs(world, 'AROAOTHERROLE000:kim', id, 'go-on'),
    ],
  ],
  [
    'a role session of a chosen name',
    async (world, id) => [
      await approveAs(world, ONE, id, 'go-on'),
      await approveAs(world, 'AROAAPPROVERTWO2:lee', id, 'go-on'),
    ],
  ],
  [
    'nobody who signed',
    async (world, id) => [await approveAs(world, ONE, id, 'go-on'), await approveAs(world, undefined, id, 'go-on')],
  ],
  [
    'the root user',
    async (world, id) => [
      await approveAs(world, ONE, id, 'go-on'),
      await approveAs(world, '000000000000', id, 'go-on'),
    ],
  ],
  [
    'two decisions',
    async (world, id) => [await approveAs(world, ONE, id, 'go-on'), await approveAs(world, TWO, id, 'give-back')],
  ],
  [
    'a digest of yesterday',
    async (world, id) => [
      await approveAs(world, ONE, id, 'go-on'),
      await approveAs(world, TWO, id, 'go-on', { about: 'x'.repeat(43) }),
    ],
  ],
  [
    'another question',
    async (world, id) => [
      await approveAs(world, ONE, id, 'go-on'),
      await approveAs(world, TWO, id, 'go-on', { question: 2 }),
    ],
  ],
  [
    'a second after eight days',
    async (world, id) => [
      await approveAs(world, ONE, id, 'go-on'),
      world.clock.advance(8 * DAY),
      await approveAs(world, TWO, id, 'go-on'),
    ],
  ],
  [
    'an approver who is leaving',
    async (world, id) => [
      await tell(world, { workerId: 'W-0002', effectiveAt: world.clock.now() + 20 * DAY }),
      await approveAs(world, ONE, id, 'go-on'),
      await approveAs(world, TWO, id, 'go-on'),
    ],
  ],
  [
    'an approver who has changed what is known of the leaver',
    async (world, id) => [
      await world.tables.transact([
        put(IMPORT, [WORKER, world.clock.now(), TWO ?? ''], { at: world.clock.now(), by: TWO ?? '' }),
      ]),
      await approveAs(world, ONE, id, 'go-on'),
      await approveAs(world, TWO, id, 'go-on'),
    ],
  ],
])('a held case does not go on by %s', async (_who, attempt) => {
  const world = await departureWorld(calmly);
  const caseId = await held(world);
  const { attempt: before } = await metaOf(world, caseId);
  await attempt(world, caseId);
  const meta = await metaOf(world, caseId);
  expect([shownState(meta), meta.attempt, openQuestion(meta)?.n]).toEqual(['HELD', before, 1]);
  expect(records(world, caseId).filter(({ type }) => type === 'case.approved')).toEqual([]);
});

test('nor by the leaver, who is an approver as well', async () => {
  const approvers = [...APPROVERS, { workerId: WORKER, identity: 'AIDALEAVER000001' }];
  const world = await departureWorld((options) => calmly({ ...options, config: { approvers } }));
  const caseId = await held(world);
  await approveAs(world, ONE, caseId, 'go-on');
  expect(await approveAs(world, 'AIDALEAVER000001', caseId, 'go-on')).toMatchObject({
    isDecided: false,
    counts: false,
    why: 'the case is about them',
  });
});

test('an importer is known by who signed the import', async () => {
  const world = await departureWorld(calmly);
  const workers = [{ workerId: WORKER, principals: [], exposures: [] }];
  await importPeople({ workers }, world.deps('people-import'), THREE ?? '');
  const caseId = await held(world);
  await approveAs(world, ONE, caseId, 'go-on');
  expect(await approveAs(world, THREE, caseId, 'go-on')).toMatchObject({ isDecided: false, counts: false });
  expect(await approveAs(world, TWO, caseId, 'go-on')).toMatchObject({ isDecided: true });
});

test('an approval whose Lambda died is looked at by the ticker', async () => {
  const world = await departureWorld(calmly);
  const caseId = await held(world);
  await approveAs(world, ONE, caseId, 'go-on');
  world.faults.crashAt(2, 'before');
  await expect(approveAs(world, TWO, caseId, 'go-on')).rejects.toThrow();
  world.faults.restart();
  expect(shownState(await metaOf(world, caseId))).toBe('HELD');
  world.clock.advance(61);
  await tick(world.deps('ticker'));
  expect(openQuestion(await metaOf(world, caseId))).toBeUndefined();
});

/** What the leaver's access is like: for comparison before and after. */
async function photo(world: DepartureWorld) {
  return {
    keys: await world.iam.accessKeys('mallory'),
    user: await world.iam.user('mallory'),
    policies: await world.iam.attachedPolicyArns('mallory'),
    kms: await world.kms
      .disablerFor('arn:aws:iam::000000000000:role/curfew-test-disabler')
      .describe(world.personalKeyArn),
    mayAct: world.iam.mayAct('mallory', 'AKIA1'),
  };
}

async function giveBack(world: DepartureWorld, caseId: string): Promise<string> {
  expect(await decideBoth(world, caseId, 'give-back')).toMatchObject({ isDecided: true });
  const parent = await metaOf(world, caseId);
  if (parent.state !== 'CLOSED') await execute(world, caseId, parent.attempt);
  const back = metas(world).find(({ givesBack }) => givesBack === caseId);
  if (!back) throw new Error('no give-back began');
  await execute(world, back.caseId, back.attempt);
  return back.caseId;
}

test.each(['HELD', 'CLOSED'])(
  'F-A1, F-A9b: given back while %s, everything works again; the next departure refuses it all',
  async (when) => {
    const world = await departureWorld(calmly);
    const asBefore = await photo(world);
    const token = await issueTo(world, 'mallory');
    if (when === 'HELD') await held(world);
    else await tell(world);
    const caseId = metas(world)[0]?.caseId ?? '';
    await execute(world, caseId, 1);
    expect((await metaOf(world, caseId)).state).toBe(when === 'CLOSED' ? 'CLOSED' : 'PROVING');
    expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);

    const back = await giveBack(world, caseId);
    expect(await metaOf(world, back)).toMatchObject({ state: 'CLOSED', givesBack: caseId });
    expect(await metaOf(world, caseId)).toMatchObject({ state: 'CLOSED', givenBackAt: expect.any(Number) });
    expect(await photo(world)).toEqual(asBefore);
    world.clock.advance(60);
    const verifier = await verifierOf(world);
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_TOKEN/) });
    expect((await verifier.verify(await issueTo(world, 'mallory'))).claims.sub).toBe('mallory');
    expect(world.tables.dump('cases').filter(({ sk }) => sk.startsWith('SHUT#'))).toEqual([]);
    await drainOutboxes(world);
    expect(checkManifest(allRecords(world), caseId).expected).toBeGreaterThan(2);
    expect(checkManifest(allRecords(world), back).expected).toBeGreaterThan(8);

    world.clock.advance(7 * DAY);
    await tell(world);
    const second = metas(world).find(({ number, givesBack }) => number === 2 && givesBack === undefined);
    await execute(world, second?.caseId ?? '', 1);
    expect((await photo(world)).mayAct).toBe(false);
    expect((await photo(world)).kms.state).toBe('Disabled');
    await expect(issueTo(world, 'mallory')).rejects.toMatchObject({ code: 'ERR_SUBJECT_BLOCKED' });
  },
);

test('a verifier that polls through a give-back refuses no good token', async () => {
  const world = await departureWorld(calmly);
  const verifier = await verifierOf(world);
  const others = await outstanding(world);
  await tell(world, { source: 'payroll' });
  const caseId = metas(world)[0]?.caseId ?? '';
  const asks = async () => verifier.verify(others.tokens.at(-1) ?? '');
  await execute(world, caseId, 1, async (_request, run) => {
    const answer = await run();
    await asks();
    return answer;
  });
  await decideBoth(world, caseId, 'give-back');
  const back = metas(world).find(({ givesBack }) => givesBack === caseId);
  await execute(world, back?.caseId ?? '', 1, async (_request, run) => {
    const answer = await run();
    world.clock.advance(6);
    await asks();
    return answer;
  });
  world.clock.advance(20);
  expect((await verifier.verify(await issueTo(world, 'mallory'))).claims.sub).toBe('mallory');
});

test('what was shut before the departure stays shut', async () => {
  const world = await departureWorld(calmly);
  await world.iam.deactivateAccessKey('mallory', 'AKIA2');
  await held(world);
  const caseId = metas(world)[0]?.caseId ?? '';
  await giveBack(world, caseId);
  expect(await world.iam.accessKeys('mallory')).toEqual([
    { accessKeyId: 'AKIA1', status: 'Active' },
    { accessKeyId: 'AKIA2', status: 'Inactive' },
  ]);
});

test('a departure that becomes due while another is given back contains, and the give-back opens nothing more', async () => {
  const world = await departureWorld(calmly);
  const caseId = await held(world);
  await decideBoth(world, caseId, 'give-back');
  const back = metas(world).find(({ givesBack }) => givesBack === caseId)?.caseId ?? '';
  await execute(world, caseId, 2);
  let opened = 0;
  await execute(world, back, 1, async ({ step }, run) => {
    const answer = await run();
    if (step === 'item' && ++opened === 2) {
      world.clock.advance(1);
      await tell(world);
      const second = metas(world).find(({ number }) => number === 2)?.caseId ?? '';
      await execute(world, second, 1);
    }
    return answer;
  });
  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);
  expect(await metaOf(world, back)).toMatchObject({ state: 'CLOSED' });
  expect(records(world, back).find(({ type }) => type === 'case.closed')?.body.open).toEqual(
    expect.arrayContaining(['04']),
  );
  expect(metas(world).find(({ number, followUpOf }) => number === 2 && followUpOf === undefined)).toMatchObject({
    state: 'CLOSED',
  });
});

test.each(['latch-release', 'key-enabler', 'subject-release'] as const)(
  '%s opens nothing without two approvals on record',
  async (name) => {
    const world = await departureWorld(calmly);
    const caseId = await held(world);
    const requests = {
      'latch-release': { userName: 'mallory', caseId },
      'key-enabler': { op: 'activate-access-key', userName: 'mallory', accessKeyId: 'AKIA1', caseId },
      'subject-release': { ring: 'customer-api', subjects: [{ type: 'sub', value: 'mallory' }], caseId },
    } as const;
    const invoke = () => world.deps('conductor').functions.invoke(name, requests[name] as never);
    await expect(invoke()).rejects.toMatchObject({ code: 'ERR_NOT_APPROVED' });
    await decideBoth(world, caseId, 'give-back');
    const back = metas(world).find(({ givesBack }) => givesBack === caseId)?.caseId ?? '';
    const approvals = world.tables.dump('approvals').filter(({ pk }) => pk !== 'PENDING');
    await world.tables.transact(
      approvals
        .slice(1)
        .map(({ pk, sk }) => ({ kind: 'delete' as const, table: 'approvals' as const, key: { pk, sk } })),
    );
    await expect(
      world.deps('conductor').functions.invoke(name, { ...requests[name], caseId: back } as never),
    ).rejects.toMatchObject({ code: 'ERR_NOT_APPROVED' });
    expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);
    expect(await before(world, caseId, 'go-on')).toMatchObject({ question: 0 });
  },
);

test('a give-back killed anywhere ends the same: open, recorded once, and its evidence whole', async () => {
  // By day at every twelfth effect, which by the seed.
  for (const mode of ['before', 'after'] as const)
    for (let n = 1 + (seedFor('give-back killed') % extent(12, 1)); ; n += extent(12, 1)) {
      const world = await departureWorld(calmly);
      const caseId = await held(world);
      await decideBoth(world, caseId, 'give-back');
      const back = metas(world).find(({ givesBack }) => givesBack === caseId)?.caseId ?? '';
      const deaths = dyingAt(world, n, mode);
      await execute(world, back, 1, deaths.via);
      expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(true);
      expect(await metaOf(world, back)).toMatchObject({ state: 'CLOSED' });
      const items = await world.tables.parsed.query(CASE_ITEM.in(back));
      expect(items.every(({ state }) => state === 'PROVED')).toBe(true);
      const ids = records(world, back).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(checkManifest(allRecords(world), back).expected).toBe(ids.length);
      if (deaths.killed === 0) break;
    }
}, 120_000);

test('people are told of cases that wait for them, and of those that take too long', async () => {
  const world = await departureWorld(calmly);
  const figures = () => world.metrics.kept.slice(-4).map(({ name, value }) => [name, value]);
  await tick(world.deps('ticker'));
  expect(figures()).toEqual([
    ['HeldCases', 0],
    ['WaitingCases', 0],
    ['OpenCaseAge', 0],
    ['RecheckAge', 0],
  ]);
  await held(world);
  await tell(world, { workerId: 'W-5' });
  const unknown = metas(world).find(({ workerId }) => workerId === 'W-5')?.caseId ?? '';
  await execute(world, unknown, 1);
  await tell(world, { workerId: 'W-1', type: 'worker.transferred' });
  world.clock.advance(600);
  await tick(world.deps('ticker'));
  expect(figures()).toEqual([
    ['HeldCases', 1],
    ['WaitingCases', 1],
    ['OpenCaseAge', expect.any(Number)],
    ['RecheckAge', expect.any(Number)],
  ]);
  expect(Number(figures()[2]?.[1])).toBeGreaterThanOrEqual(600);
});

test('approvers are asked at once, after one hour, after four, then every day, and no more once it is decided', async () => {
  const world = await departureWorld(calmly);
  const caseId = await held(world);
  await drainOutboxes(world);
  const start = world.clock.now();
  const asked = () => world.events.said.filter(({ detailType }) => detailType === 'CaseAsked');
  const counts = () => asked().map(({ detail }) => detail.count);
  const minute = async (at: number) => {
    world.clock.set(start + at);
    await tick(world.deps('ticker'));
    // The next minute says nothing twice.
    world.clock.advance(60);
    await tick(world.deps('ticker'));
  };
  expect(counts()).toEqual([1]);
  for (const [at, told] of [
    [1800, 1],
    [3600, 2],
    [4 * 3600, 3],
    [4 * 3600 + DAY - 120, 3],
    [4 * 3600 + DAY, 4],
    // Nobody ticked for two days: once for all of them.
    [4 * 3600 + 3 * DAY, 6],
  ] as const) {
    await minute(at);
    expect(counts().at(-1)).toBe(told);
  }
  expect(counts()).toEqual([1, 2, 3, 4, 6]);
  const [{ detail } = { detail: {} }] = asked();
  expect(detail).toEqual({
    v: 1,
    id: caseId,
    question: 1,
    reasons: 'one source alone says so, and it has to be confirmed by a second one',
    count: 1,
  });
  expect(JSON.stringify(asked())).not.toContain(WORKER);
  await decideBoth(world, caseId, 'go-on');
  await minute(4 * 3600 + 9 * DAY);
  expect(counts()).toEqual([1, 2, 3, 4, 6]);
});

test('a key that was tainted is not given back', async () => {
  const world = await departureWorld(calmly);
  await tell(world);
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  await giveBack(world, caseId);
  expect((await ringOf(world)).keys.filter(({ state }) => state === 'DENIED')).toHaveLength(2);
  expect(await world.iam.hasLoginProfile('mallory')).toBe(false);
});

async function takeAway(world: DepartureWorld, table: 'cases' | 'cut-offs', isMeant: (row: Row) => boolean) {
  const rows = world.tables.dump(table).filter(isMeant);
  expect(rows.length).toBeGreaterThan(0);
  await world.tables.transact(rows.map(({ pk, sk }) => ({ kind: 'delete', table, key: { pk, sk } })));
}

describe('what an attacker found', () => {
  const giveBackOf = (world: DepartureWorld, caseId: string) =>
    metas(world).find(({ givesBack }) => givesBack === caseId)?.caseId ?? '';
  const shut = (world: DepartureWorld) => world.tables.dump('cases').filter(({ sk }) => sk.startsWith('SHUT#'));

  test('a suspension and an end, both given back: everything is open again', async () => {
    const world = await departureWorld(calmly);
    const asBefore = await photo(world);
    await tell(world, { type: 'worker.suspended' });
    const suspension = metas(world)[0]?.caseId ?? '';
    await execute(world, suspension, 1);
    world.clock.advance(DAY);
    await tell(world);
    const end = metas(world).find(({ act }) => act === 'end')?.caseId ?? '';
    await execute(world, end, 1);
    world.clock.advance(300);
    await giveBack(world, end);
    expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);
    await giveBack(world, suspension);
    expect([await photo(world), shut(world)]).toEqual([asBefore, []]);
  });

  test('what was found shut is not remembered beyond the give-back', async () => {
    const world = await departureWorld(calmly);
    await world.iam.deactivateAccessKey('mallory', 'AKIA2');
    await giveBack(world, await held(world));
    expect(shut(world)).toEqual([]);
    world.iam.reactivateAccessKey('mallory', 'AKIA2');
    world.clock.advance(DAY);
    await tell(world);
    const second = metas(world).find(({ number, givesBack }) => number === 2 && givesBack === undefined)?.caseId ?? '';
    await execute(world, second, 1);
    world.clock.advance(300);
    await giveBack(world, second);
    expect(world.iam.mayAct('mallory', 'AKIA2')).toBe(true);
  });

  test('one approver who gives their word once more after the decision does not stop the give-back', async () => {
    const world = await departureWorld(calmly);
    const caseId = await held(world);
    await decideBoth(world, caseId, 'give-back');
    world.clock.advance(90);
    await approveAs(world, ONE, caseId, 'give-back');
    await execute(world, giveBackOf(world, caseId), 1);
    expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(true);
  });

  test('a question about the first case stops its second rotation', async () => {
    const world = await departureWorld(calmly);
    await tell(world);
    const caseId = metas(world)[0]?.caseId ?? '';
    await execute(world, caseId, 1);
    world.clock.advance(60);
    await tell(world, { type: 'worker.rescinded', effectiveAt: world.clock.now() - 60 });
    expect(openQuestion(await metaOf(world, caseId))?.reasons).toEqual(['withdrawn:hr']);
    await drainOutboxes(world);
    expect(checkManifest(allRecords(world), caseId).expected).toBeGreaterThan(20);
    const { followUp = '' } = await metaOf(world, caseId);
    world.clock.set((await metaOf(world, followUp)).dueAt);
    await tick(world.deps('ticker'));
    const before = (await ringOf(world)).activeKid;
    await execute(world, followUp, 1);
    expect([(await ringOf(world)).activeKid, (await metaOf(world, followUp)).state]).toEqual([before, 'ACTING']);
    // Given back with its case, it closes, and its evidence is whole.
    await decideBoth(world, caseId, 'give-back');
    await execute(world, followUp, 1);
    expect((await metaOf(world, followUp)).state).toBe('CLOSED');
    await drainOutboxes(world);
    expect(checkManifest(allRecords(world), followUp).expected).toBe(3);
  });

  test('nothing is given back before the case is contained, and no give-back is given back', async () => {
    const world = await departureWorld(calmly);
    await tell(world, { source: 'payroll' });
    const caseId = metas(world)[0]?.caseId ?? '';
    expect(await approveAs(world, ONE, caseId, 'give-back')).toMatchObject({ counts: false, why: /not contained yet/ });
    await execute(world, caseId, 1);
    await giveBack(world, caseId);
    const back = giveBackOf(world, caseId);
    expect(await approveAs(world, ONE, back, 'give-back')).toMatchObject({ counts: false, why: /it is a give-back/ });
  });

  test('an opener opens nothing that the give-back has not claimed, of nobody else, and not later', async () => {
    const world = await departureWorld(calmly);
    const caseId = await held(world);
    await giveBack(world, caseId);
    const back = giveBackOf(world, caseId);
    await world.iam.deactivateAccessKey('colleague', 'AKIA3');
    await world.iam.deactivateAccessKey('mallory', 'AKIA1');
    for (const [userName, accessKeyId] of [
      ['colleague', 'AKIA3'],
      ['mallory', 'AKIA1'],
    ] as const)
      await expect(
        world.deps('conductor').functions.invoke('key-enabler', {
          op: 'activate-access-key',
          userName,
          accessKeyId,
          caseId: back,
        }),
      ).rejects.toMatchObject({ code: 'ERR_NOT_APPROVED' });
  });

  test('what a deleted user had is not given back, and the give-back ends', async () => {
    const world = await departureWorld(calmly);
    const caseId = await held(world);
    world.iam.removeUser('mallory');
    await giveBack(world, caseId);
    expect(await metaOf(world, giveBackOf(world, caseId))).toMatchObject({ state: 'CLOSED' });
  });

  test('an access key that is found Active again keeps the case open, and the next attempt shuts it', async () => {
    const world = await departureWorld(calmly);
    await tell(world);
    const caseId = metas(world)[0]?.caseId ?? '';
    const undone = execute(world, caseId, 1, async ({ step, nn }, run) => {
      if (step === 'prove' && nn === '03') world.iam.reactivateAccessKey('mallory', 'AKIA1');
      return run();
    });
    await expect(undone).rejects.toMatchObject({ code: 'ERR_NOT_PROVED' });
    await execute(world, caseId, 1);
    expect([(await metaOf(world, caseId)).state, world.iam.mayAct('mallory', 'AKIA1')]).toEqual(['CLOSED', false]);
    const ids = records(world, caseId).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('a departure cannot be made to owe less by records that say it was given back', async () => {
    const world = await departureWorld(calmly);
    await tell(world);
    const caseId = metas(world)[0]?.caseId ?? '';
    await execute(world, caseId, 1);
    const all = allRecords(world) as ReturnType<typeof outbox>;
    const kept = all.filter(({ id }) => [`${caseId}/opened`, `${caseId}/listed`, `${caseId}/closed`].includes(id));
    const lie = { v: 1, id: 'c-x/went-on/1', type: 'case.went-on', at: world.clock.now(), case: 'c-x' } as const;
    for (const body of [
      { question: 1, by: 'give-back', cases: [caseId] },
      { question: 1, by: 'give-back' },
    ])
      for (const named of ['c-x', caseId])
        expect(() => checkManifest([...kept, { ...lie, case: named, body }], caseId)).toThrow();
    const open = kept.map((record) =>
      record.type === 'case.closed' ? { ...record, body: { ...record.body, open: ['01', '02', '03'] } } : record,
    );
    expect(() => checkManifest(open, caseId)).toThrow();
  });

  test('a case that another row names, and that is gone, is no answer: nothing that rests on it goes on', async () => {
    const world = await departureWorld(calmly);
    await tell(world);
    const caseId = metas(world)[0]?.caseId ?? '';
    await execute(world, caseId, 1);
    const { followUp = '' } = await metaOf(world, caseId);
    world.clock.set((await metaOf(world, followUp)).dueAt);
    await tick(world.deps('ticker'));
    const before = (await ringOf(world)).activeKid;
    await takeAway(world, 'cases', ({ pk, sk }) => pk === `CASE#${caseId}` && sk === 'META');
    await expect(execute(world, followUp, 1)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND', got: caseId });
    expect((await ringOf(world)).activeKid).toBe(before);
    await expect(tell(world)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  test('a cut-off that is gone was not lifted: the give-back stays open', async () => {
    const world = await departureWorld(calmly);
    const caseId = await held(world);
    await decideBoth(world, caseId, 'give-back');
    await takeAway(world, 'cut-offs', ({ pk }) => pk.startsWith('CUT#'));
    await expect(execute(world, giveBackOf(world, caseId), 1)).rejects.toMatchObject({ code: 'ERR_NOT_PROVED' });
  });

  test('C7: an id that is composed otherwise in the import names the same worker', async () => {
    const world = await departureWorld(calmly);
    const arn = world.iam.addUser('jose', { accessKeyIds: ['AKIA9'] });
    const workers = [{ workerId: 'José'.normalize('NFD'), principals: [{ type: 'iam-user', arn }], exposures: [] }];
    await importPeople({ workers }, world.deps('people-import'), 'AIDAIMPORTER0001');
    await tell(world, { workerId: 'José'.normalize('NFC') });
    await execute(world, metas(world)[0]?.caseId ?? '', 1);
    expect(world.iam.mayAct('jose', 'AKIA9')).toBe(false);
  });
});
