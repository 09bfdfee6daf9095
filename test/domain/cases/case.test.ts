import fc from 'fast-check';
import { isCurfewError } from '../../../lib/domain/base/errors';
import {
  type CaseFold,
  type CaseMeta,
  type CaseName,
  caseIdOf,
  checkAttempt,
  DEPARTURE_KINDS,
  type Departure,
  doubt,
  exposureOnly,
  foldDeparture,
  joins,
} from '../../../lib/domain/cases/case';
import { transition } from '../../../lib/domain/cases/transitions';

const departure = (kind: Departure['kind'], effectiveAt: number): Departure => ({
  kind,
  workerId: 'W-1042',
  effectiveAt,
  zone: 'Z',
  sourceEventId: 'msg_1',
});

const META: CaseMeta = {
  caseId: 'c-x',
  workerId: 'W-1042',
  pseudonym: 'p',
  state: 'OPEN',
  version: 1,
  attempt: 1,
  fence: 4,
  kind: 'transfer',
  dates: [100],
  rescinded: false,
  dueAt: 100,
  source: 'hr',
  corroboration: 'signed-fact',
  hrEventAt: 1,
  acceptedAt: 2,
  openedAt: 3,
};

test('a case id is c- and 22 characters, of the worker, the instant, the kind and the pepper, and no two parts run into another', () => {
  const idOf = (instance: string, workerId: string, effectiveAt: number, more: Partial<CaseName> = {}, pepper = 'p') =>
    caseIdOf(pepper, { instance, workerId, effectiveAt, kind: 'termination', ...more });
  expect(idOf('demo', 'W-1042', 1_800_000_000)).toMatch(/^c-[\w-]{22}$/);
  const ids = [
    idOf('demo', 'W-1', 23),
    idOf('demo', 'W-12', 3),
    idOf('dem', 'oW-1', 23),
    idOf('demo', 'W-1', 24),
    idOf('demo', 'W-1', 24, { kind: 'transfer' }),
    idOf('demo', 'W-1', 24, { kind: 'follow-up' }),
    idOf('demo', 'W-1', 24, {}, 'another pepper'),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

test('statements in any order, however often, come to the same case', () => {
  const statement = fc.record({
    kind: fc.constantFrom(...DEPARTURE_KINDS),
    effectiveAt: fc.integer({ min: 1, max: 5 }),
    rescinded: fc.boolean(),
  });
  const fold = (statements: { kind: Departure['kind']; effectiveAt: number; rescinded: boolean }[]) =>
    statements.reduce<CaseFold | undefined>(
      (all, { kind, effectiveAt, rescinded }) => foldDeparture(all, departure(kind, effectiveAt), rescinded),
      undefined,
    );
  fc.assert(
    fc.property(
      fc
        .array(statement, { minLength: 1, maxLength: 6 })
        .chain((statements) =>
          fc.tuple(
            fc.constant(statements),
            fc.shuffledSubarray([...statements, ...statements], { minLength: statements.length * 2 }),
          ),
        ),
      ([statements, shuffled]) => {
        expect(fold(shuffled)).toEqual(fold(statements));
      },
    ),
  );
});

test('the earliest date counts and a second one is doubt: a later statement does not keep access alive', () => {
  const fold = [300, 100, 200].reduce<CaseFold | undefined>(
    (all, at) => foldDeparture(all, departure('termination', at), false),
    undefined,
  );
  expect(fold?.dates).toEqual([100, 200, 300]);
  expect(doubt({ ...META, ...(fold as CaseFold) })).toMatch(/more than one date/);
});

test.each([
  [{}, undefined],
  [{ corroboration: 'confirmed' as const }, /not read back/],
  [{ rescinded: true }, /took the departure back/],
])('doubt %#', (more, reason) => {
  const said = doubt({ ...META, ...more });
  if (reason === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(reason);
});

test.each([
  ['OPEN', 'termination', true],
  ['DUE', 'termination', true],
  ['CONTAINING', 'transfer', true],
  ['CONTAINING', 'termination', false],
  ['CLOSED', 'contract_end', false],
] as const)('a case of a transfer that is %s is joined by a %s: %s', (state, kind, expected) => {
  expect(joins({ ...META, state }, departure(kind, 200))).toBe(expected);
});

test('nothing joins a follow-up: it waits for sessions to expire, and must not be hastened', () => {
  expect(joins({ ...META, followUpOf: 'c-first' }, departure('transfer', 50))).toBe(false);
});

test('a transfer and a follow-up end custody and leave access alone', () => {
  expect([
    exposureOnly(META),
    exposureOnly({ kind: 'termination' }),
    exposureOnly({ kind: 'termination', followUpOf: 'c-first' }),
  ]).toEqual([true, false, true]);
});

test('a transition is refused to whoever read an older fence, or is of another attempt', () => {
  const [update] = transition(META, { state: 'DUE' });
  expect(update).toMatchObject({
    set: { state: 'DUE', fence: 5, version: 2 },
    if: [
      { attribute: 'fence', is: '=', value: 4 },
      { attribute: 'attempt', is: '=', value: 1 },
    ],
  });
});

test.each([
  [undefined, 1, 'ERR_NOT_FOUND', 'no case c-x'],
  [META, 2, 'ERR_CASE_STATE', 'case c-x is at attempt 1'],
  [META, 1, 'ERR_CASE_STATE', 'case c-x is OPEN'],
])('a step of no case, of another attempt, or too early is refused %#', (meta, attempt, code, message) => {
  try {
    checkAttempt(meta, 'c-x', attempt, ['CONTAINING']);
    throw new Error('not refused');
  } catch (error) {
    if (!isCurfewError(error)) throw error;
    expect([error.code, error.message]).toEqual([code, message]);
  }
});
