import { checkFollows, type Feed, type FeedKey, feedAt } from '../../../lib/domain/feed/feed';
import { parseFeed } from '../../../lib/domain/feed/parse-feed';
import type { KeyState } from '../../../lib/domain/rings/ring';
import { oddBut } from '../../support/odd';
import { activeRecord, keyRecord, NOW, poolKey, ringWith } from '../../support/rings';

const STATES: readonly KeyState[] = ['STANDBY', 'ACTIVE', 'VERIFY_ONLY', 'OBSERVED', 'SUSPECT', 'DENIED', 'RETIRED'];
const CUT = { blinded: 'b1', notBefore: NOW - 5, blocked: true };
const feed = (): Feed => feedAt(ringWith(), [CUT], 42, NOW, 300);
const withKey = (key: Partial<FeedKey>, base = feed()): Feed => ({
  ...base,
  keys: [{ ...(base.keys[0] as FeedKey), ...key }],
});

test('it says the state, the windows and the end of every key but retired ones, and every cut-off', () => {
  const keys = STATES.map((state, n) => (state === 'ACTIVE' ? activeRecord(n + 1) : keyRecord(n + 1, { state })));
  const said = feedAt(ringWith({ keys }), [CUT], 42, NOW, 300);
  expect(said).toMatchObject({
    v: 1,
    ring: 'customer-api',
    seq: 42,
    iat: NOW,
    exp: NOW + 300,
    cut: [['b1', NOW - 5, true]],
  });
  expect(said.keys.map(({ state }) => state)).toEqual(STATES.filter((state) => state !== 'RETIRED'));
  expect(Object.keys(said.keys[0] ?? {}).sort()).toEqual(['alg', 'jwk', 'kid', 'state', 'verifyUntil', 'windows']);
});

test('a key past verifyUntil is not in it', () => {
  const ring = ringWith({ keys: [activeRecord(1, { verifyUntil: NOW })] });
  expect(feedAt(ring, [], 1, NOW, 300).keys).toHaveLength(1);
  expect(feedAt(ring, [], 1, NOW + 1, 300).keys).toHaveLength(0);
});

test('a STANDBY that was prepared, and did sign, is said to issue, since then and until its signUntil', () => {
  const prepared = keyRecord(2, { state: 'STANDBY', kmsState: 'Enabled', preparedAt: NOW - 1, probedAt: NOW });
  const other = keyRecord(3, { state: 'STANDBY', kmsState: 'Disabled', preparedAt: NOW - 1 });
  const said = feedAt(ringWith({ keys: [activeRecord(1), prepared, other] }), [], 1, NOW, 300).keys;
  expect(said.map(({ state }) => state)).toEqual(['ACTIVE', 'ACTIVE', 'STANDBY']);
  expect(said[1]?.windows).toEqual([{ iatFrom: NOW - 1, iatTo: prepared.signUntil }]);
});

test.each([
  ['that was not seen to sign', { probedAt: undefined }],
  ['that was given up since', { probedAt: 0 }],
  ['whose policy somebody changed', { policyState: 'changed' }],
] as const)('a STANDBY %s is not announced', (_what, more) => {
  const key = keyRecord(2, { state: 'STANDBY', kmsState: 'Enabled', preparedAt: NOW - 1, probedAt: NOW, ...more });
  const said = feedAt(ringWith({ keys: [activeRecord(1), key] }), [], 1, NOW, 300).keys;
  expect(said.map(({ state }) => state)).toEqual(['ACTIVE', 'STANDBY']);
});

test('what is written is read', () => {
  expect(parseFeed(JSON.parse(JSON.stringify(feed())))).toEqual(JSON.parse(JSON.stringify(feed())));
});

