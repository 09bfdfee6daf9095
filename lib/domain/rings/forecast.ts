/**
 * What a ring will do and when, if nobody does anything: the dates at which `planRotation` will answer otherwise, and
 * those at which KMS and verifiers stop by themselves. For people to read; the rotator asks the plan.
 */
import { endOf } from './exemption';
import { readyAt } from './obstacles';
import { activeKey, type KeyRecord, type Ring, verifyUntilOf } from './ring';
import { isClosed, isStanding, nextRotationAt, PREPARED_FOR } from './rotation';

export type ForecastKind =
  /** A STANDBY was published for long enough: it may sign when its turn comes. */
  | 'ready'
  | 'rotate'
  /** The rotator disables it in KMS. */
  | 'disable'
  /** No token of it is good any more. */
  | 'retire'
  /** Its own policy ends its right to sign, whatever anybody does. */
  | 'sign-until'
  /** A closing ring is RETIRED whole. */
  | 'close'
  | 'exemption-ends';

export interface Forecast {
  /** Epoch seconds. */
  readonly at: number;
  readonly kind: ForecastKind;
  readonly kid?: string;
  /** Of an exemption. */
  readonly subject?: string;
}

/** Soonest first; only what is still to come. */
export function forecast(ring: Ring, now: number): readonly Forecast[] {
  const { cfg, closingAt } = ring;
  const rotation = nextRotationAt(ring);
  const all: Forecast[] = [
    ...ring.keys.flatMap((key) => forecastOfKey(ring, key, now)),
    ...(cfg.exemptions ?? []).map((one) => ({
      at: endOf(one),
      kind: 'exemption-ends' as const,
      subject: `${one.subject} from ${one.rule}`,
    })),
  ];
  if (rotation !== undefined) all.push({ at: rotation, kind: 'rotate', kid: ring.activeKid });
  if (closingAt !== undefined && !isClosed(ring)) all.push({ at: verifyUntilOf(closingAt, cfg) + 1, kind: 'close' });
  return all.filter(({ at }) => at > now).sort((a, b) => a.at - b.at || a.kind.localeCompare(b.kind));
}

/** Everything that ends at "until" ends in the second after it. */
function forecastOfKey(ring: Ring, key: KeyRecord, now: number): Forecast[] {
  const { kid, state, kind, kmsState, deactivatedAt = 0, preparedAt = 0, signUntil, verifyUntil } = key;
  const dates: Forecast[] = [];
  const isEnabled = kind === 'kms' && kmsState !== 'Disabled' && kid !== activeKey(ring)?.kid;
  if (isEnabled && state === 'STANDBY') dates.push({ at: preparedAt + PREPARED_FOR + 1, kind: 'disable', kid });
  if (isEnabled && state !== 'STANDBY') dates.push({ at: deactivatedAt + ring.cfg.drainSeconds, kind: 'disable', kid });
  const ready = isStanding(key, now) ? readyAt(ring, key, now) : undefined;
  if (ready !== undefined) dates.push({ at: ready, kind: 'ready', kid });
  // It signs when its turn comes, which is sooner, unless the ring does not turn any more.
  if (state === 'STANDBY' && signUntil < (nextRotationAt(ring) ?? Number.POSITIVE_INFINITY))
    dates.push({ at: signUntil + 1, kind: 'retire', kid });
  if (state === 'VERIFY_ONLY' || state === 'OBSERVED') dates.push({ at: verifyUntil + 1, kind: 'retire', kid });
  if (state === 'ACTIVE') dates.push({ at: signUntil + 1, kind: 'sign-until', kid });
  return dates;
}
