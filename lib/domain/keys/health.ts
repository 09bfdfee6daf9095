/** How a ring is, in figures: what the alarms watch, the dashboard draws and `curfew doctor` judges. */
import type { Feed } from './feed';
import type { Ring } from './ring';
import { isStanding, overdueBy } from './rotation';

export const METRICS_NAMESPACE = 'Curfew';

/** Each is put once a minute for each ring, dimensions Instance and Ring. */
export const METRICS = {
  ActiveKeyAge: { unit: 'Seconds', says: 'how long the ACTIVE key has been signing' },
  StandbyKeys: { unit: 'Count', says: 'keys that stand by, fit to sign next' },
  RotationOverdue: { unit: 'Seconds', says: 'since when the ACTIVE key should have been replaced' },
  FeedAge: { unit: 'Seconds', says: 'since when the feed that verifiers read was signed' },
  KeyPolicyDrift: { unit: 'Count', says: 'keys whose policy, as read back, is not the one written at birth' },
  KeyPolicyPuts: { unit: 'Count', says: 'calls of PutKeyPolicy on a key of the ring, as CloudTrail saw them' },
} as const satisfies Record<string, { readonly unit: 'Seconds' | 'Count'; readonly says: string }>;
export type MetricName = keyof typeof METRICS;

/** Those that can be read off a ring; `KeyPolicyPuts` is an event. */
export type Health = Readonly<Record<Exclude<MetricName, 'KeyPolicyPuts'>, number>>;

/** `feed` as served; undefined where there is none, which counts as one of the epoch. */
export function healthOf(ring: Ring, feed: Pick<Feed, 'iat'> | undefined, now: number): Health {
  const active = ring.keys.find(({ kid }) => kid === ring.activeKid);
  return {
    ActiveKeyAge: active ? now - (active.activatedAt ?? now) : 0,
    StandbyKeys: ring.keys.filter((key) => isStanding(key, now)).length,
    RotationOverdue: overdueBy(ring, now),
    FeedAge: now - (feed?.iat ?? 0),
    KeyPolicyDrift: ring.keys.filter(hasDrifted).length,
  };
}

function hasDrifted({ policyState, state }: Ring['keys'][number]): boolean {
  return state !== 'RETIRED' && policyState !== undefined && policyState !== 'as-written';
}
