/** The schedule against an oracle, and what a case that has begun makes of what HR says afterwards. */
import fc from 'fast-check';
import type { Begun } from '../../../lib/domain/cases/departure';
import type { Said } from '../../../lib/domain/store/worker';
import { counted, extent } from '../../support/extent';
import { oracle, type Word } from './departure-oracle';
import { departureUnderTest } from './mutants';

const { reasonsAgainst, scheduledDepartures } = departureUnderTest();

const DAY = 86_400;
const T0 = 1_800_000_000;

const said = (more: Partial<Said>): Said => ({
  kind: 'termination',
  workerId: 'W-1',
  saidAt: T0,
  timedBy: 'event',
  effectiveAt: T0 + 10 * DAY,
  meaning: 'access-end',
  zone: 'Z',
  sourceEventId: `${more.saidAt ?? T0}`,
  source: 'a',
  origin: 'a',
  corroboration: 'signed-fact',
  receivedAt: more.saidAt ?? T0,
  bodySha256: 'q',
  ...more,
});
const begun = (more: Partial<Begun>): Begun => ({
  caseId: 'c-1',
  act: 'end',
  number: 1,
  effectiveAt: T0,
  openedAt: T0,
  voices: [{ source: 'a', origin: 'a' }],
  ...more,
});

const KINDS = { leaves: 'termination', moves: 'transfer', back: 'rescinded', rehired: 'rehire' } as const;
const toSaid = ({ source, kind, saidAt, at, means }: Word): Said =>
  said({ source, origin: source, kind: KINDS[kind], saidAt, effectiveAt: at, meaning: means });

const word = fc.record<Word>({
  source: fc.constantFrom('a', 'b'),
  kind: fc.constantFrom('leaves', 'leaves', 'moves', 'back', 'rehired'),
  saidAt: fc.integer({ min: T0, max: T0 + 6 }),
  at: fc.constantFrom(0, 1, 30, 36, 37, 40 * 24).map((hours) => T0 + 10 * DAY + hours * 3600),
  means: fc.constantFrom('access-end', 'access-end', 'employment-end'),
});

test('whatever HR says, in whatever order and however often: the schedule of the oracle', () => {
  const runs = extent(20_000, 200_000);
  fc.assert(
    fc.property(fc.array(word, { maxLength: 7 }), fc.infiniteStream(fc.nat()), (words, order) => {
      const shuffled = [...words, ...words.slice(0, 2)].sort(() => ((order.next().value ?? 0) % 3) - 1);
      const [departure] = scheduledDepartures(shuffled.map(toSaid), []).filter(({ act }) => act === 'end');
      const { at, final, asked } = oracle(words);
      expect([departure?.effectiveAt, departure?.finalAt, (departure?.reasons.length ?? 0) > 0]).toEqual([
        at,
        final,
        asked,
      ]);
    }),
    { numRuns: runs },
  );
  process.stdout.write(`departures: ${counted(runs)} sequences of statements, as the oracle has them\n`);
});

const acts = (statements: readonly Said[], cases: readonly Begun[] = []) =>
  scheduledDepartures(statements, cases).map(({ act, effectiveAt }) => [act, (effectiveAt - T0) / DAY]);

describe('before a case has begun', () => {
  test('a contract that ends does not end access while another one lasts', () => {
    const first = said({ employment: 'c1', effectiveAt: T0 + 10 * DAY });
    const second = said({ employment: 'c2', effectiveAt: T0 + 20 * DAY, saidAt: T0 + 1 });
    expect(acts([first, second])).toEqual([['end', 20]]);
    const again = said({ kind: 'rehire', employment: 'c3', effectiveAt: T0 + 9 * DAY, saidAt: T0 + 2 });
    expect(acts([first, again])).toEqual([]);
    expect(acts([first, { ...again, effectiveAt: T0 + 11 * DAY }])).toEqual([['end', 10]]);
    expect(acts([said({}), again])).toEqual([['end', 10]]);
  });

  test('leave changes nothing, and a suspension stands beside the end', () => {
    const leave = said({ kind: 'leave', saidAt: T0 + 1 });
    const suspended = said({ kind: 'suspension', effectiveAt: T0, saidAt: T0 + 2 });
    expect(acts([said({}), leave, suspended])).toEqual([
      ['suspend', 0],
      ['end', 10],
    ]);
  });

  test('what is only known by its receipt postpones and cancels with a second voice alone', () => {
    const first = said({ source: 'b', origin: 'b' });
    const late = said({ source: 'b', origin: 'b', timedBy: 'receipt', effectiveAt: T0 + 40 * DAY, saidAt: T0 + 1 });
    expect(acts([first, late])).toEqual([['end', 10]]);
    expect(acts([first, late, said({ effectiveAt: T0 + 40 * DAY })])).toEqual([['end', 40]]);
    const sooner = { ...late, effectiveAt: T0 + 2 * DAY };
    expect(acts([first, sooner])).toEqual([['end', 2]]);
    const back = { ...late, kind: 'rescinded' as const };
    expect(acts([first, back])).toEqual([['end', 10]]);
  });
});

