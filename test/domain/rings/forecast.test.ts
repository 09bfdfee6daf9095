import { type ForecastKind, forecast } from '../../../lib/domain/rings/forecast';
import { RESTS_FOR } from '../../../lib/domain/rings/obstacles';
import type { Ring } from '../../../lib/domain/rings/ring';
import { PREPARED_FOR, planRotation, successors } from '../../../lib/domain/rings/rotation';
import { activeRecord, CFG, DAY, keyRecord, NOW, ringWith } from '../../support/rings';

const standing = () => [keyRecord(2), keyRecord(3)];
const OLD = { ...keyRecord(9, { state: 'RETIRED' as const, activatedAt: NOW - 40 * DAY }), deactivatedAt: NOW - DAY };

/** The plan's own word for it. */
const PLANNED: { readonly [K in ForecastKind]?: string } = {
  rotate: 'activate',
  disable: 'disable',
  retire: 'retire',
  close: 'close',
};

test.each<[string, ForecastKind, Ring, number]>([
  ['a period is over', 'rotate', ringWith(), NOW + 30 * DAY],
  [
    'a key has drained',
    'disable',
    ringWith({ keys: [{ ...OLD, kmsState: 'Enabled', deactivatedAt: NOW }, activeRecord(1), ...standing()] }),
    NOW + CFG.drainSeconds,
  ],
  [
    'a STANDBY was prepared for nothing',
    'disable',
    ringWith({ keys: [activeRecord(1), keyRecord(2, { kmsState: 'Enabled', preparedAt: NOW }), keyRecord(3)] }),
    NOW + PREPARED_FOR + 1,
  ],
  [
    'the last token of a key is over',
    'retire',
    ringWith({ keys: [{ ...OLD, state: 'VERIFY_ONLY', verifyUntil: NOW + 3600 }, activeRecord(1), ...standing()] }),
    NOW + 3601,
  ],
  [
    'the key of the issuer before us is past its date',
    'retire',
    ringWith({
      keys: [{ ...OLD, state: 'OBSERVED', kind: 'legacy', verifyUntil: NOW + DAY }, activeRecord(1), ...standing()],
    }),
    NOW + DAY + 1,
  ],
  [
    'the last token of a closing ring is over',
    'close',
    ringWith({ closingAt: NOW }),
    NOW + CFG.maxTtlSeconds + CFG.skewSeconds + 1,
  ],
])('%s: foretold to the second at which the plan says so, and not one before', (_what, kind, ring, at) => {
  expect(forecast(ring, NOW).find((one) => one.kind === kind)?.at).toBe(at);
  expect(planRotation(ring, at - 1)?.do).not.toBe(PLANNED[kind]);
  expect(planRotation(ring, at)?.do).toBe(PLANNED[kind]);
});

test('a STANDBY is ready to the second at which it may be activated', () => {
  const ring = ringWith({ keys: [activeRecord(1), keyRecord(2), keyRecord(3, { confirmedAt: undefined })] });
  const at = NOW + CFG.propagationSeconds + CFG.cacheSeconds;
  expect(forecast(ring, NOW).filter(({ kind }) => kind === 'ready')).toEqual([
    { at, kind: 'ready', kid: ring.keys[1]?.kid },
  ]);
  expect([successors(ring, at - 1).length, successors(ring, at).length]).toEqual([0, 1]);
});

test('a STANDBY that was given up rests first', () => {
  const old = NOW - DAY;
  const given = keyRecord(2, { confirmedAt: old, disabledAt: NOW });
  const ring = ringWith({ keys: [activeRecord(1), given] });
  const at = NOW + RESTS_FOR;
  expect(forecast(ring, NOW).filter(({ kind }) => kind === 'ready')).toEqual([{ at, kind: 'ready', kid: given.kid }]);
  expect([successors(ring, at - 1).length, successors(ring, at).length]).toEqual([0, 1]);
});

test('an exemption ends with its day, and what it let through is due then', () => {
  const exemption = {
    rule: 'ERR_RING_LIMIT' as const,
    subject: 'customer-api',
    approver: 'CHG-7',
    reason: 'a partner rotates yearly',
    until: '2027-05-01',
  };
  const cfg = { ...CFG, periodSeconds: 200 * DAY, exemptions: [exemption] };
  const signUntil = NOW + 620 * DAY;
  const ends = Date.parse('2027-05-02T00:00:00Z') / 1000;
  const ring = ringWith({
    cfg: { ...cfg, periodExemptUntil: ends },
    keys: [activeRecord(1, { signUntil, verifyUntil: signUntil + 3630 }), ...standing()],
  });
  const foretold = forecast(ring, NOW).map(({ at, kind }) => [at, kind]);
  expect(foretold).toEqual(
    expect.arrayContaining([
      [ends, 'exemption-ends'],
      [ends, 'rotate'],
      [signUntil + 1, 'sign-until'],
    ]),
  );
  expect([planRotation(ring, ends - 1)?.do, planRotation(ring, ends)?.do]).not.toContain('activate');
});

test('what is past is not foretold, and the soonest comes first', () => {
  const all = forecast(ringWith(), NOW + 40 * DAY);
  expect(all.map(({ kind }) => kind)).not.toContain('rotate');
  expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).sort((a, b) => a - b));
  expect(all.every(({ at }) => at > NOW + 40 * DAY)).toBe(true);
});
