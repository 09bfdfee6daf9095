import type { KeyState } from '../../../lib/domain/rings/ring';
import {
  currentKeys,
  exchangeResponse,
  isCollectable,
  isExchangeable,
  parseExchange,
} from '../../../lib/domain/tokens/exchange';
import { keyRecord, NOW, ringWith } from '../../support/rings';

const GOOD = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token: 'a.b.c',
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
};
const form = (parameters: Record<string, string>) => new URLSearchParams(parameters).toString();
const without = (name: keyof typeof GOOD) =>
  form(Object.fromEntries(Object.entries(GOOD).filter(([other]) => other !== name)));
const REFUSED = expect.objectContaining({
  code: 'ERR_EXCHANGE_REFUSED',
  message: 'the token cannot be exchanged',
  got: undefined,
  allowed: undefined,
});

describe('the form', () => {
  test('holds the token, and may say what it asks for and who asks', () => {
    expect(parseExchange(form(GOOD))).toEqual({ subjectToken: 'a.b.c' });
    expect(parseExchange(form({ ...GOOD, requested_token_type: GOOD.subject_token_type, client_id: 'web' }))).toEqual({
      subjectToken: 'a.b.c',
    });
  });

  test.each<[string, string]>([
    ['grant_type is missing', without('grant_type')],
    ['grant_type is another', form({ ...GOOD, grant_type: 'authorization_code' })],
    ['grant_type has a space', form({ ...GOOD, grant_type: `${GOOD.grant_type} ` })],
    ['subject_token is missing', without('subject_token')],
    ['subject_token is empty', form({ ...GOOD, subject_token: '' })],
    ['subject_token_type is missing', without('subject_token_type')],
    [
      'subject_token_type is an ID token',
      form({ ...GOOD, subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }),
    ],
    [
      'subject_token_type is a refresh token',
      form({ ...GOOD, subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
    ],
    [
      'requested_token_type is another',
      form({ ...GOOD, requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
    ],
    ['scope is asked for', form({ ...GOOD, scope: 'admin' })],
    ['audience is asked for', form({ ...GOOD, audience: 'https://other.example' })],
    ['resource is asked for', form({ ...GOOD, resource: 'https://other.example' })],
    ['an actor_token is given', form({ ...GOOD, actor_token: 'a.b.c' })],
    ['an unknown parameter is given', form({ ...GOOD, debug: '1' })],
    ['subject_token stands twice', `${form(GOOD)}&subject_token=x.y.z`],
    ['grant_type stands twice', `${form(GOOD)}&grant_type=${GOOD.grant_type}`],
    ['it is JSON', JSON.stringify(GOOD)],
    ['it is empty', ''],
    ['it is a megabyte of nothing', '&'.repeat(1_000_000)],
  ])('%s: the one refusal', (_what, text) => {
    expect(() => parseExchange(text)).toThrow(REFUSED);
  });
});

describe('a presented token may be traded in', () => {
  const taint = { class: 'compromise' as const, reason: 'copied-possible', at: NOW, cases: [] };

  test.each<[KeyState, boolean]>([
    ['SUSPECT', true],
    ['DENIED', true],
    ['ACTIVE', false],
    ['STANDBY', false],
    ['VERIFY_ONLY', false],
    ['OBSERVED', false],
    ['RETIRED', false],
  ])('under a tainted %s key: %s', (state, may) => {
    expect(isExchangeable(keyRecord(1, { state, taint }))).toBe(may);
  });

  test('not under a key that is DENIED or SUSPECT without a taint, one whose tokens leaked, or none', () => {
    for (const state of ['SUSPECT', 'DENIED'] as const) {
      expect(isExchangeable(keyRecord(1, { state }))).toBe(false);
      expect(isExchangeable(keyRecord(1, { state, taint: { ...taint, reason: 'token-leak' } }))).toBe(false);
    }
    expect(isExchangeable(undefined)).toBe(false);
  });

  test('one feed poll after the taint, when every verifier knows the new window', () => {
    const key = keyRecord(1, { state: 'SUSPECT', taint });
    expect([4, 5].map((later) => isCollectable(key, 5, NOW + later))).toEqual([false, true]);
    expect(isCollectable(keyRecord(1), 5, NOW)).toBe(false);
  });
});

test('the current version is looked for under keys that are good now, the last activated first', () => {
  const states: KeyState[] = ['ACTIVE', 'VERIFY_ONLY', 'SUSPECT', 'DENIED', 'STANDBY', 'OBSERVED', 'RETIRED'];
  const keys = states.map((state, n) => keyRecord(n + 1, { state, activatedAt: NOW - n, verifyUntil: NOW + 10 }));
  expect(currentKeys(ringWith({ keys }), NOW).map(({ state }) => state)).toEqual(['ACTIVE', 'VERIFY_ONLY']);
  expect(currentKeys(ringWith({ keys }), NOW + 11)).toEqual([]);
});

test('the answer has four members, and none of them a new life', () => {
  expect(exchangeResponse('x.y.z', NOW + 60, NOW)).toEqual({
    access_token: 'x.y.z',
    issued_token_type: GOOD.subject_token_type,
    token_type: 'Bearer',
    expires_in: 60,
  });
});
