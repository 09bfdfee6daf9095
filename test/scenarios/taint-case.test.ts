/** A key that a responder ends is a case: it reaches DENIED whoever is killed on the way, and its records are those of STEPS. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandPorts } from '../../bin/commands/command';
import { exportBundle } from '../../bin/commands/evidence';
import { writeReport } from '../../bin/commands/report';
import { taintKey } from '../../bin/commands/ring-taint';
import { exchange } from '../../lambdas/exchange';
import { rotate } from '../../lambdas/rotator';
import { openTaint } from '../../lambdas/taint-opener';
import { tick } from '../../lambdas/ticker';
import { recordsOfCase } from '../../lib/domain/audit/case-records';
import { checkManifest, checkOrder } from '../../lib/domain/audit/manifest';
import { CurfewError } from '../../lib/domain/base/errors';
import { taintIdOf } from '../../lib/domain/cases/case';
import { STEPS } from '../../lib/domain/cases/steps';
import { COMMAND_RIGHTS } from '../../lib/domain/deployment/access';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { shortKid } from '../../lib/domain/jose/jwk';
import { CASE, type EndedKey } from '../../lib/domain/store/case';
import { CASE_ITEM } from '../../lib/domain/store/case-items';
import { extent } from '../support/extent';
import { seedFor } from '../support/seeded';
import {
  allRecords,
  type DepartureWorld,
  departureWorld,
  drainOutboxes,
  dyingAt,
  execute,
  outbox,
} from './departure-world';
import { calmly, issueTo, RING, ringOf, verifierOf } from './signing-world';

const ended = (kid: string, more: Partial<EndedKey> = {}): EndedKey => ({
  ring: RING,
  kid,
  class: 'compromise',
  reason: 'INC-7',
  ...more,
});
const idOf = (world: DepartureWorld, key: EndedKey) => taintIdOf(world.config.instance, key);

interface Incident {
  readonly world: DepartureWorld;
  readonly kid: string;
  readonly key: EndedKey;
  readonly caseId: string;
  readonly tokens: readonly string[];
}

async function incident(more: Partial<EndedKey> = {}): Promise<Incident> {
  const world = await departureWorld(calmly);
  const tokens = [];
  for (const n of [1, 2, 3]) tokens.push(await issueTo(world, `member-${n}`));
  const kid = (await ringOf(world)).activeKid ?? '';
  const key = ended(kid, more);
  return { world, kid, key, caseId: idOf(world, key), tokens };
}

const tradeIn = (world: DepartureWorld, token: string) => {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  });
  return exchange(RING, form.toString(), world.deps('exchange')) as Promise<{ access_token: string }>;
};

const ringRecords = (world: DepartureWorld): readonly EvidenceRecord[] =>
  world.tables
    .dump('keys')
    .filter(({ sk }) => sk.startsWith('OUT#'))
    .map(({ record }) => record as unknown as EvidenceRecord);
const metaOf = (world: DepartureWorld, caseId: string) => world.tables.parsed.get(CASE, caseId);

/** What must hold of the key, of everybody's tokens and of the evidence, however it went. */
async function expectEnded({ world, kid, caseId, tokens }: Incident): Promise<void> {
  const ring = await ringOf(world);
  expect(ring.keys.find((key) => key.kid === kid)).toMatchObject({ state: 'DENIED', kmsState: 'Disabled' });
  expect(ring.keys.filter(({ kmsState }) => kmsState === 'Enabled').map(({ state }) => state)).toEqual(['ACTIVE']);
  const verifier = await verifierOf(world);
  for (const token of tokens) {
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_TOKEN_/) });
    const { access_token } = await tradeIn(world, token);
    expect((await verifier.verify(access_token)).claims.sub).toMatch(/^member-/);
  }
  expect(await metaOf(world, caseId)).toMatchObject({ kind: 'taint', state: 'CLOSED' });
  const all = allRecords(world);
  checkManifest(all, caseId);
  checkOrder(all, caseId);
  const ids = outbox(world).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
}

