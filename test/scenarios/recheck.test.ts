/** What was shut and is opened again, by an accomplice or by somebody who means well, until every session is over. */
import { listCases } from '../../bin/commands/case';
import { publishFeed } from '../../lambdas/publisher';
import { recheckDue } from '../../lambdas/rechecker';
import { tick } from '../../lambdas/ticker';
import { checkManifest, checkOrder } from '../../lib/domain/audit/manifest';
import { CurfewError } from '../../lib/domain/base/errors';
import { openQuestion, shownState } from '../../lib/domain/cases/case';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { RECHECK_MARKER } from '../../lib/domain/store/case';
import { extent } from '../support/extent';
import { seedFor } from '../support/seeded';
import { APPROVERS, approveAs } from './approvers';
import {
  allRecords,
  type DepartureWorld,
  departureWorld,
  dyingAt,
  execute,
  imported,
  metaOf,
  metas,
  outbox,
  send,
  strike,
  WORKER,
} from './departure-world';
import { calmly, RING } from './signing-world';

const HOUR = 3600;
const [ONE, TWO] = APPROVERS.map(({ identity }) => identity);

async function closedCase(): Promise<{ readonly world: DepartureWorld; readonly caseId: string }> {
  const world = await departureWorld(calmly);
  await send(world);
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  expect(shownState(await metaOf(world, caseId))).toBe('CLOSED');
  return { world, caseId };
}

async function untilOver(world: DepartureWorld, caseId: string): Promise<void> {
  while ((await metaOf(world, caseId)).rechecks?.next !== undefined) await strike(world, 600);
}

async function recheckAge(world: DepartureWorld): Promise<number | undefined> {
  await tick(world.deps('ticker'));
  return world.metrics.kept.findLast(({ name }) => name === 'RecheckAge')?.value;
}

const found = (records: readonly EvidenceRecord[]) =>
  records.flatMap(({ type, body }) =>
    type === 'item.found-open' || type === 'item.shut-again' ? [[type, body.nn, body.n]] : [],
  );

function expectWhole(world: DepartureWorld, caseId: string, more: readonly EvidenceRecord[] = []): void {
  const records = [...allRecords(world), ...more];
  checkManifest(records, caseId);
  checkOrder(records, caseId);
}

test('it is looked at after five seconds, a minute, a quarter of an hour, then every hour; the last look is on record', async () => {
  const { world, caseId } = await closedCase();
  const { containedAt = 0 } = await metaOf(world, caseId);
  const looks: number[] = [];
  for (let last = 0; ; await strike(world)) {
    const { rechecks } = await metaOf(world, caseId);
    if (rechecks?.at !== undefined && rechecks.at !== last) looks.push(rechecks.at - containedAt);
    last = rechecks?.at ?? 0;
    if (rechecks?.next === undefined) break;
  }
  const late = looks.map((at, n) => at - ([5, 60, 900][n] ?? Math.min((n - 2) * HOUR, 12 * HOUR)));
  expect(looks).toHaveLength(15);
  // The clock strikes once a minute, and the minute look falls into the steps of the execution.
  expect(Math.max(...late)).toBeLessThan(120);
  expect(outbox(world).at(-1)).toMatchObject({
    type: 'case.rechecked',
    body: { times: 15, foundOpen: 0, unseen: [], until: containedAt + 12 * HOUR },
  });
  expect(await world.tables.parsed.query(RECHECK_MARKER.in())).toEqual([]);
  expectWhole(world, caseId);
});

test.each([
  ['an access key is set Active', (world: DepartureWorld) => world.iam.reactivateAccessKey('mallory', 'AKIA1')],
  ['the tag is taken off', (world: DepartureWorld) => world.iam.untagLeaver('mallory')],
  [
    'a personal key is enabled',
    (world: DepartureWorld) => world.kms.override(world.personalKeyArn, { state: 'Enabled' }),
  ],
  ['a console login is made anew', (world: DepartureWorld) => world.iam.addLoginProfile('mallory')],
])('after the case has closed %s: it is shut again, and both are on record', async (_what, open) => {
  const { world, caseId } = await closedCase();
  await strike(world, HOUR);
  await open(world);
  await strike(world, HOUR);
  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);
  expect(await world.iam.hasLoginProfile('mallory')).toBe(false);
  expect(world.kms.stateOf(world.personalKeyArn)).not.toBe('Enabled');
  const [opened, shut] = found(outbox(world));
  expect([opened?.[0], shut?.[0], opened?.[1] === shut?.[1], opened?.[2], shut?.[2]]).toEqual([
    'item.found-open',
    'item.shut-again',
    true,
    1,
    1,
  ]);
  expect(shownState(await metaOf(world, caseId))).toBe('CLOSED');
  expectWhole(world, caseId);
  await untilOver(world, caseId);
  expect(outbox(world).at(-1)).toMatchObject({ type: 'case.rechecked', body: { foundOpen: 1 } });
  expectWhole(world, caseId);
});

