import { METRICS } from '../../../lib/domain/deployment/metrics';
import { healthOf, worstOf } from '../../../lib/domain/health/ring-health';
import type { Ring } from '../../../lib/domain/rings/ring';
import { successors } from '../../../lib/domain/rings/rotation';
import { activeRecord, CFG, DAY, keyRecord, NOW, ringWith } from '../../support/rings';

const fresh = { iat: NOW };
const looked = (ring: Ring, feed: { iat: number } | undefined, now: number, inspectedAt: number | undefined = NOW) =>
  healthOf({ ring, feed, inspectedAt }, now);

test('a ring as birth leaves it has nothing to say', () => {
  expect(looked(ringWith(), fresh, NOW + 5)).toEqual({
    ActiveKeyAge: 5,
    StandbyKeys: 2,
    RotationOverdue: 0,
    InspectionAge: 5,
    UndisabledKeys: 0,
    FeedAge: 5,
    KeyPolicyDrift: 0,
  });
  expect(Object.keys(METRICS)).toEqual([...Object.keys(looked(ringWith(), fresh, NOW)), 'KeyPolicyPuts']);
});

test('a rotation that nobody makes is overdue from its second on', () => {
  expect(looked(ringWith(), fresh, NOW + CFG.periodSeconds).RotationOverdue).toBe(0);
  expect(looked(ringWith(), fresh, NOW + CFG.periodSeconds + 7).RotationOverdue).toBe(7);
});

test('an exemption from the limit of the period ends by its date', () => {
  const periodExemptUntil = NOW + 120 * DAY;
  const ring = ringWith({
    cfg: { ...CFG, periodSeconds: 180 * DAY, periodExemptUntil },
    keys: [activeRecord(1, { signUntil: NOW + 600 * DAY })],
  });
  expect(looked(ring, fresh, periodExemptUntil).RotationOverdue).toBe(0);
  expect(looked(ring, fresh, periodExemptUntil + 7).RotationOverdue).toBe(7);
});

test.each([
  ['is being disabled', { kmsState: 'Disabling' }, 0],
  ['is past its signUntil', { signUntil: NOW }, 0],
  ['has a policy that somebody changed', { policyState: 'changed' }, 1],
  ['has a policy that names a role that is gone', { policyState: 'orphaned' }, 1],
  ['has a policy that we may not read', { policyState: 'unreadable' }, 1],
] as const)('a STANDBY that %s does not count', (_what, more, drift) => {
  const ring = ringWith({ keys: [activeRecord(1), keyRecord(2), keyRecord(3, more)] });
  expect(looked(ring, fresh, NOW)).toMatchObject({ StandbyKeys: 1, KeyPolicyDrift: drift });
});

test('no feed at all is as old as the ring: one that is being born pages nobody, an hour later it does', () => {
  expect(looked(ringWith(), undefined, NOW + 60).FeedAge).toBe(60);
  expect(looked(ringWith(), undefined, NOW + 3600).FeedAge).toBe(3600);
});

test('STANDBYs count from when they were seen in the JWKS, while they wait for the slowest verifier cache', () => {
  const ring = ringWith({ cfg: { ...CFG, cacheSeconds: 7200 } });
  expect(successors(ring, NOW + 60)).toEqual([]);
  expect(looked(ring, fresh, NOW + 60).StandbyKeys).toBe(2);
});

test('a feed of the future is no feed: it would never be old', () => {
  const later = NOW + 3600;
  expect(looked(ringWith(), { iat: later + CFG.skewSeconds }, later).FeedAge).toBe(0);
  expect(looked(ringWith(), { iat: later + CFG.skewSeconds + 1 }, later).FeedAge).toBe(3600);
});

test('a STANDBY that nobody has seen in the JWKS does not count', () => {
  const ring = ringWith({ keys: [activeRecord(1), keyRecord(2), keyRecord(3, { confirmedAt: undefined })] });
  expect(looked(ring, fresh, NOW).StandbyKeys).toBe(1);
});

test('a ring that no tick ever looked through is as unlooked at as it is old', () => {
  expect(healthOf({ ring: ringWith(), feed: fresh, inspectedAt: undefined }, NOW + 7).InspectionAge).toBe(7);
});

test('a key that KMS was told to disable and may not have counts, once the drain is over', () => {
  const old = keyRecord(1, { state: 'VERIFY_ONLY', kmsState: 'Enabled', deactivatedAt: NOW });
  const ring = ringWith({ keys: [old, activeRecord(2), keyRecord(3)] });
  expect(looked(ring, fresh, NOW + CFG.drainSeconds - 1).UndisabledKeys).toBe(0);
  expect(looked(ring, fresh, NOW + CFG.drainSeconds).UndisabledKeys).toBe(1);
});

test('the worst of several rings is the highest figure of each, and the lowest of what should be high', () => {
  const one = looked(ringWith(), { iat: NOW + 60 }, NOW + 65);
  const other = looked(ringWith({ keys: [activeRecord(1), keyRecord(2)] }), fresh, NOW + 65, NOW - 9);
  expect(worstOf([one, other])).toMatchObject({ StandbyKeys: 1, FeedAge: 65, InspectionAge: 74 });
  expect(worstOf([])).toMatchObject({ StandbyKeys: 2, FeedAge: 0, InspectionAge: 0 });
});