/** By hand, from STEPS: what each step of such a case leaves behind, in this order. */
const OWED: readonly (readonly [step: string, record: string])[] = [
  ['plan', 'case.inventory'],
  ['plan', 'case.planned'],
  ['taint', 'key.tainted'],
  ['taint', 'key.window'],
  ['taint', 'key.activated'],
  ['disable-compromised', 'key.disabled'],
  // Another STANDBY is born in the place of the one that took over.
  ['disable-compromised', 'key.adopted'],
  ['disable-compromised', 'key.confirmed'],
  ['deny', 'wave.completed'],
  ['deny', 'key.denied'],
  ['deny', 'item.done'],
  ['prove', 'item.proved'],
  ['close', 'case.closed'],
];

test('the records of a taint are those that a hand wrote down from STEPS, and no others', async () => {
  const one = await incident();
  const { world, key, caseId, kid } = one;
  const before = new Set(allRecords(world).map(({ id }) => id));
  expect(await openTaint(key, world.deps('taint-opener'))).toEqual({ caseId });
  const told = () => allRecords(world).filter(({ id }) => !before.has(id) && before.add(id));
  expect(told().map(({ type }) => type)).toEqual(['case.opened']);

  const left: [string, string][] = [];
  await execute(world, caseId, 1, async (request, run) => {
    const answer = await run();
    const step = request.nn === undefined ? request.step : 'prove';
    // A key is told of in the order of the ring's fence.
    left.push(...told().map(({ type }): [string, string] => [step, type]));
    return answer;
  });
  const names: readonly string[] = STEPS.map(({ name }) => name);
  for (const [step] of OWED) expect(names).toContain(step);
  const sorted = (pairs: readonly (readonly [string, string])[]) => pairs.map((pair) => pair.join(' ')).sort();
  expect(sorted(left)).toEqual(sorted(OWED));
  await expectEnded(one);
  const opened = outbox(world).find(({ type }) => type === 'case.opened');
  expect(opened?.body).toEqual({ kind: 'taint', ring: RING, kid, class: 'compromise', reason: 'INC-7' });
  expect(ringRecords(world).find(({ type }) => type === 'key.tainted')?.body).toMatchObject({ reason: 'INC-7' });
});

describe.each(['before', 'after'] as const)('killed %s any effect', (mode) => {
  test('the opener: asked again, or ticked, the same case ends the key', async () => {
    for (let n = 1; ; n++) {
      const one = await incident();
      const { world, key, caseId } = one;
      world.faults.crashAt(n, mode);
      await openTaint(key, world.deps('taint-opener')).catch(() => undefined);
      const died = world.faults.crashed;
      world.faults.restart();
      // The responder saw an error: where nothing is on record they ask again, and otherwise nobody has to.
      if ((await world.tables.parsed.get(CASE, caseId)) === undefined) await openTaint(key, world.deps('taint-opener'));
      await tick(world.deps('ticker'));
      expect([...world.workflow.started.keys()]).toEqual([`${caseId}.1`]);
      await execute(world, caseId, 1);
      await expectEnded(one);
      if (!died) break;
    }
  });

  test('the workflow: each step dies at its n-th effect and is run again', async () => {
    const step = extent(16, 1);
    for (let n = 1 + (seedFor('taint killed') % step); ; n += step) {
      const one = await incident();
      const { world, key, caseId } = one;
      await openTaint(key, world.deps('taint-opener'));
      const deaths = dyingAt(world, n, mode);
      await execute(world, caseId, 1, deaths.via);
      await expectEnded(one);
      if (deaths.killed === 0) break;
    }
  }, 120_000);
});

/** What the command gets from AWS under a policy of its row alone. */
function ports(world: DepartureWorld, sleep: (seconds: number) => Promise<void>): CommandPorts<'ring taint'> {
  const rights: readonly string[] = COMMAND_RIGHTS['ring taint'];
  return {
    clock: { now: () => world.clock.now(), sleep },
    tables: world.tables.restricted(rights),
    functions: world.functions.restricted(rights),
  } as unknown as CommandPorts<'ring taint'>;
}

