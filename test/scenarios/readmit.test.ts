/** A worker whom HR has taken on again gets one subject back by two approvals, and nothing else. */
import { readmit } from '../../bin/commands/case-readmit';
import { approve } from '../../lambdas/approvals';
import { tick } from '../../lambdas/ticker';
import { checkManifest, checkOrder } from '../../lib/domain/audit/manifest';
import { readmissionOf, readmitAbout } from '../../lib/domain/cases/readmit';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { SHUT } from '../../lib/domain/store/worker';
import { loadWorker } from '../../lib/work/cases/worker';
import { APPROVERS, approveAs, decideBoth, lookAtApprovals } from './approvers';
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
import { calmly, issueTo, RING, verifierOf } from './signing-world';

const DAY = 86_400;
const [ONE, TWO] = APPROVERS.map(({ identity }) => identity);
const SUBJECT = `${RING}/mallory`;
let told = 0;
const tell = (world: DepartureWorld, said = {}) => send(world, { id: `said_${++told}`, ...said });
const rehire = (world: DepartureWorld, said = {}) => tell(world, { type: 'worker.rehired', ...said });

/** As `curfew case readmit`, by whoever signs. */
async function readmitAs(
  world: DepartureWorld,
  identity: string | undefined = ONE,
  subject = SUBJECT,
  worker = WORKER,
  isLookedAt = true,
) {
  const signed = {
    post: async (_path: string, body: object) => {
      const requestContext = { authorizer: { iam: { userId: identity } } };
      const request = { body: JSON.stringify(body), isBase64Encoded: false, requestContext };
      const { body: answer = '{}' } = await approve(request, world.deps('approvals'));
      if (isLookedAt) await lookAtApprovals(world);
      return { ...(JSON.parse(answer) as object) };
    },
  };
  const { json } = await readmit(
    { tables: world.tables.parsed, clock: world.clock, signed } as unknown as Parameters<typeof readmit>[0],
    worker,
    subject,
    'CHG-12',
  );
  return json as { readonly isDecided: boolean; readonly counts?: boolean; readonly why?: string };
}

/** A departure that is closed. */
async function departed(make = calmly): Promise<{ world: DepartureWorld; caseId: string }> {
  const world = await departureWorld(make);
  await tell(world);
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  await strike(world, DAY);
  return { world, caseId };
}

async function rehired(make = calmly) {
  const found = await departed(make);
  await rehire(found.world);
  return found;
}

const readmissions = (world: DepartureWorld) => metas(world).filter(({ readmits }) => readmits !== undefined);
const shut = (world: DepartureWorld) => world.tables.dump('cases').filter(({ sk }) => sk.startsWith('SHUT#'));
const isCutOff = ({ sk }: { readonly sk: string }) => sk.startsWith('SHUT#cut-off#');

async function readmitted(world: DepartureWorld): Promise<string> {
  expect(await readmitAs(world, ONE)).toMatchObject({ counts: true, isDecided: false });
  expect(await readmitAs(world, TWO)).toMatchObject({ counts: true, isDecided: true });
  const caseId = readmissions(world)[0]?.caseId ?? '';
  expect(world.workflow.started.has(`${caseId}.1`)).toBe(true);
  return caseId;
}

test('one subject is opened, for new tokens alone, and all else stays shut; the next departure shuts it again', async () => {
  const world = await departureWorld(calmly);
  const token = await issueTo(world, 'mallory');
  await tell(world);
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  await strike(world, DAY);
  await rehire(world);
  await expect(issueTo(world, 'mallory')).rejects.toBeDefined();
  const before = await metaOf(world, caseId);

  const id = await readmitted(world);
  await execute(world, id, 1);
  expect(await metaOf(world, id)).toMatchObject({ state: 'CLOSED', givesBack: caseId });
  world.clock.advance(60);
  const verifier = await verifierOf(world);
  expect((await verifier.verify(await issueTo(world, 'mallory'))).claims.sub).toBe('mallory');
  await expect(verifier.verify(token)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_TOKEN/) });
  expect(['AKIA1', 'AKIA2'].map((key) => world.iam.mayAct('mallory', key))).toEqual([false, false]);
  expect(shut(world).length).toBeGreaterThan(3);
  expect(shut(world).filter(isCutOff)).toEqual([]);
  expect(await metaOf(world, caseId)).toEqual(before);
  await drainOutboxes(world);
  for (const each of [id, caseId]) {
    expect(checkManifest(allRecords(world), each).expected).toBeGreaterThan(7);
    checkOrder(allRecords(world), each);
  }

  world.clock.advance(DAY);
  await strike(world, 0);
  await tell(world);
  const second = metas(world).find(({ number, givesBack, followUpOf }) => number === 2 && !givesBack && !followUpOf);
  await execute(world, second?.caseId ?? '', 1);
  await expect(issueTo(world, 'mallory')).rejects.toBeDefined();
  // The rest is given back as ever.
  await decideBoth(world, second?.caseId ?? '', 'give-back');
});

