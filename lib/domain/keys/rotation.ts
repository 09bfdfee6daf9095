/**
 * What a ring needs next. `planRotation(ring, now)` asks questions of `now` and answers with one action, or none:
 * the rotator applies it, reads the ring again and asks again, at birth as at each tick. A crash between two
 * actions is therefore nothing special: the next question finds what is half done.
 */
import { activeKey, type KeyRecord, type Ring, STANDBYS } from './ring';

export type RotationAction =
  /** Reserve a slot, so that a key created next has a tag to be found by. */
  | { readonly do: 'reserve'; readonly slot: number }
  | { readonly do: 'create'; readonly slot: number }
  | { readonly do: 'adopt'; readonly slot: number }
  /** Read the key back from the JWKS as served, then note the instant. */
  | { readonly do: 'publish'; readonly kid: string }
  | { readonly do: 'activate'; readonly kid: string }
  /** Make sure that KMS refuses to sign with it. */
  | { readonly do: 'disable'; readonly kid: string }
  | { readonly do: 'retire'; readonly kid: string };

/** A prepared STANDBY that nobody activated within this is disabled again, in seconds. */
export const PREPARED_FOR = 300;

/** `stuck` are keys that KMS has just refused to disable: an alarm elsewhere, and no reason to stop here. */
export function planRotation(ring: Ring, now: number, stuck: readonly string[] = []): RotationAction | undefined {
  // Stop what must not sign before anything else: a key left enabled is the breach.
  const enabled = ring.keys.find((key) => mustBeDisabled(ring, key, now) && !stuck.includes(key.kid));
  if (enabled) return { do: 'disable', kid: enabled.kid };

  const past = ring.keys.find((key) => mayRetire(key, now));
  if (past) return { do: 'retire', kid: past.kid };

  // Before any birth: a KMS that creates no key, or a JWKS that nobody can read, must not keep the old key signing.
  const successor = successors(ring, now).at(0);
  if (successor && shouldActivate(ring, now)) return { do: 'activate', kid: successor.kid };

  const unfinished = ring.slots.find((slot) => slot.state !== 'ADOPTED');
  if (unfinished) return { do: unfinished.state === 'INTENT' ? 'create' : 'adopt', slot: unfinished.slot };
  if (needsKey(ring, now)) return { do: 'reserve', slot: 1 + Math.max(0, ...ring.slots.map(({ slot }) => slot)) };

  const unpublished = ring.keys.find((key) => key.state === 'STANDBY' && key.publishedAt === undefined);
  if (unpublished) return { do: 'publish', kid: unpublished.kid };
  return undefined;
}

/** Should the ACTIVE key be replaced? At birth there is none; later when it signed for its period, or soon cannot. */
export function shouldActivate(ring: Ring, now: number): boolean {
  const active = activeKey(ring);
  if (!active) return true;
  return now >= (active.activatedAt ?? 0) + ring.cfg.period || now >= active.signUntil - ring.cfg.maxTtl;
}

/** The STANDBYs that may sign next, oldest first: every verifier can have seen them. Birth has no verifiers yet. */
export function successors(ring: Ring, now: number): readonly KeyRecord[] {
  return ring.keys.filter((key) => mayActivate(ring, key, now)).sort((a, b) => a.slot - b.slot);
}

export function mayActivate(ring: Ring, key: KeyRecord, now: number): boolean {
  if (key.state !== 'STANDBY' || key.publishedAt === undefined || now >= key.signUntil) return false;
  if (key.kmsState === 'Disabling') return false;
  return ring.seq === 0 || key.publishedAt <= now - ring.cfg.prop - ring.cfg.cache;
}

function mustBeDisabled(ring: Ring, key: KeyRecord, now: number): boolean {
  if (key.kind !== 'kms' || key.kmsState === 'Disabled' || key.kid === ring.activeKid) return false;
  // A STANDBY is enabled only between prepare and activation.
  if (key.state === 'STANDBY') return key.kmsState === 'Disabling' || now > (key.preparedAt ?? 0) + PREPARED_FOR;
  // Disabled only after the drain: a signature asked for under the old key may still be on its way.
  return now >= (key.deactivatedAt ?? 0) + ring.cfg.drain;
}

function mayRetire(key: KeyRecord, now: number): boolean {
  const over = key.state === 'VERIFY_ONLY' || key.state === 'OBSERVED' || key.state === 'STANDBY';
  return over && now > (key.state === 'STANDBY' ? key.signUntil : key.verifyUntil);
}

function needsKey(ring: Ring, now: number): boolean {
  const fit = (key: KeyRecord) => key.state === 'STANDBY' && key.kmsState !== 'Disabling' && now < key.signUntil;
  const standing = ring.keys.filter(fit).length;
  return standing < STANDBYS + (ring.activeKid === undefined ? 1 : 0);
}