describe('curfew ring taint', () => {
  test('opens the case, shows how far it is, and says what was proved; asked again it says the same', async () => {
    const one = await incident();
    const { world, key, caseId, kid } = one;
    const said: string[] = [];
    let slept = 0;
    const sleep = async (seconds: number) => {
      slept += seconds;
      if (slept === seconds) await execute(world, caseId, 1);
    };
    const run = () => taintKey(ports(world, sleep), { ...key, kid: kid.slice(0, 12) }, (line) => said.push(line));
    const answer = {
      json: { caseId, ring: RING, kid, state: 'DENIED', kms: 'Disabled', resigned: 3, proved: true },
      text: expect.stringMatching(
        new RegExp(`^${kid} DENIED, 3 tokens re-signed; proved by ${caseId}.*\\nring ${RING} issues under \\S+$`),
      ),
    };
    expect(await run()).toEqual(answer);
    expect(said).toEqual([
      `${kid.slice(0, 12)} is ${kid} of ring ${RING}`,
      `case ${caseId} ends ${kid}; it goes on if you stop watching`,
      `+0 s  ${shortKid(kid)} is ACTIVE, which still issues; in KMS: Enabled; case: CONTAINED`,
      expect.stringMatching(
        /^\+\d+ s {2}\S{8} is DENIED, of whose tokens none counts; in KMS: Disabled; case: CLOSED$/,
      ),
    ]);
    expect(await run()).toEqual(answer);
    world.clock.advance(60);
    expect((await run()).text).toContain(`proved by ${caseId}, which had ended it before`);
    await expectEnded(one);
  });

  test('planned: it signs no more, and nobody has to sit there while holders collect', async () => {
    const one = await incident({ class: 'planned' });
    const { world, key, caseId, kid } = one;
    let slept = 0;
    const sleep = async (seconds: number) => {
      slept += seconds;
      world.clock.advance(seconds);
      if (slept !== seconds) return;
      await execute(world, caseId, 1, async (request, run) => {
        // The command looks here: SUSPECT and disabled, not yet DENIED.
        if (request.step === 'deny') throw new CurfewError('ERR_UNAVAILABLE', 'later');
        return run();
      }).catch(() => undefined);
    };
    expect(await taintKey(ports(world, sleep), key, () => undefined)).toMatchObject({
      json: { kid, state: 'SUSPECT', kms: 'Disabled', proved: false },
      text: expect.stringContaining(`curfew case show ${caseId} --follow`),
      exitCode: 1,
    });
    expect(slept).toBe(182);
    await execute(world, caseId, 1);
    await expectEnded(one);
  });

  test('while no STANDBY may take over, it says what stops the ring meanwhile', async () => {
    const { world, key, kid } = await incident();
    const standbys = (await ringOf(world)).keys.filter(({ state }) => state === 'STANDBY');
    for (const { kmsKeyArn = '' } of standbys) world.kms.override(kmsKeyArn, { grants: ['g-1'] });
    await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
    const said: string[] = [];
    const sleep = async (seconds: number) => world.clock.advance(seconds);
    const answer = await taintKey(ports(world, sleep), key, (line) => said.push(line));
    expect(said).toContain(
      `no change: no STANDBY may take over yet; \`curfew ring halt ${RING}\` stops the ring until one is ready`,
    );
    expect(answer).toMatchObject({ json: { kid, state: 'ACTIVE', proved: false }, exitCode: 1 });
  });

  test('where the workflow does not answer, it says how to end the key all the same', async () => {
    const { world, key, caseId } = await incident();
    world.workflow.start = async () => {
      throw new CurfewError('ERR_UNAVAILABLE', 'Step Functions does not answer', { fix: 'retry' });
    };
    await expect(
      taintKey(
        ports(world, async () => undefined),
        key,
        () => undefined,
      ),
    ).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      fix: expect.stringContaining('--direct'),
    });
    // It is on record, and due: the ticker starts it when the workflow answers again.
    expect(await metaOf(world, caseId)).toMatchObject({ state: 'CONTAINED', attempt: 1 });
  });
});

