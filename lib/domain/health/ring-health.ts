/** How a ring is, in figures: what the alarms watch, the dashboard draws and `curfew doctor` judges. */

import type { Feed } from '../feed/feed';
import { type Ring, STANDBYS } from '../rings/ring';
import { isStanding, overdueBy, undisabled } from '../rings/rotation';

export const METRICS_NAMESPACE = 'Curfew';

/** Each is put once a minute for each ring (dimensions Instance and Ring), and the worst of all rings (Instance). */
export const METRICS = {
  ActiveKeyAge: { unit: 'Seconds', says: 'how long the ACTIVE key has been signing' },
  StandbyKeys: { unit: 'Count', says: 'keys that stand by, seen in the JWKS and fit to sign next', lowest: true },
  RotationOverdue: { unit: 'Seconds', says: 'since when the ACTIVE key should have been replaced' },
  InspectionAge: { unit: 'Seconds', says: 'since when a tick has read every key back' },
  UndisabledKeys: { unit: 'Count', says: 'keys that KMS has been told to disable and may still sign with' },
  FeedAge: { unit: 'Seconds', says: 'since when the feed that verifiers read was signed' },
  KeyPolicyDrift: { unit: 'Count', says: 'keys whose policy, as read back, is not the one written at birth' },
  KeyPolicyPuts: {
    unit: 'Count',
    says: 'changes of a key, or of the rights to it, that CloudTrail saw and nobody of us makes',
  },
} as const satisfies Record<
  string,
  { readonly unit: 'Seconds' | 'Count'; readonly says: string; readonly lowest?: true }
>;
export type MetricName = keyof typeof METRICS;

/** Those that can be read off a ring; `KeyPolicyPuts` is an event. */
export type Health = Readonly<Record<Exclude<MetricName, 'KeyPolicyPuts'>, number>>;

export interface Looked {
  readonly ring: Ring;
  /** As served; undefined where there is none, which counts as one of the epoch. So does one of the future. */
  readonly feed: Pick<Feed, 'iat'> | undefined;
  /** When the last tick had read every key back; since its birth if there was none. */
  readonly inspectedAt: number | undefined;
}

export function healthOf({ ring, feed, inspectedAt }: Looked, now: number): Health {
  const active = ring.keys.find(({ kid }) => kid === ring.activeKid);
  const iat = feed === undefined || feed.iat > now + ring.cfg.skew ? 0 : feed.iat;
  const bornAt = Math.min(now, ...ring.slots.map(({ at }) => at));
  return {
    ActiveKeyAge: active ? now - (active.activatedAt ?? now) : 0,
    StandbyKeys: ring.keys.filter((key) => isStanding(key, now) && key.publishedAt !== undefined).length,
    RotationOverdue: overdueBy(ring, now),
    InspectionAge: now - (inspectedAt ?? bornAt),
    UndisabledKeys: undisabled(ring, now).length,
    FeedAge: Math.max(0, now - iat),
    KeyPolicyDrift: ring.keys.filter(hasDrifted).length,
  };
}

/** The worst of all rings: what is seen also of one whose alarms went with its construct. Where there is none, all is well. */
export function worstOf(rings: readonly Health[]): Health {
  const worst = (name: keyof Health, well: number) => {
    const values = rings.map((health) => health[name]);
    return 'lowest' in METRICS[name] ? Math.min(well, ...values) : Math.max(well, ...values);
  };
  return {
    ActiveKeyAge: worst('ActiveKeyAge', 0),
    StandbyKeys: worst('StandbyKeys', STANDBYS),
    RotationOverdue: worst('RotationOverdue', 0),
    InspectionAge: worst('InspectionAge', 0),
    UndisabledKeys: worst('UndisabledKeys', 0),
    FeedAge: worst('FeedAge', 0),
    KeyPolicyDrift: worst('KeyPolicyDrift', 0),
  };
}

function hasDrifted({ policyState, state }: Ring['keys'][number]): boolean {
  return state !== 'RETIRED' && policyState !== undefined && policyState !== 'as-written';
}
