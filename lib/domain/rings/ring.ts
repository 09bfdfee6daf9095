/**
 * A key ring: signing keys of one purpose, issuer, audience and algorithm, the unit of blast radius.
 *
 *                publish             activate                       verifyUntil passes
 *    (born) ─► STANDBY ───────────► ACTIVE ────────► VERIFY_ONLY ─────────────────► RETIRED
 *              KMS-disabled          KMS-enabled,      KMS-disabled
 *                                    signs
 *                                      └──── taint ──────┴──► SUSPECT ─────► DENIED (terminal)
 *    (adopted legacy key) OBSERVED ─────────── taint ─────────┘
 *
 * The states are those of NIST SP 800-57 part 1, section 7, with its "compromised" split into SUSPECT and DENIED.
 */
import { CurfewError } from '../base/errors';
import type { RingHead, RingSettings } from '../store/ring-head';
import type { KeyRecord, Slot } from '../store/ring-key';
import type { Wave } from '../store/wave';

export const STANDBYS = 2;
export type { KeyRecord, KeyState, Slot, TaintClass, Window } from '../store/ring-key';
export type { Wave, WaveResult } from '../store/wave';

/** What belongs to a ring beside its head. */
interface RingParts {
  readonly keys: readonly KeyRecord[];
  readonly slots: readonly Slot[];
  readonly waves: readonly Wave[];
}

export interface Ring extends RingHead, RingParts {
  readonly id: string;
}

/** In the order of their slots, whatever the order they were read in. */
export function ringOf(id: string, head: RingHead, { keys, slots, waves }: RingParts): Ring {
  const bySlot = <T extends { readonly slot: number }>(all: readonly T[]) => [...all].sort((a, b) => a.slot - b.slot);
  return { id, ...head, keys: bySlot(keys), slots: bySlot(slots), waves };
}

/** `signUntil`: a STANDBY waits, KMS-disabled, for every key before it, then signs one period; a tenth is grace. */
export function signUntilOf(bornAt: number, periodSeconds: number): number {
  return bornAt + (STANDBYS + 1) * periodSeconds + Math.ceil(periodSeconds / 10);
}

/** A token of the key that is signed in its last second lives this long; the skew is the verifier's. */
export function verifyUntilOf(lastSignature: number, cfg: Pick<RingSettings, 'maxTtlSeconds' | 'skewSeconds'>): number {
  return lastSignature + cfg.maxTtlSeconds + cfg.skewSeconds;
}

/** Of every token that may still be alive, under whatever setting it was issued. */
export function longestTtl({ cfg, keys }: Pick<Ring, 'cfg' | 'keys'>): number {
  return Math.max(cfg.maxTtlSeconds, ...keys.map(({ maxTtlSeconds = 0 }) => maxTtlSeconds));
}

export function findKey(ring: Ring, kid: string): KeyRecord {
  const key = ring.keys.find((candidate) => candidate.kid === kid);
  if (key) return key;
  throw new CurfewError('ERR_NOT_FOUND', `ring ${ring.id} has no key ${kid}`, {
    got: kid,
    allowed: ring.keys.map((k) => k.kid),
  });
}

export function activeKey(ring: Ring): KeyRecord | undefined {
  return ring.activeKid === undefined ? undefined : findKey(ring, ring.activeKid);
}