describe('curfew ring taint --direct', () => {
  test('without the workflow the key is ended from here, and the case proves it later', async () => {
    const one = await incident();
    const { world, key, caseId, kid } = one;
    const { start } = world.workflow;
    world.workflow.start = async () => {
      throw new CurfewError('ERR_UNAVAILABLE', 'Step Functions does not answer', { fix: 'retry' });
    };
    const said: string[] = [];
    const sleep = async (seconds: number) => world.clock.advance(seconds);
    const answer = await taintKey(ports(world, sleep), { ...key, direct: true }, (line) => said.push(line));
    expect(answer).toMatchObject({ json: { kid, state: 'DENIED', kms: 'Disabled', resigned: 3 }, exitCode: 0 });
    expect(said[0]).toBe(
      'no case could be opened: if you stop this command, run it again (Step Functions does not answer (ERR_UNAVAILABLE))',
    );

    world.workflow.start = start.bind(world.workflow);
    world.clock.advance(60);
    await tick(world.deps('ticker'));
    await execute(world, caseId, 1);
    await expectEnded(one);
    // Its records stand beside those of the case, and name none.
    const own = ringRecords(world).filter(({ type, case: of }) => type === 'key.denied' && of === undefined);
    expect(own).toHaveLength(1);
    expect(recordsOfCase(ringRecords(world), caseId).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['key.tainted', 'wave.completed', 'key.denied']),
    );
  });

  test('stopped at any call, what it left the case beside it ends', async () => {
    const step = extent(8, 1);
    for (let stopAt = 1 + (seedFor('taint stopped') % step); ; stopAt += step) {
      const one = await incident();
      const { world, key, caseId } = one;
      let calls = 0;
      const sleep = async (seconds: number) => world.clock.advance(seconds);
      const given = ports(world, sleep);
      const { invoke } = given.functions;
      const functions = {
        invoke: async (...call: Parameters<typeof invoke>) => {
          if (++calls > stopAt) throw new Error('Ctrl-C');
          return invoke.apply(given.functions, call);
        },
      };
      const run = taintKey({ ...given, functions } as never, { ...key, direct: true }, () => undefined);
      const stopped = await run.then(
        () => false,
        () => true,
      );
      await execute(world, caseId, 1);
      await expectEnded(one);
      if (!stopped) break;
    }
  }, 120_000);
});

describe('refused before anything is written', () => {
  test.each([
    ['a class that is none', { class: 'gone' }, 'ERR_INPUT_INVALID'],
    ['an empty reason', { reason: '' }, 'ERR_INPUT_INVALID'],
    ['a ring that is not there', { ring: 'no-such-ring' }, 'ERR_NOT_FOUND'],
    ['a key that is not there', { kid: 'nobody' }, 'ERR_NOT_FOUND'],
  ])('%s', async (_what, wrong, code) => {
    const { world, key } = await incident();
    const before = world.tables.dump('cases');
    await expect(openTaint({ ...key, ...wrong } as never, world.deps('taint-opener'))).rejects.toMatchObject({ code });
    expect(world.tables.dump('cases')).toEqual(before);
  });

  test('a STANDBY, which never issued', async () => {
    const { world } = await incident();
    const standby = (await ringOf(world)).keys.find(({ state }) => state === 'STANDBY')?.kid ?? '';
    await expect(openTaint(ended(standby), world.deps('taint-opener'))).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      got: 'STANDBY',
    });
  });
});

test('a key that retires before the plan is made is looked at all the same: nothing is called proved unseen', async () => {
  const world = await departureWorld(calmly);
  const kid = (await ringOf(world)).activeKid ?? '';
  await rotate({ op: 'rotate', ring: RING, from: kid, reason: 'CHG-9' }, world.deps('rotator'));
  const { caseId } = await openTaint(ended(kid), world.deps('taint-opener'));
  for (let hour = 0; hour < 30; hour++) {
    world.clock.advance(3600);
    await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
  }
  expect((await ringOf(world)).keys.find((key) => key.kid === kid)?.state).toBe('RETIRED');
  await execute(world, caseId, 1);
  const [item] = await world.tables.parsed.query(CASE_ITEM.in(caseId));
  expect([item?.state, item?.proof]).toMatchObject(['PROVED', { observed: { state: 'RETIRED', inJwks: false } }]);
  expect(await metaOf(world, caseId)).toMatchObject({ state: 'CLOSED' });
  checkManifest(allRecords(world), caseId);
  checkOrder(allRecords(world), caseId);
});

