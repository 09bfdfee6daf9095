/**
 * What a ring needs next. `planRotation(ring, now)` asks questions of `now` and answers with one action, or none:
 * the rotator applies it, reads the ring again and asks again, at birth as at each tick. A crash between two
 * actions is therefore nothing special: the next question finds what is half done.
 */

import { RING_LIMITS } from './configuration';
import { mayActivate } from './obstacles';
import { activeKey, type KeyRecord, longestTtl, type Ring, STANDBYS, verifyUntilOf } from './ring';

export type RotationAction =
  /** Reserve a slot, so that a key created next has a tag to be found by. */
  | { readonly do: 'reserve'; readonly slot: number }
  | { readonly do: 'create'; readonly slot: number }
  | { readonly do: 'adopt'; readonly slot: number }
  /** Read the key back from the JWKS as served, then note the instant. */
  | { readonly do: 'confirm'; readonly kid: string }
  /** Enable the next key in KMS and probe it, some time before it is to sign. */
  | { readonly do: 'prepare' }
  | { readonly do: 'activate'; readonly kid: string }
  /** Make sure that KMS refuses to sign with it. */
  | { readonly do: 'disable'; readonly kid: string }
  | { readonly do: 'retire'; readonly kid: string }
  /** RETIRE a closing ring whole: nothing that it issued is alive. */
  | { readonly do: 'close' };

/** The rotator disables a prepared STANDBY again if it is not ACTIVE within this, in seconds. */
export const PREPARED_FOR = 300;
/** A scheduled rotation has its successor enabled this long before it is due, in seconds, if a tick falls in between. */
export const PREPARED_AHEAD = 900;
/** How long after its probes a key that was enabled ahead counts as enabled on every host of KMS, in seconds. */
const SETTLED_AFTER = 120;

/** `stuck` are keys that KMS has just refused to disable: an alarm elsewhere, and no reason to stop here. */
export function planRotation(ring: Ring, now: number, stuck: readonly string[] = []): RotationAction | undefined {
  // Stop what must not sign before anything else: a key left enabled is the breach.
  const enabled = ring.keys.find((key) => mustBeDisabled(ring, key, now) && !stuck.includes(key.kid));
  if (enabled) return { do: 'disable', kid: enabled.kid };

  const past = ring.keys.find((key) => mayRetire(key, now));
  if (past) return { do: 'retire', kid: past.kid };

  if (mayClose(ring, now)) return { do: 'close' };

  // Before any birth: a KMS that creates no key, or a JWKS that nobody can read, must not keep the old key signing.
  const successor = successors(ring, now).at(0);
  if (successor && shouldActivate(ring, now)) return { do: 'activate', kid: successor.kid };
  if (successor && shouldPrepare(ring, now)) return { do: 'prepare' };

  const unfinished = ring.slots.find((slot) => slot.state !== 'ADOPTED');
  if (unfinished) return { do: unfinished.state === 'INTENT' ? 'create' : 'adopt', slot: unfinished.slot };
  if (isClosed(ring)) return undefined;
  if (needsKey(ring, now)) return { do: 'reserve', slot: 1 + Math.max(0, ...ring.slots.map(({ slot }) => slot)) };

  const unpublished = ring.keys.find((key) => key.state === 'STANDBY' && key.confirmedAt === undefined);
  if (unpublished) return { do: 'confirm', kid: unpublished.kid };
  return undefined;
}

/** Should the ACTIVE key be replaced? At birth there is none; later when it signed for its period, or soon cannot. */
export function shouldActivate(ring: Ring, now: number): boolean {
  const active = activeKey(ring);
  if (!active) return !isClosed(ring);
  // KMS will not sign with it, whoever saw to that: waiting for the period would be an outage.
  if (active.kmsState === 'Disabled') return true;
  const due = nextRotationAt(ring) ?? now;
  // Where no tick fell into the time before, it does not wait: then its probes alone speak for the hosts of KMS.
  return now >= due && now >= (prepared(ring, now)?.probedAt ?? 0) + SETTLED_AFTER;
}

function shouldPrepare(ring: Ring, now: number): boolean {
  const due = nextRotationAt(ring);
  return due !== undefined && now >= due - PREPARED_AHEAD && prepared(ring, now) === undefined;
}

/** The successor that is enabled and did sign, if there is one. */
function prepared(ring: Ring, now: number): KeyRecord | undefined {
  return successors(ring, now).find(({ kmsState, probedAt = 0 }) => kmsState === 'Enabled' && probedAt > 0);
}

/** When the ACTIVE key is to be replaced, in epoch seconds; undefined where none is ACTIVE. */
export function nextRotationAt(ring: Ring): number | undefined {
  const active = activeKey(ring);
  return active && Math.min(dueAt(ring, active), active.signUntil - ring.cfg.maxTtlSeconds);
}