test('an access key and a subject that come to be after the case has closed are listed, shut, proved and recorded', async () => {
  const { world, caseId } = await closedCase();
  world.iam.reactivateAccessKey('mallory', 'AKIALATER');
  await imported(world, WORKER, [{ type: 'subject', ring: RING, sub: 'mallory-batch' }]);
  await strike(world, HOUR);
  expect(world.iam.mayAct('mallory', 'AKIALATER')).toBe(false);
  const later = outbox(world).filter(({ id }) => /\/item\/2\d{4}\//.test(id));
  expect(later.map(({ type, body }) => [type, body.kind]).sort()).toEqual([
    ['item.contained', 'access-key'],
    ['item.contained', 'cut-off'],
    ['item.contained', 'latch'],
    ['item.proved', 'access-key'],
    ['item.proved', 'cut-off'],
    ['item.proved', 'latch'],
  ]);
  expectWhole(world, caseId);
});

test('a thing that is found open three times is shut, and people are asked, once', async () => {
  const { world, caseId } = await closedCase();
  for (let n = 1; n <= 4; n++) {
    await strike(world, HOUR);
    world.iam.reactivateAccessKey('mallory', 'AKIA1');
    await strike(world, HOUR);
    expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);
    expect(openQuestion(await metaOf(world, caseId))?.reasons).toEqual(n < 3 ? undefined : ['found-open']);
  }
  expect((await metaOf(world, caseId)).questions).toHaveLength(1);
  expect(world.events.said.filter(({ detailType }) => detailType === 'CaseAsked')).toEqual([]);
  await tick(world.deps('ticker'));
  expect(world.metrics.kept.findLast(({ name }) => name === 'HeldCases')?.value).toBe(1);
  const ports = { tables: world.tables.parsed, clock: world.clock } as never;
  expect((await listCases(ports, undefined, undefined)).text).toContain(caseId);
  // No source settles it; two people do.
  await send(world, { id: 'msg_2', type: 'worker.terminated' });
  expect(openQuestion(await metaOf(world, caseId))).toBeDefined();
  await approveAs(world, ONE, caseId, 'go-on');
  await approveAs(world, TWO, caseId, 'go-on');
  expect(openQuestion(await metaOf(world, caseId))).toBeUndefined();
  await untilOver(world, caseId);
  expectWhole(world, caseId);
});

test('an open case is held by it, and goes no further', async () => {
  const world = await departureWorld(calmly);
  const effectiveAt = world.clock.now();
  await send(world, { source: 'payroll' });
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  for (let n = 1; n <= 3; n++) {
    world.iam.reactivateAccessKey('mallory', 'AKIA1');
    await strike(world, HOUR);
  }
  const meta = await metaOf(world, caseId);
  expect([shownState(meta), openQuestion(meta)?.reasons]).toEqual(['HELD', ['unconfirmed', 'found-open']]);
  // The second voice confirms the departure, and says nothing about who opens keys.
  await send(world, { id: 'msg_2', source: 'hr', effectiveAt });
  expect(shownState(await metaOf(world, caseId))).toBe('HELD');
});

test('the third finding asks, whoever found it: the attempts of a held case go on looking after the last look', async () => {
  const world = await departureWorld(calmly);
  await send(world, { source: 'payroll' });
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  await untilOver(world, caseId);
  for (let n = 1; n <= 3; n++) {
    world.clock.advance(HOUR);
    await publishFeed({ ring: RING }, world.deps('publisher'));
    world.iam.reactivateAccessKey('mallory', 'AKIA1');
    // One attempt sees it open, the next one shuts it.
    for (const _attempt of ['sees', 'shuts']) await execute(world, caseId, 1);
    expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);
    expect(openQuestion(await metaOf(world, caseId))?.reasons.includes('found-open')).toBe(n === 3);
  }
  expect(found(outbox(world))).toHaveLength(6);
});