test.each<[string, RegExp, (world: DepartureWorld) => Promise<unknown>]>([
  ['whom HR has not taken on again', /HR has not said/, async () => undefined],
  ['who is taken on tomorrow', /HR has not said/, (world) => rehire(world, { effectiveAt: world.clock.now() + DAY })],
  [
    'who departs again',
    /the worker departs again|is not closed|HR has not said/,
    async (world) => {
      await rehire(world);
      world.clock.advance(60);
      await tell(world);
    },
  ],
])('a worker %s is not readmitted, whoever asks', async (_who, why, before) => {
  const { world, caseId } = await departed();
  await before(world);
  await expect(readmitAs(world)).rejects.toMatchObject({ code: 'ERR_CASE_STATE', message: expect.stringMatching(why) });
  // Nor past the command.
  const { about } = await digestOf(world);
  for (const by of [ONE, TWO])
    expect(await approveAs(world, by, caseId, 'readmit', { about, question: 0 })).toMatchObject({ counts: false });
  expect(readmissions(world)).toEqual([]);
});

/** What approvals would have to name. */
async function digestOf(world: DepartureWorld) {
  const worker = await loadWorker({ tables: world.tables.parsed }, WORKER);
  const things = await world.tables.parsed.query(SHUT.in(WORKER));
  const thing = things.find(({ kind }) => kind === 'cut-off');
  if (thing === undefined) throw new Error('no subject is shut');
  return { about: readmitAbout(readmissionOf(thing, worker)) };
}

test('not while the departure goes on, which would shut it again', async () => {
  const world = await departureWorld(calmly);
  await tell(world, { source: 'payroll' });
  await execute(world, metas(world)[0]?.caseId ?? '', 1);
  world.clock.advance(60);
  await rehire(world, { source: 'payroll' });
  await expect(readmitAs(world)).rejects.toMatchObject({ message: expect.stringMatching(/is not closed/) });
});

test('not while what was shut is looked at again, which would shut it again', async () => {
  const world = await departureWorld(calmly);
  await tell(world);
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  expect((await metaOf(world, caseId)).state).toBe('CLOSED');
  world.clock.advance(60);
  await rehire(world);
  await expect(readmitAs(world)).rejects.toMatchObject({ message: expect.stringMatching(/is looked at until/) });
  await strike(world, DAY);
  expect(await readmitAs(world)).toMatchObject({ counts: true });
});

