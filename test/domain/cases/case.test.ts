import { isCurfewError } from '../../../lib/domain/base/errors';
import {
  type CaseName,
  caseIdOf,
  checkAttempt,
  type DepartureCase,
  exposureOnly,
  shownState,
  stopOf,
} from '../../../lib/domain/cases/case';
import { transition } from '../../../lib/domain/cases/transitions';

const META: DepartureCase = {
  kind: 'departure',
  caseId: 'c-x',
  workerId: 'W-1042',
  pseudonym: 'p',
  state: 'OPEN',
  version: 1,
  attempt: 1,
  fence: 4,
  act: 'custody',
  number: 1,
  effectiveAt: 100,
  finalAt: 100,
  voices: [{ source: 'hr', origin: 'hr' }],
  questions: [],
  dueAt: 100,
  source: 'hr',
  corroboration: 'signed-fact',
  hrEventAt: 1,
  acceptedAt: 2,
  openedAt: 3,
};

test('a case id is c- and 22 characters, of the worker, the number and the kind, and no two parts run into another', () => {
  const idOf = (instance: string, workerId: string, number: number, more: Partial<CaseName> = {}, pepper = 'p') =>
    caseIdOf(pepper, { instance, workerId, number, kind: 'departure', ...more });
  expect(idOf('demo', 'W-1042', 1)).toMatch(/^c-[\w-]{22}$/);
  const ids = [
    idOf('demo', 'W-1', 23),
    idOf('demo', '3W-1', 2),
    idOf('demo', 'W-12', 3),
    idOf('dem', 'oW-1', 23),
    idOf('demo', 'W-1', 24),
    idOf('demo', 'W-1', 24, { kind: 'follow-up' }),
    idOf('demo', 'W-1', 24, {}, 'another pepper'),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

const QUESTION = { n: 1, reasons: ['moved:hr', 'unconfirmed'], about: 'q', askedAt: 5 };

test.each<[string, Partial<DepartureCase>, { why?: RegExp; until?: number }]>([
  ['nothing', {}, {}],
  [
    'an open question',
    { questions: [QUESTION] },
    { why: /^question 1: after the departure had begun, the source named a later date \(hr\); one source/ },
  ],
  ['a question that is over', { questions: [{ ...QUESTION, endedAt: 6, endedBy: 'go-on' }] }, {}],
  ['a suspension', { act: 'suspend' }, { why: /contains, and does nothing else/ }],
  ['a later instant', { finalAt: 1001 }, { why: /has not come/, until: 1001 }],
  ['a later instant that has come', { finalAt: 1000 }, {}],
  ['a departure given back', { givenBackAt: 900 }, { why: /gave the departure back/ }],
])('%s stops a case, or does not', (_what, more, { why, until }) => {
  const stop = stopOf({ ...META, ...more }, 1000);
  if (why === undefined) expect(stop).toBeUndefined();
  else expect([stop?.why, stop?.until]).toEqual([expect.stringMatching(why), until]);
});

test.each<[string, Partial<DepartureCase>]>([
  ['OPEN', {}],
  ['CONTAINING', { state: 'CONTAINING', questions: [QUESTION] }],
  ['HELD', { state: 'ACTING', containedAt: 9, questions: [QUESTION] }],
  ['CLOSED', { state: 'CLOSED', containedAt: 9, questions: [QUESTION] }],
  ['GIVEN BACK', { state: 'CLOSED', containedAt: 9, givenBackAt: 10 }],
])('people read %s', (shown, more) => {
  expect(shownState({ ...META, ...more })).toBe(shown);
});

test('a transfer and a follow-up end custody and leave access alone', () => {
  expect([
    exposureOnly(META),
    exposureOnly({ act: 'end' }),
    exposureOnly({ act: 'end', followUpOf: 'c-first' }),
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