/** Seconds since when the ACTIVE key should have been replaced; 0 where nothing is late. */
export function overdueBy(ring: Ring, now: number): number {
  return Math.max(0, now - (nextRotationAt(ring) ?? now));
}

/** An exemption from the limit of the period ends by its date, whether or not anybody deploys. */
function dueAt({ cfg: { periodSeconds, periodExemptUntil = 0 } }: Ring, { activatedAt = 0 }: KeyRecord): number {
  return (
    activatedAt + Math.min(periodSeconds, Math.max(RING_LIMITS.periodSeconds.max, periodExemptUntil - activatedAt))
  );
}

/** The STANDBYs that may sign next, oldest first: every verifier can have seen them. Birth has no verifiers yet. */
export function successors(ring: Ring, now: number): readonly KeyRecord[] {
  return ring.keys.filter((key) => mayActivate(ring, key, now)).sort((a, b) => a.slot - b.slot);
}

/** Keys that KMS should refuse to sign with by now, and perhaps does not. */
export function undisabled(ring: Ring, now: number): readonly KeyRecord[] {
  return ring.keys.filter((key) => mustBeDisabled(ring, key, now));
}

function mustBeDisabled(ring: Ring, key: KeyRecord, now: number): boolean {
  if (key.kind !== 'kms' || key.kmsState === 'Disabled' || key.kid === ring.activeKid) return false;
  // HEAD and keys are read by several queries: one of an earlier instant may not know yet that this key issues.
  if (key.state === 'ACTIVE') return false;
  // A STANDBY is enabled only between prepare and activation.
  if (key.state === 'STANDBY') return key.kmsState === 'Disabling' || isLeftPrepared(ring, key, now);
  // A key that somebody may have copied signs not a second longer. A signature that is under way under it is worth
  // nothing: its token would not get into the ledger any more, and its issuer asks the next key.
  if (key.taint?.class === 'compromise') return true;
  // Disabled only after the drain: a signature asked for under the old key may still be on its way.
  return now >= (key.deactivatedAt ?? 0) + ring.cfg.drainSeconds;
}

/** Made ready by somebody who did not come back for it; one that is about to take over by the schedule is not. */
function isLeftPrepared(ring: Ring, { kid, preparedAt = 0 }: KeyRecord, now: number): boolean {
  if (now <= preparedAt + PREPARED_FOR) return false;
  const due = nextRotationAt(ring);
  return due === undefined || now < due - PREPARED_AHEAD || prepared(ring, now)?.kid !== kid;
}

function mayRetire(key: KeyRecord, now: number): boolean {
  if (key.state === 'STANDBY') return now > key.signUntil || isForeign(key);
  return (key.state === 'VERIFY_ONLY' || key.state === 'OBSERVED') && now > key.verifyUntil;
}

function needsKey(ring: Ring, now: number): boolean {
  const standing = ring.keys.filter((key) => isComing(key, now)).length;
  return standing < STANDBYS + (ring.activeKid === undefined ? 1 : 0);
}

/** Fit to sign when its turn comes, as far as we know. */
export function isStanding(key: KeyRecord, now: number): boolean {
  return isComing(key, now) && isAsWritten(key);
}

/** One whose policy we are not let read is not replaced: if the fault is ours, the next one would be no better. */
function isComing(key: KeyRecord, now: number): boolean {
  return key.state === 'STANDBY' && key.kmsState !== 'Disabling' && now < key.signUntil && !isForeign(key);
}

/** A key that another principal may sign with never becomes the one that issues. */
function isAsWritten({ policyState = 'as-written' }: KeyRecord): boolean {
  return policyState === 'as-written';
}

/** Somebody else may sign with it, or our own roles cannot: a STANDBY of that kind leaves the JWKS. */
function isForeign({ policyState }: KeyRecord): boolean {
  return policyState === 'changed' || policyState === 'orphaned' || policyState === 'granted';
}

/**
 * A closing ring issues nothing, so its last token is over this long after; waves, and keys of the issuer before us,
 * may still be needed by their holders. Until then it rotates and is tainted like any other.
 */
function mayClose(ring: Ring, now: number): boolean {
  if (ring.closingAt === undefined || isClosed(ring)) return false;
  const isAlive = ({ state, verifyUntil }: KeyRecord) =>
    state === 'SUSPECT' || (state === 'OBSERVED' && now <= verifyUntil);
  return (
    now > verifyUntilOf(ring.closingAt, { ...ring.cfg, maxTtlSeconds: longestTtl(ring) }) && !ring.keys.some(isAlive)
  );
}

/** It closed: nothing issues, nothing stands by, and nothing will. */
export function isClosed({ closingAt, activeKid, activations }: Ring): boolean {
  return closingAt !== undefined && activeKid === undefined && activations > 0;
}