test('asked twice it is one case; another class is another, and joins', async () => {
  const one = await incident({ class: 'planned' });
  const { world, key, caseId, kid } = one;
  const ask = (more: Partial<EndedKey> = {}) => openTaint({ ...key, ...more }, world.deps('taint-opener'));
  expect([await ask(), await ask({ reason: 'INC-8' })]).toEqual([{ caseId }, { caseId }]);
  const other = (await ask({ class: 'compromise' })).caseId;
  expect(other).not.toBe(caseId);
  await execute(world, caseId, 1);
  await execute(world, other, 1);
  await expectEnded(one);
  await expectEnded({ ...one, caseId: other });
  expect(outbox(world).filter(({ type }) => type === 'case.opened')).toHaveLength(2);
  expect((await ringOf(world)).keys.filter((key) => key.state === 'DENIED').map((key) => key.kid)).toEqual([kid]);
});

test('the bundle verifies, and the page says what was ended, why, and that it is about nobody', async () => {
  const { world, key, caseId, kid } = await incident();
  await openTaint(key, world.deps('taint-opener'));
  await execute(world, caseId, 1);
  await drainOutboxes(world);
  const dir = mkdtempSync(join(tmpdir(), 'curfew-taint-'));
  try {
    await exportBundle({ case: caseId, dir }, { objects: world.objects, clock: world.clock });
    const out = join(dir, 'report.html');
    expect(writeReport({ dir, out })).toMatchObject({ outcome: 'proved' });
    const page = readFileSync(out, 'utf8');
    for (const said of [`end of a key ${caseId}`, 'The key was ended, and is proved refused.', kid, '“INC-7”'])
      expect(page).toContain(said);
    expect(page).not.toMatch(/this person|HR’s report|departure/);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

describe('a log that was bent is refused', () => {
  let whole: readonly EvidenceRecord[];
  let of: string;
  beforeAll(async () => {
    const { world, key, caseId } = await incident();
    await openTaint(key, world.deps('taint-opener'));
    await execute(world, caseId, 1);
    await drainOutboxes(world);
    [whole, of] = [allRecords(world), caseId];
  });
  const bent = (change: (record: EvidenceRecord) => EvidenceRecord | undefined) => () =>
    checkManifest(
      whole.flatMap((record) => change(record) ?? []),
      of,
    );
  const body = (record: EvidenceRecord, more: object) =>
    ({ ...record, body: { ...record.body, ...more } }) as EvidenceRecord;

  test.each([
    'case.inventory',
    'case.planned',
    'key.tainted',
    'wave.completed',
    'key.denied',
    'item.proved',
    'case.closed',
  ])('without %s', (type) => {
    expect(bent((record) => (record.type === type ? undefined : record))).toThrow(
      expect.objectContaining({ code: 'ERR_EVIDENCE_INCOMPLETE' }),
    );
  });

  test.each([
    ['of another key than it was opened for', { ends: { ring: RING, kid: 'another', class: 'compromise' } }],
    ['of a milder class', { ends: { ring: RING, kid: '', class: 'planned' } }],
    ['of no key at all', { keys: [] }],
    ['of nothing that ends', { ends: undefined }],
    ['that opens things', { things: [] }],
  ])('with an inventory %s', (_what, more) => {
    expect(bent((record) => (record.type === 'case.inventory' ? body(record, more) : record))).toThrow(
      expect.objectContaining({ code: 'ERR_EVIDENCE_RECORD' }),
    );
  });
});

test('a taint has one item, and it is claimed like any other', async () => {
  const { world, key, caseId, kid } = await incident();
  await openTaint(key, world.deps('taint-opener'));
  await execute(world, caseId, 1);
  const items = await world.tables.parsed.query(CASE_ITEM.in(caseId));
  expect(items.map(({ item, state, phase, startedAt }) => [item, state, phase, startedAt !== undefined])).toEqual([
    [
      { nn: '01', kind: 'taint', ring: RING, kid, class: 'compromise', replace: true, because: [] },
      'PROVED',
      'act',
      true,
    ],
  ]);
});
