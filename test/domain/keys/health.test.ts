import { healthOf, METRICS } from '../../../lib/domain/keys/health';
import { activeRecord, CFG, DAY, keyRecord, NOW, ringWith } from '../../support/rings';

const fresh = { iat: NOW };

test('a ring as birth leaves it has nothing to say', () => {
  expect(healthOf(ringWith(), fresh, NOW + 5)).toEqual({
    ActiveKeyAge: 5,
    StandbyKeys: 2,
    RotationOverdue: 0,
    FeedAge: 5,
    KeyPolicyDrift: 0,
  });
  expect(Object.keys(METRICS)).toEqual([...Object.keys(healthOf(ringWith(), fresh, NOW)), 'KeyPolicyPuts']);
});

test('a rotation that nobody makes is overdue from its second on', () => {
  expect(healthOf(ringWith(), fresh, NOW + CFG.period).RotationOverdue).toBe(0);
  expect(healthOf(ringWith(), fresh, NOW + CFG.period + 7).RotationOverdue).toBe(7);
});

test('an exemption from the limit of the period ends by its date', () => {
  const periodExemptUntil = NOW + 120 * DAY;
  const ring = ringWith({
    cfg: { ...CFG, period: 180 * DAY, periodExemptUntil },
    keys: [activeRecord(1, { signUntil: NOW + 600 * DAY })],
  });
  expect(healthOf(ring, fresh, periodExemptUntil - 1).RotationOverdue).toBe(0);
  expect(healthOf(ring, fresh, periodExemptUntil).RotationOverdue).toBe(30 * DAY);
});

test.each([
  ['is being disabled', { kmsState: 'Disabling' }, 0],
  ['is past its signUntil', { signUntil: NOW }, 0],
  ['has a policy that somebody changed', { policyState: 'changed' }, 1],
  ['has a policy that names a role that is gone', { policyState: 'orphaned' }, 1],
  ['has a policy that we may not read', { policyState: 'unreadable' }, 1],
] as const)('a STANDBY that %s does not count', (_what, more, drift) => {
  const ring = ringWith({ keys: [activeRecord(1), keyRecord(2), keyRecord(3, more)] });
  expect(healthOf(ring, fresh, NOW)).toMatchObject({ StandbyKeys: 1, KeyPolicyDrift: drift });
});

test('no feed at all is as old as can be', () => {
  expect(healthOf(ringWith(), undefined, NOW).FeedAge).toBe(NOW);
});
