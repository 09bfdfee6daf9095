/**
 * Why a key may not sign next: one list of reasons, read by the plan (which activates a key that has none), by the notes
 * of `curfew ring show`, by the forecast and by the doctor.
 */
import type { KeyRecord, PolicyState } from '../store/ring-key';
import type { Ring } from './ring';

export type Obstacle =
  /** Only a STANDBY takes over. */
  | { readonly is: 'state'; readonly state: KeyRecord['state'] }
  /** It was never seen in the JWKS as served. */
  | { readonly is: 'unconfirmed' }
  /** Some verifier may not know it yet. */
  | { readonly is: 'young'; readonly confirmedAt: number; readonly until: number }
  /** Another principal may be able to sign with it, or our roles cannot. */
  | { readonly is: 'policy'; readonly policyState: PolicyState }
  /** Its own policy ended its right to sign. */
  | { readonly is: 'expired'; readonly signUntil: number }
  | { readonly is: 'disabling' }
  /** It was made ready and given up: a slow DisableKey may still be on its way. */
  | { readonly is: 'resting'; readonly until: number };

/**
 * A STANDBY that was given up does not come back for this long, in seconds: more than a rotator lives. Two of them may
 * have read that it must be disabled, and the slower one's DisableKey must not hit a key that issues by then.
 */
export const RESTS_FOR = 240;

/** None where the key may take over now. At birth there is no verifier yet that could not know it. */
export function obstacles(ring: Ring, key: KeyRecord, now: number): readonly Obstacle[] {
  const { state, confirmedAt, policyState = 'as-written', signUntil, kmsState, disabledAt } = key;
  const found: Obstacle[] = [];
  if (state !== 'STANDBY') found.push({ is: 'state', state });
  if (policyState !== 'as-written') found.push({ is: 'policy', policyState });
  if (now >= signUntil) found.push({ is: 'expired', signUntil });
  if (kmsState === 'Disabling') found.push({ is: 'disabling' });
  if (disabledAt !== undefined && now < disabledAt + RESTS_FOR)
    found.push({ is: 'resting', until: disabledAt + RESTS_FOR });
  if (confirmedAt === undefined) found.push({ is: 'unconfirmed' });
  else {
    const until = confirmedAt + ring.cfg.propagationSeconds + ring.cfg.cacheSeconds;
    if (ring.activations > 0 && now < until) found.push({ is: 'young', confirmedAt, until });
  }
  return found;
}

export function mayActivate(ring: Ring, key: KeyRecord, now: number): boolean {
  return obstacles(ring, key, now).length === 0;
}

/** When the last obstacle is over, if time alone ends them all; undefined where something else has to happen. */
export function readyAt(ring: Ring, key: KeyRecord, now: number): number | undefined {
  const found = obstacles(ring, key, now);
  const ends = found.flatMap((obstacle) => ('until' in obstacle ? [obstacle.until] : []));
  return ends.length === found.length ? Math.max(now, ...ends) : undefined;
}