describe('after a case has begun', () => {
  const told = said({ effectiveAt: T0, saidAt: T0 - 5 });
  const later = (days: number, more: Partial<Said> = {}) =>
    said({ effectiveAt: T0 + days * DAY, saidAt: T0 + 100, ...more });
  const reasons = (statements: readonly Said[], meta: Partial<Begun> = {}, overruled: readonly string[] = []) =>
    reasonsAgainst(begun(meta), statements, [begun(meta)], overruled);

  test.each<[string, Said, readonly string[], readonly unknown[]]>([
    ['the same instant again', later(0), [], []],
    ['36 hours later', later(1.5), [], []],
    ['another date that had come when it was told', later(2, { receivedAt: T0 + 3 * DAY }), [], []],
    ['a date to come', later(20), ['moved:a'], []],
    ['a date to come, of another departure', later(40), ['moved:a'], [['end', 40]]],
    ['a date to come, of a source that was not heard before', later(20, { source: 'b' }), ['moved:b'], []],
    ['taken back', later(0, { kind: 'rescinded' }), ['withdrawn:a'], []],
    ['taken back by a source that never said it', later(0, { kind: 'rescinded', source: 'b' }), [], []],
    ['taken back before it was said', later(0, { kind: 'rescinded', saidAt: T0 - 9 }), [], []],
    ['a transfer', later(0, { kind: 'transfer' }), [], []],
    ['a transfer to come', later(3, { kind: 'transfer' }), [], []],
  ])('%s', (_what, statement, asked, scheduled) => {
    expect([reasons([told, statement]), acts([told, statement], [begun({})])]).toEqual([asked, scheduled]);
  });

  test('after a go-on the same source stops it no more, whatever it says; another one does', () => {
    const back = later(0, { kind: 'rescinded' });
    const b = said({ source: 'b', effectiveAt: T0, saidAt: T0 - 4 });
    const voices = [
      { source: 'a', origin: 'a' },
      { source: 'b', origin: 'b' },
    ];
    expect(reasons([told, back], {}, ['moved:a'])).toEqual([]);
    const alsoBack = { ...back, source: 'b' };
    expect(reasons([told, b, back, alsoBack], { voices }, ['withdrawn:a'])).toEqual(['withdrawn:b']);
  });

  test.each<[string, Partial<Begun>, Said, boolean]>([
    ['closed for 29 days', { closedAt: T0 + DAY }, later(30, { saidAt: T0 + 30 * DAY - 1 }), false],
    ['closed for 30 days', { closedAt: T0 + DAY }, later(31, { saidAt: T0 + 31 * DAY }), true],
    ['given back', { givenBackAt: T0 + DAY }, later(2, { saidAt: T0 + 2 * DAY }), true],
    ['given back, and the same date said again', { givenBackAt: T0 + DAY }, later(0, { saidAt: T0 + 2 * DAY }), true],
    ['given back, of what was said before', { givenBackAt: T0 + DAY }, later(1), false],
    ['given back, of a date to come that was said before', { givenBackAt: T0 + DAY }, later(9), true],
    ['never closed, more than a month later', {}, later(32, { saidAt: T0 + 32 * DAY }), true],
    ['never closed, within the month', {}, later(20, { saidAt: T0 + 20 * DAY }), false],
    ['a suspension', { act: 'suspend' }, later(0), true],
    ['a transfer', { act: 'custody' }, later(0), true],
  ])('a case that is %s: is the next departure another one?', (_what, meta, statement, isNew) => {
    expect(acts([told, statement], [begun(meta)]).length > 0).toBe(isNew || meta.act !== undefined);
    if (meta.act === undefined) expect(acts([told, statement], [begun(meta)]).length).toBe(isNew ? 1 : 0);
  });

  test('after a rehire the next departure is another one, and not before it', () => {
    const rehired = said({ kind: 'rehire', effectiveAt: T0 + 5 * DAY, saidAt: T0 + 4 * DAY });
    expect(acts([told, rehired, later(6)], [begun({})])).toEqual([['end', 6]]);
    expect(acts([told, rehired, later(4)], [begun({})])).toEqual([]);
  });

  test('a mistaken day that was given back replaces nothing: the day to come that was said before it stands', () => {
    const meant = said({ effectiveAt: T0 + 50 * DAY, saidAt: T0 - 9 * DAY, receivedAt: T0 - 9 * DAY });
    const mistake = said({ effectiveAt: T0, saidAt: T0 - 10, receivedAt: T0 - 10 });
    expect(acts([meant, mistake], [begun({ givenBackAt: T0 + DAY })])).toEqual([['end', 50]]);
  });

  test('a day that was replaced by that of the case does not come back after a rehire', () => {
    const replaced = said({ effectiveAt: T0 + 6 * DAY, saidAt: T0 - 10 });
    const moved = said({ effectiveAt: T0, saidAt: T0 - 5 });
    const rehired = (saidAt: number) => said({ kind: 'rehire', effectiveAt: T0 + 5 * DAY, saidAt });
    expect(acts([replaced, moved, rehired(T0 + 4 * DAY)], [begun({})])).toEqual([]);
    // Said after they knew of the rehire, it corrects the first departure, and the second stands.
    expect(acts([replaced, moved, rehired(T0 - 20)], [begun({})])).toEqual([['end', 6]]);
  });
});