test.each<[string, string, string]>([
  ['a subject of another worker', `${RING}/colleague`, WORKER],
  ['the subject, for another worker', SUBJECT, 'W-7'],
  ['a subject of another ring', 'other-ring/mallory', WORKER],
])('%s is not found', async (_what, subject, worker) => {
  const { world } = await rehired();
  await imported(world, 'W-7', [{ type: 'subject', ring: RING, sub: 'colleague' }]);
  await tell(world, { workerId: 'W-7' });
  await execute(world, metas(world).find(({ workerId }) => workerId === 'W-7')?.caseId ?? '', 1);
  await expect(readmitAs(world, ONE, subject, worker)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
});

test.each(['', 'mallory', '/mallory', `${RING}/`])('%p is no subject', async (subject) => {
  const { world } = await departed();
  await expect(readmitAs(world, ONE, subject)).rejects.toMatchObject({ code: 'ERR_INPUT_INVALID' });
});

test('one approver twice is one, and the leaver is none', async () => {
  const approvers = [...APPROVERS, { workerId: WORKER, identity: 'AIDALEAVER000001' }];
  const { world } = await rehired((options) => calmly({ ...options, config: { approvers } }));
  await readmitAs(world, ONE);
  expect(await readmitAs(world, ONE)).toMatchObject({ isDecided: false });
  expect(await readmitAs(world, 'AIDALEAVER000001')).toMatchObject({ counts: false, why: 'the case is about them' });
  expect(readmissions(world)).toEqual([]);
});

test('two subjects are two matters: what is said of one takes nothing back of the other', async () => {
  const world = await departureWorld(calmly);
  await imported(world, WORKER, [
    { type: 'subject', ring: RING, sub: 'mallory' },
    { type: 'subject', ring: RING, sub: 'mallory-admin' },
  ]);
  await tell(world);
  await execute(world, metas(world)[0]?.caseId ?? '', 1);
  const caseId = metas(world)[0]?.caseId ?? '';
  expect((await metaOf(world, caseId)).state).toBe('CLOSED');
  await strike(world, DAY);
  await rehire(world);
  const other = `${RING}/mallory-admin`;
  await readmitAs(world, ONE, SUBJECT);
  world.clock.advance(1);
  await readmitAs(world, ONE, other);
  world.clock.advance(1);
  expect(await readmitAs(world, TWO, SUBJECT)).toMatchObject({ isDecided: true });
  world.clock.advance(1);
  expect(await readmitAs(world, TWO, other)).toMatchObject({ isDecided: true });
  expect(readmissions(world)).toHaveLength(2);
  for (const { caseId: id } of readmissions(world)) await execute(world, id, 1);
  world.clock.advance(60);
  for (const sub of ['mallory', 'mallory-admin']) expect(await issueTo(world, sub)).toMatch(/^ey/);
});

test('a give-back waits for a readmission that is under way, and then opens the rest', async () => {
  const { world, caseId } = await rehired();
  const id = await readmitted(world);
  world.clock.advance(1);
  expect(await approveAs(world, ONE, caseId, 'give-back')).toMatchObject({
    counts: false,
    why: /opens a subject of it/,
  });
  await execute(world, id, 1);
  expect(await decideBoth(world, caseId, 'give-back')).toMatchObject({ isDecided: true });
  const back = metas(world).find(({ givesBack, readmits }) => givesBack === caseId && readmits === undefined);
  await execute(world, back?.caseId ?? '', 1);
  expect([world.iam.mayAct('mallory', 'AKIA1'), shut(world)]).toEqual([true, []]);
  await drainOutboxes(world);
  for (const each of [id, caseId, back?.caseId ?? '']) checkManifest(allRecords(world), each);
});

test('the worker departs again before it is opened: it stays shut, and the readmission says so', async () => {
  const { world } = await rehired();
  const id = await readmitted(world);
  world.clock.advance(60);
  await tell(world);
  await execute(world, id, 1);
  expect((await metaOf(world, id)).state).toBe('CLOSED');
  await expect(issueTo(world, 'mallory')).rejects.toBeDefined();
  await drainOutboxes(world);
  checkManifest(allRecords(world), id);
});

test('an opener opens nothing for a readmission but its one subject, and that not without its two approvals', async () => {
  const { world } = await rehired();
  const id = await readmitted(world);
  const now = world.clock.now();
  // Whoever can write the table claims all that is shut for it.
  for (const { pk, sk } of shut(world)) {
    const set = { openingBy: id, openingAt: now };
    await world.tables.transact([{ kind: 'update', table: 'cases', key: { pk, sk }, set }]);
  }
  const invoke = (name: string, request: object) =>
    world.deps('conductor').functions.invoke(name as 'latch-release', { ...request, caseId: id } as never);
  const refused = { code: 'ERR_NOT_APPROVED' };
  await expect(invoke('latch-release', { userName: 'mallory' })).rejects.toMatchObject(refused);
  const key = { op: 'activate-access-key', userName: 'mallory', accessKeyId: 'AKIA1' };
  await expect(invoke('key-enabler', key)).rejects.toMatchObject(refused);
  const [first] = world.tables.dump('approvals').filter(({ pk }) => pk !== 'PENDING');
  const { pk = '', sk = '' } = first ?? {};
  await world.tables.transact([{ kind: 'delete', table: 'approvals', key: { pk, sk } }]);
  const subjects = [{ type: 'sub', value: 'mallory' }];
  await expect(invoke('subject-release', { ring: RING, subjects })).rejects.toMatchObject(refused);
});

test('approvals of one subject open no other, though somebody writes its row into the readmission', async () => {
  const { world } = await rehired();
  const id = await readmitted(world);
  const { readmits } = await metaOf(world, id);
  const bent = { ...readmits, thing: 'SHUT#cut-off#another' } as never;
  await world.tables.transact([
    { kind: 'update', table: 'cases', key: { pk: `CASE#${id}`, sk: 'META' }, set: { readmits: bent } },
  ]);
  const request = { ring: RING, subjects: [{ type: 'sub', value: 'mallory' }], caseId: id };
  await expect(world.deps('conductor').functions.invoke('subject-release', request as never)).rejects.toMatchObject({
    code: 'ERR_NOT_APPROVED',
  });
});

test('killed anywhere it ends the same: open, recorded once, and its evidence whole', async () => {
  for (const mode of ['before', 'after'] as const)
    for (let n = 1; ; n += 3) {
      const { world } = await rehired();
      await readmitAs(world, ONE);
      world.faults.crashAt(n, mode);
      await readmitAs(world, TWO).catch(() => undefined);
      world.faults.restart();
      world.clock.advance(61);
      await tick(world.deps('ticker')).catch(() => undefined);
      if (readmissions(world).length === 0) await readmitAs(world, TWO);
      const id = readmissions(world)[0]?.caseId ?? '';
      const deaths = dyingAt(world, n, mode);
      await execute(world, id, 1, deaths.via);
      expect([await metaOf(world, id), shut(world).filter(isCutOff)]).toMatchObject([{ state: 'CLOSED' }, []]);
      expect(readmissions(world)).toHaveLength(1);
      const ids = allRecords(world).map((record) => record.id);
      expect(new Set(ids).size).toBe(ids.length);
      checkManifest(allRecords(world), id);
      if (deaths.killed === 0) break;
    }
}, 120_000);

describe('bent records of a readmission', () => {
  let whole: readonly EvidenceRecord[];
  let id: string;
  let of: string;
  beforeAll(async () => {
    const { world, caseId } = await rehired();
    id = await readmitted(world);
    of = caseId;
    await execute(world, id, 1);
    whole = allRecords(world);
  });

  const changed = (record: EvidenceRecord, body: object) => ({ ...record, body: { ...record.body, ...body } });
  const bend = (name: string, body: object) =>
    whole.map((record) => (record.id === `${id}/${name}` ? (changed(record, body) as EvidenceRecord) : record));
  const without = (name: string) => whole.filter((record) => record.id !== `${id}/${name}`);

  test('as it was written it passes', () => expect(() => checkManifest(whole, id)).not.toThrow());

  test.each<[string, () => readonly EvidenceRecord[], RegExp]>([
    ['one approval left out', () => without('approved/0/2'), /two different approvers/],
    ['an approval of a give-back', () => bend('approved/0/1', { decision: 'give-back' }), /decided something else/],
    ['approvals about two subjects', () => bend('approved/0/1', { about: 'x'.repeat(43) }), /same statements/],
    ['called a give-back', () => bend('opened', { readmits: undefined }), /no record says that people decided so/],
    ['of somebody else', () => bend('opened', { pseudonym: 'somebody' }), /of somebody else/],
    ['of a case that is in no record', () => bend('opened', { givesBack: 'c-other' }), /of somebody else, or of none/],
    [
      'of a departure that is still looked after',
      () =>
        whole.map((one) =>
          one.id === `${of}/contained` ? (changed(one, { recheckUntil: one.at + 100 * DAY }) as EvidenceRecord) : one,
        ),
      /looked at again after that/,
    ],
    ['of a departure that never closed', () => whole.filter((one) => one.id !== `${of}/closed`), /was not closed/],
    [
      'that opens the latch as well',
      () =>
        bend('inventory', {
          things: [
            { ref: 't0', thing: 'cut-off', ring: RING },
            { ref: 't1', thing: 'latch' },
          ],
        }),
      /more than one subject/,
    ],
    [
      'that opens a latch',
      () => bend('inventory', { things: [{ ref: 't0', thing: 'latch' }] }),
      /more than one subject/,
    ],
  ])('%s is refused', (_what, bent, why) => expect(() => checkManifest(bent(), id)).toThrow(why));
});