test('a console login that was removed, and is made anew, is removed whatever is asked meanwhile', async () => {
  const { world, caseId } = await closedCase();
  for (let n = 1; n <= 3; n++) {
    await strike(world, HOUR);
    world.iam.addLoginProfile('mallory');
  }
  await strike(world, HOUR);
  expect(openQuestion(await metaOf(world, caseId))?.reasons).toEqual(['found-open']);
  expect(await world.iam.hasLoginProfile('mallory')).toBe(false);
  world.iam.addLoginProfile('mallory');
  await strike(world, HOUR);
  expect(await world.iam.hasLoginProfile('mallory')).toBe(false);
});

test('a step that fails, or items that hang, hold up nothing: the case closes, and the run ends in time', async () => {
  const world = await departureWorld(calmly);
  await send(world);
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1, async (request, run) => {
    if (request.step === 'recheck') throw new CurfewError('ERR_UNAVAILABLE', 'it was stopped at its time-out');
    return run();
  });
  expect(shownState(await metaOf(world, caseId))).toBe('CLOSED');

  let asked = 0;
  world.functions.register('prover', async () => {
    asked++;
    await world.clock.sleep(120);
    throw new CurfewError('ERR_UNAVAILABLE', 'no answer');
  });
  world.clock.advance(60);
  const { unseen } = await recheckDue(world.deps('rechecker'));
  expect([asked, unseen.length > asked]).toEqual([5, true]);
  // Said to be unseen, and due again in minutes: not taken for looked at.
  expect((await metaOf(world, caseId)).rechecks?.dueSince).toBeLessThan(world.clock.now());
});

test('a rehire alone ends no look and opens nothing; a give-back ends them, and what it opens stays open', async () => {
  const { world, caseId } = await closedCase();
  await strike(world, HOUR);
  await send(world, { id: 'msg_2', type: 'worker.rehired' });
  world.iam.reactivateAccessKey('mallory', 'AKIA1');
  await strike(world, HOUR);
  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);

  await approveAs(world, ONE, caseId, 'give-back');
  await approveAs(world, TWO, caseId, 'give-back');
  const giveBack = metas(world).find(({ givesBack }) => givesBack === caseId)?.caseId ?? '';
  world.clock.advance(200);
  await execute(world, giveBack, 1);
  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(true);
  for (let n = 0; n < 3; n++) await strike(world, 5 * HOUR);
  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(true);
  expect(await world.tables.parsed.query(RECHECK_MARKER.in())).toEqual([]);
  expectWhole(world, caseId);
  expectWhole(world, giveBack);
});

test('an IAM that does not answer is no look: what it hides is found within minutes of its coming back', async () => {
  const { world } = await closedCase();
  await strike(world, HOUR);
  world.iam.reactivateAccessKey('mallory', 'AKIA1');
  const { user } = world.iam;
  world.iam.user = () => Promise.reject(new CurfewError('ERR_UNAVAILABLE', 'IAM is not there'));
  for (let n = 0; n < 4; n++) await strike(world, n === 0 ? HOUR : 300);
  expect(await recheckAge(world)).toBeGreaterThanOrEqual(900);
  world.iam.user = user;
  await strike(world, 300);
  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);
  expect(await recheckAge(world)).toBe(0);
});

test('one item that nobody can see delays no other, is looked at again in minutes, and is on record if it stays so', async () => {
  const { world, caseId } = await closedCase();
  await strike(world, HOUR);
  world.functions.register('disabler', () => Promise.reject(new CurfewError('ERR_UNAVAILABLE', 'no answer')));
  world.iam.reactivateAccessKey('mallory', 'AKIA1');
  await strike(world, HOUR);
  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);
  const { rechecks } = await metaOf(world, caseId);
  expect((rechecks?.next ?? 0) - (rechecks?.at ?? 0)).toBe(300);
  await untilOver(world, caseId);
  expect(outbox(world).at(-1)).toMatchObject({ type: 'case.rechecked', body: { unseen: [expect.any(String)] } });
});

test('what IAM has not heard of yet is shut once more, and nobody is said to have opened it', async () => {
  const world = await departureWorld(calmly);
  await send(world);
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1, async (request, run) => {
    if (request.step === 'recheck') world.iam.reactivateAccessKey('mallory', 'AKIA2');
    return run();
  });
  expect(world.iam.mayAct('mallory', 'AKIA2')).toBe(false);
  expect(found(outbox(world))).toEqual([]);
  expectWhole(world, caseId);
});

