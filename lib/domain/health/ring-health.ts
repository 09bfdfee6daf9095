/** How a ring is, in figures: what the alarms watch, the dashboard draws and `curfew doctor` judges. */

import { METRICS, type MetricName } from '../deployment/metrics';
import type { Feed } from '../feed/feed';
import { type Ring, STANDBYS } from '../rings/ring';
import { isStanding, overdueBy, undisabled } from '../rings/rotation';
import { bornAtOf } from './youth';

/** Those that can be read off a ring; `KeyPolicyPuts` is an event. */
export type Health = Readonly<Record<Exclude<MetricName, 'KeyPolicyPuts'>, number>>;

interface Looked {
  readonly ring: Ring;
  /** As served; undefined where there is none, which counts as one of the ring's birth. So does one of the future. */
  readonly feed: Pick<Feed, 'iat'> | undefined;
  /** When the last tick had read every key back; since its birth if there was none. */
  readonly inspectedAt: number | undefined;
}

export function healthOf({ ring, feed, inspectedAt }: Looked, now: number): Health {
  const active = ring.keys.find(({ kid }) => kid === ring.activeKid);
  const iat = feed === undefined || feed.iat > now + ring.cfg.skewSeconds ? 0 : feed.iat;
  const bornAt = bornAtOf(ring, now);
  return {
    ActiveKeyAge: active ? now - (active.activatedAt ?? now) : 0,
    // Whatever their age: those that wait for the slowest verifier cache are no fault, and page nobody.
    StandbyKeys: ring.keys.filter((key) => isStanding(key, now) && key.confirmedAt !== undefined).length,
    RotationOverdue: overdueBy(ring, now),
    InspectionAge: now - (inspectedAt ?? bornAt),
    UndisabledKeys: undisabled(ring, now).length,
    // No feed is older than its ring: one that is being born has some time to publish its first.
    FeedAge: Math.max(0, now - Math.max(iat, bornAt)),
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
    // Whatever their age: those that wait for the slowest verifier cache are no fault, and page nobody.
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
