/** Minutes after a healthy deployment the doctor calls nothing a problem that is only young; later it does. */
import { type AlarmedInstance, diagnoseAlarms, expectedAlarms } from '../../../lib/domain/health/alarm-diagnosis';
import { diagnoseRing, type RingFacts } from '../../../lib/domain/health/ring-diagnosis';
import type { KeyRecord, Ring } from '../../../lib/domain/rings/ring';
import { CFG, DAY, keyRecord, NOW, ringWith } from '../../support/rings';

const served = { status: 404, body: '' };
const factsOf = (ring: Ring, at: number, more: Partial<RingFacts> = {}): RingFacts => ({
  ring,
  at,
  publicBaseUrl: 'https://curfew.test',
  jwks: served,
  discovery: served,
  discovered: { document: served },
  feed: { unseen: '' },
  kms: {},
  waves: {},
  roles: { accountId: '000000000000', roleArns: { issuer: '', resigner: '', rotator: '', disabler: '' } },
  watchedAt: { seen: undefined },
  ...more,
});
const row = (check: string, ring: Ring, at: number, more: Partial<RingFacts> = {}) =>
  diagnoseRing(factsOf(ring, at, more)).find((finding) => finding.check === check);

/** The row `alarms`, where these are in state ALARM. */
function alarms(
  ringing: readonly string[],
  at: number,
  rings: readonly Ring[] = [ringWith()],
  signingMadeAt = NOW,
  state = 'ALARM',
) {
  const instance: Omit<AlarmedInstance, 'alarms'> = {
    instance: 'prod',
    at,
    stacks: { signing: 'CREATE_COMPLETE' },
    signingMadeAt,
    rings: { seen: rings.map((ring) => factsOf(ring, at)) },
  };
  const found = expectedAlarms(instance).map((name) => ({
    name,
    state: ringing.includes(name.slice('curfew-prod-'.length)) ? state : 'OK',
    hasAction: true,
    isMuted: false,
  }));
  return diagnoseAlarms({ ...instance, alarms: { seen: found } })[0];
}

const FIRST_MINUTES = ['FeedAge', 'customer-api-FeedAge', 'customer-api-StandbyKeys', 'customer-api-ActiveKeyAge'];

test.each(['ALARM', 'INSUFFICIENT_DATA'])(
  'alarms that say %s because they have no figure yet are young, with when to ask again',
  (state) => {
    expect(alarms(FIRST_MINUTES, NOW + 240, [ringWith()], NOW, state)).toEqual({
      of: 'instance',
      check: 'alarms',
      state: 'unknown',
      found: expect.stringMatching(/^young: 4 of 1\d had no figures to judge by yet: customer-api-ActiveKeyAge, /),
      fix: 'ask again after 2027-01-15T08:16:10Z',
    });
  },
);

test('the facts decide: the same alarms of a ring that has been there for an hour are a problem', () => {
  expect(alarms(FIRST_MINUTES, NOW + 3600)).toMatchObject({
    state: 'problem',
    found: expect.stringContaining('FeedAge: ALARM'),
  });
});

test('one that counts events is never young: something happened', () => {
  for (const name of ['customer-api-KeyPolicyPuts', 'KeyPolicyPuts', 'SignErrors', 'signing-DeadLetters'])
    expect(alarms([...FIRST_MINUTES, name], NOW + 240)).toMatchObject({ state: 'problem', found: `${name}: ALARM` });
});

test('a ring that was added makes only its own alarms young', () => {
  const added = ringWith({
    id: 'partners',
    slots: [{ slot: 1, state: 'ADOPTED', at: NOW, nonce: 'n', signUntil: NOW + DAY }],
  });
  const old = ringWith({ slots: [{ slot: 1, state: 'ADOPTED', at: NOW - DAY, nonce: 'n', signUntil: NOW + DAY }] });
  const at = (...names: string[]) => alarms(names, NOW + 240, [old, added], NOW - DAY);
  expect(at('partners-FeedAge')?.state).toBe('unknown');
  expect(at('customer-api-FeedAge')).toMatchObject({ state: 'problem', found: 'customer-api-FeedAge: ALARM' });
  expect(at('FeedAge')).toMatchObject({ state: 'problem', found: 'FeedAge: ALARM' });
});

test('StandbyKeys is young while the STANDBYs wait for the slowest declared verifier cache', () => {
  const ring = ringWith({ cfg: { ...CFG, cacheSeconds: 7200 } });
  expect(alarms(['customer-api-StandbyKeys'], NOW + 7000, [ring])).toMatchObject({
    state: 'unknown',
    fix: 'ask again after 2027-01-15T10:15:10Z',
  });
  expect(row('STANDBYs', ring, NOW + 60)).toMatchObject({
    state: 'ok',
    found: '2 stand by, 0 ready to sign now; all of them from 2027-01-15T10:00:10Z on',
  });
  expect(alarms(['customer-api-StandbyKeys'], NOW + DAY, [ring])?.state).toBe('problem');
  // One that lacks a STANDBY is short of it, however young the other one is.
  const short = { ...ring, keys: ring.keys.slice(0, 2) };
  expect(alarms(['customer-api-StandbyKeys'], NOW + 7000, [short])?.state).toBe('problem');
});

test('a ring that is being born has no ACTIVE key yet; one that is not born after a quarter of an hour has a problem', () => {
  const ring = ringWith({ activations: 0, activeKid: undefined, keys: [keyRecord(1)] });
  for (const check of ['issuing', 'STANDBYs']) {
    expect(row(check, ring, NOW + 60)).toMatchObject({ state: 'unknown', found: expect.stringMatching(/^young: /) });
    expect(row(check, ring, NOW + 1000)).toMatchObject({ state: 'problem' });
  }
});

test('no figures, and no feed, are young at first and a problem later', () => {
  const absent = { feed: { seen: { refused: 'the feed URL answers 404', isAbsent: true } } };
  expect(row('figures', ringWith(), NOW + 240)).toMatchObject({
    state: 'unknown',
    found: 'young: CloudWatch shows none yet',
  });
  expect(row('figures', ringWith(), NOW + 3600)).toMatchObject({ state: 'problem' });
  expect(row('feed', ringWith(), NOW + 60, absent)).toMatchObject({
    state: 'unknown',
    found: 'young: none is published yet',
  });
  expect(row('feed', ringWith(), NOW + 240, absent)).toMatchObject({ state: 'problem' });
  const forged = { feed: { seen: { refused: 'the feed is not signed by a pinned feed key', isAbsent: false } } };
  expect(row('feed', ringWith(), NOW + 60, forged)).toMatchObject({ state: 'problem' });
});

test('a CDN may not have the youngest STANDBYs yet; a key that others need, and one for longer, is a problem', () => {
  const ring = ringWith();
  const [active, ...standbys] = ring.keys;
  const having = (keys: readonly KeyRecord[]) => ({
    jwks: { status: 200, body: JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }) },
  });
  const only = having(active ? [active] : []);
  expect(row('JWKS', ring, NOW + 100, only)).toMatchObject({
    state: 'unknown',
    found: expect.stringMatching(/^young: lacks \S{8}, \S{8}$/),
    fix: 'ask again after 2027-01-15T08:02:10Z',
  });
  expect(row('JWKS', ring, NOW + 200, only)).toMatchObject({
    state: 'problem',
    found: expect.stringMatching(/^lacks /),
  });
  expect(row('JWKS', ring, NOW + 100, having(standbys))).toMatchObject({ state: 'problem' });
});