test.each(['before', 'after'] as const)(
  'killed %s any effect of a look, the next one finds the same and ends the same',
  async (mode) => {
    const ends = new Set<string>();
    const step = extent(9, 1);
    for (let n = 1 + (seedFor('recheck killed') % step); ; n += step) {
      const { world, caseId } = await closedCase();
      world.iam.reactivateAccessKey('mallory', 'AKIA1');
      world.iam.reactivateAccessKey('mallory', 'AKIALATER');
      world.clock.advance(HOUR);
      await publishFeed({ ring: RING }, world.deps('publisher'));
      const death = dyingAt(world, n, mode);
      await death.via({} as never, () => recheckDue(world.deps('rechecker')));
      await strike(world);
      expect([world.iam.mayAct('mallory', 'AKIA1'), world.iam.mayAct('mallory', 'AKIALATER')]).toEqual([false, false]);
      ends.add(
        JSON.stringify([
          found(outbox(world)),
          outbox(world)
            .map(({ id }) => id)
            .sort(),
        ]),
      );
      expectWhole(world, caseId);
      if (death.killed === 0) break;
      expect(n).toBeLessThan(200);
    }
    expect(ends.size).toBe(1);
  },
);

describe('an operator who bends the records of it', () => {
  let whole: readonly EvidenceRecord[];
  let caseId: string;
  beforeAll(async () => {
    const closed = await closedCase();
    caseId = closed.caseId;
    const { world } = closed;
    for (let n = 1; n <= 3; n++) {
      await strike(world, HOUR);
      world.iam.reactivateAccessKey('mallory', 'AKIA1');
      await strike(world, HOUR);
    }
    world.iam.reactivateAccessKey('mallory', 'AKIALATER');
    await untilOver(world, caseId);
    whole = allRecords(world);
  });
  const check = (records: readonly EvidenceRecord[]) => {
    checkManifest(records, caseId);
    checkOrder(records, caseId);
  };
  const bent = (name: string, body: object, more: object = {}) =>
    whole.map((one) =>
      one.id === `${caseId}/${name}` ? { ...one, ...more, body: { ...one.body, ...body } } : one,
    ) as EvidenceRecord[];
  const without = (...ends: readonly RegExp[]) => whole.filter(({ id }) => !ends.some((end) => end.test(id)));
  /** Somebody else's record, long after. */
  const later = (): EvidenceRecord => {
    const at = Math.max(...whole.map((one) => one.at)) + 3 * HOUR;
    return { v: 1, id: 'approvers/x', type: 'approvers.set', at, body: {} };
  };

  test('as it was written it passes', () => expect(() => check(whole)).not.toThrow());
  test.each<[string, () => readonly EvidenceRecord[]]>([
    ['a shutting left out', () => without(/shut-again\/2$/)],
    ['a finding left out', () => without(/found-open\/1$/)],
    ['a finding and its shutting left out', () => without(/(found-open|shut-again)\/3$/)],
    [
      'a shutting left out, and a give-back of another case that names this one',
      () => [
        ...without(/shut-again\/2$/),
        {
          v: 1,
          id: 'c-x/went-on/1',
          type: 'case.went-on',
          at: later().at,
          case: 'c-x',
          body: { by: 'give-back', cases: [caseId] },
        },
      ],
    ],
    ['the question asked only later', () => bent('asked/1', {}, { at: later().at })],
    ['the question left out', () => without(/\/asked\/1$/, /\/held\/1$/)],
    [
      'the question ended by sources',
      () => [
        ...whole,
        {
          v: 1,
          id: `${caseId}/went-on/1`,
          type: 'case.went-on',
          at: later().at,
          case: caseId,
          body: { question: 1, by: 'sources' },
        },
      ],
    ],
    ['the last look left out, and the log goes on', () => [...without(/\/rechecked$/), later()]],
    ['a last look of another end', () => bent('rechecked', { until: 1 })],
    ['a last look before its time', () => bent('rechecked', {}, { at: whole[0]?.at })],
    ['a last look that found less', () => bent('rechecked', { foundOpen: 0 })],
    ['no look at all', () => bent('rechecked', { times: 0 })],
    ['the listing after the closing left out', () => without(/\/listed\/2$/, /\/item\/2\d{4}\//)],
    ['the items of the listing after the closing left out', () => without(/\/item\/2\d{4}\//)],
    ['a closing that counts the later listing', () => bent('closed', { listings: 2 })],
    ['a closing that counts no listing', () => bent('closed', { listings: 0, items: 0 })],
  ])('%s', (_what, records) => {
    expect(() => check(records())).toThrow(expect.objectContaining({ code: expect.stringMatching(/^ERR_EVIDENCE/) }));
  });
});