describe('a document with one thing wrong is refused whole', () => {
  const refused = (document: unknown, message = 'the feed is not a version 1 feed') =>
    expect(() => parseFeed(document)).toThrow(expect.objectContaining({ code: 'ERR_FEED_INVALID', message }));

  test('what is no object', () => {
    for (const odd of oddBut()) refused(odd);
  });
  test('v, ring, seq, iat, exp, keys and cut', () => {
    for (const v of oddBut()) refused({ ...feed(), v });
    for (const ring of oddBut('', 'x', '007', '-1')) refused({ ...feed(), ring });
    for (const name of ['seq', 'iat', 'exp']) for (const odd of oddBut(0)) refused({ ...feed(), [name]: odd });
    for (const name of ['keys', 'cut'])
      for (const odd of oddBut([]).filter((value) => !Array.isArray(value))) refused({ ...feed(), [name]: odd });
  });
  test('a cut-off', () => {
    for (const cut of [
      [],
      ['b'],
      ['b', 1],
      ['b', 1, 1],
      ['b', '1', true],
      ['b', -1, true],
      [1, 1, true],
      ['b', 1, true, 0],
      null,
      {},
    ])
      refused({ ...feed(), cut: [cut] });
  });
  test('the state, the end or the windows of a key', () => {
    for (const state of [...oddBut(), 'RETIRED', 'active']) refused(withKey({ state: state as never }));
    for (const verifyUntil of oddBut(0)) refused(withKey({ verifyUntil: verifyUntil as never }));
    for (const windows of [
      null,
      {},
      'x',
      [{}],
      [{ iatFrom: 1 }],
      [{ iatFrom: 1, iatTo: '2' }],
      [{ iatFrom: -1, iatTo: 2 }],
    ])
      refused(withKey({ windows: windows as never }));
    for (const key of [null, 7, 'x', []]) refused({ ...feed(), keys: [key] });
  });
  test('a kid', () => {
    for (const kid of ['', '../x', 'a b', 'x'.repeat(65), null, 7, {}]) refused(withKey({ kid: kid as never }));
  });
  test('a kid twice', () => {
    const [key] = feed().keys;
    refused({ ...feed(), keys: [key, key] }, 'the feed names a kid twice');
  });
  test('a key under the kid or the alg of another', () => {
    refused(withKey({ kid: poolKey(2).jwk.kid }), 'a key of the feed is not the key it says');
    refused(withKey({ jwk: poolKey(2).jwk }), 'a key of the feed is not the key it says');
    refused(withKey({ alg: 'ES384' }), 'a key of the feed is not the key it says');
  });
});

describe('what may follow', () => {
  const next = (more: Partial<Feed> = {}): Feed => ({ ...feed(), seq: 43, iat: NOW + 5, exp: NOW + 305, ...more });
  const inState =
    (state: KeyState, more: Partial<FeedKey> = {}) =>
    (base: Feed) =>
      withKey({ state, ...more }, base);
  const refused = (last: Feed, following: Feed, why: string) =>
    expect(() => checkFollows(last, following)).toThrow(
      expect.objectContaining({ code: 'ERR_FEED_ROLLBACK', message: `the feed takes something back: ${why}` }),
    );

  test('a newer document, or the very same one again', () => {
    expect(() => checkFollows(feed(), next())).not.toThrow();
    expect(() => checkFollows(feed(), feed())).not.toThrow();
  });

  test('an older seq, the same seq of another time, and another ring are refused', () => {
    refused(feed(), next({ seq: 41 }), 'its seq is older');
    refused(feed(), next({ seq: 42 }), 'its seq is older');
    refused(feed(), next({ ring: 'other' }), 'it is of another ring');
  });

  test.each(STATES.filter((state) => state !== 'DENIED' && state !== 'RETIRED'))('DENIED never becomes %s', (state) => {
    refused(inState('DENIED')(feed()), inState(state)(next()), 'a DENIED kid is back');
  });

  test.each(['STANDBY', 'ACTIVE', 'VERIFY_ONLY', 'OBSERVED'] as const)('SUSPECT never becomes %s', (state) => {
    refused(inState('SUSPECT')(feed()), inState(state)(next()), 'a SUSPECT kid is back');
  });

  test('SUSPECT may become DENIED', () => {
    expect(() => checkFollows(inState('SUSPECT')(feed()), inState('DENIED')(next()))).not.toThrow();
  });

  test('a DENIED kid leaves only when its tokens are over', () => {
    const denied = inState('DENIED', { verifyUntil: NOW + 100 })(feed());
    refused(denied, next({ keys: [], iat: NOW + 100 }), 'a DENIED kid is back');
    expect(() => checkFollows(denied, next({ keys: [], iat: NOW + 101 }))).not.toThrow();
  });

  test('a cut-off never moves back and never leaves', () => {
    refused(feed(), next({ cut: [] }), 'a cut-off moved back');
    refused(feed(), next({ cut: [['b1', NOW - 6, true]] }), 'a cut-off moved back');
    expect(() =>
      checkFollows(
        feed(),
        next({
          cut: [
            ['b1', NOW, true],
            ['b2', 1, true],
          ],
        }),
      ),
    ).not.toThrow();
  });
});

test('a blocked subject does not come back, though its cut-off stays where it is', () => {
  const after = { ...feed(), seq: 43, cut: [[CUT.blinded, CUT.notBefore, false]] as const };
  expect(() => checkFollows(feed(), after)).toThrow(
    expect.objectContaining({
      code: 'ERR_FEED_ROLLBACK',
      message: 'the feed takes something back: a blocked subject is back',
    }),
  );
});