describe('what an attacker found', () => {
  const T = T0;
  test('a worker with an old contract id leaves again under a new one', () => {
    const first = said({ employment: 'c3', effectiveAt: T, saidAt: T - 5 });
    const rehired = said({ kind: 'rehire', employment: 'c3', effectiveAt: T - 100 * DAY, saidAt: T - 100 * DAY });
    const again = said({ kind: 'rehire', employment: 'c4', effectiveAt: T + 20 * DAY, saidAt: T + 19 * DAY });
    const second = said({ employment: 'c4', effectiveAt: T + 300 * DAY, saidAt: T + 300 * DAY });
    expect(acts([rehired, first, again, second], [begun({ closedAt: T + DAY })])).toEqual([['end', 300]]);
  });

  test('a contract whose end was taken back, and another that ends: contained, and people are asked', () => {
    const one = said({ employment: 'c1' });
    const back = said({ kind: 'rescinded', employment: 'c1', saidAt: T + 1 });
    const other = said({ employment: 'c2', effectiveAt: T + 30 * DAY, saidAt: T + 2 });
    const [departure] = scheduledDepartures([one, back, other], []);
    expect([departure?.effectiveAt, departure?.reasons]).toEqual([T + 30 * DAY, ['contradiction']]);
  });

  test('the end of the employment, after garden leave, is no doubt and no departure of its own', () => {
    const access = said({ effectiveAt: T, saidAt: T - 9 });
    for (const days of [20, 60]) {
      const employment = said({ source: 'b', meaning: 'employment-end', effectiveAt: T + days * DAY, saidAt: T - 8 });
      const meta = begun({
        voices: [
          { source: 'a', origin: 'a' },
          { source: 'b', origin: 'b' },
        ],
      });
      expect([reasonsAgainst(meta, [access, employment], [meta], []), acts([access, employment], [meta])]).toEqual([
        [],
        [],
      ]);
    }
  });

  test('a second voice that says something quite different confirms nothing', () => {
    const one = said({ effectiveAt: T, saidAt: T - 9, corroboration: 'confirmed' });
    for (const days of [-25, -400]) {
      const other = said({ source: 'b', corroboration: 'confirmed', effectiveAt: T + days * DAY, saidAt: T + 9 });
      expect(reasonsAgainst(begun({}), [one, other], [begun({})], [])).toContain('unconfirmed');
    }
  });

  test.each(['transfer', 'termination'] as const)(
    'F-A9: 25 corrected dates of a %s that are past are one departure',
    (kind) => {
      const dates = Array.from({ length: 25 }, (_, n) =>
        said({ kind, effectiveAt: T - n * 32 * DAY, saidAt: T + 100 * n, receivedAt: T + 100 * n }),
      );
      const act = kind === 'transfer' ? 'custody' : 'end';
      expect(acts(dates, [begun({ act, effectiveAt: T - 800 * DAY, openedAt: T })])).toEqual([]);
    },
  );

  test('what is said before a give-back and arrives after it counts: nobody had it before them', () => {
    const late = said({ source: 'b', effectiveAt: T, saidAt: T + DAY - 5, receivedAt: T + DAY + 20 });
    expect(acts([said({ effectiveAt: T, saidAt: T - 9 }), late], [begun({ givenBackAt: T + DAY })])).toEqual([
      ['end', 0],
    ]);
  });

  test('a case that was closed long ago is not asked about the next departure', () => {
    const meta = begun({ closedAt: T + DAY });
    const next = said({ effectiveAt: T + 400 * DAY, saidAt: T + 390 * DAY });
    expect(reasonsAgainst(meta, [said({ effectiveAt: T, saidAt: T - 9 }), next], [meta], [])).toEqual([]);
  });

  test('a rescind that names no known date takes back what was said last', () => {
    const leaves = said({});
    const moves = said({ kind: 'transfer', effectiveAt: T + 5 * DAY, saidAt: T + 1 });
    const back = said({ kind: 'rescinded', effectiveAt: T + 7 * DAY, saidAt: T + 2 });
    expect(acts([leaves, moves, back])).toEqual([['end', 10]]);
  });
});
