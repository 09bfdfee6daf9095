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
import type { SigningAlgorithm } from '../jose/algorithm';
import type { PublicJwk } from '../jose/jwk';
import type { RingSettings } from './configuration';
import type { PolicyState } from './key-policy';

export const STANDBYS = 2;
export type KeyState = 'STANDBY' | 'ACTIVE' | 'VERIFY_ONLY' | 'OBSERVED' | 'SUSPECT' | 'DENIED' | 'RETIRED';

/** Tokens under a kid were issued within one of its windows; a re-sign wave adds one, since iat is kept. */
export interface Window {
  readonly iatFrom: number;
  readonly iatTo: number;
  readonly wave?: string;
}

/** How far a taint goes: `compromise`, the key could have been copied; `planned`, a custodian with use of it left. */
export type TaintClass = 'compromise' | 'planned';

export interface Taint {
  readonly class: TaintClass;
  readonly reason: string;
  readonly at: number;
  readonly cases: readonly string[];
}

export interface KeyRecord {
  readonly kid: string;
  readonly state: KeyState;
  readonly kind: 'kms' | 'legacy';
  readonly kmsKeyArn?: string;
  readonly alg: SigningAlgorithm;
  readonly jwk: PublicJwk;
  readonly slot: number;
  readonly shards: number;
  readonly bornAt: number;
  readonly confirmedAt?: number;
  readonly activatedAt?: number;
  readonly deactivatedAt?: number;
  /** Past this KMS refuses: the key policy says so. 0 for a legacy key, which never signs here. */
  readonly signUntil: number;
  readonly verifyUntil: number;
  /** Longest life of a token that it may have signed, in seconds: the ring's may have been lowered since. */
  readonly maxTtlSeconds?: number;
  readonly windows: readonly Window[];
  readonly inJwks: boolean;
  readonly taint?: Taint;
  readonly deniedAt?: number;
  /**
   * What KMS was last told or seen to be; `Enabled` from before EnableKey is called, so that a crash is cleaned up.
   * A STANDBY passes through `Disabling`, in which nobody may prepare or activate it.
   */
  readonly kmsState?: 'Enabled' | 'Disabling' | 'Disabled';
  readonly preparedAt?: number;
  /** A probe signed with it, and it was not disabled since; 0 or absent: we only asked KMS to enable it. */
  readonly probedAt?: number;
  /** Of a STANDBY that was prepared and given up: others may still be about to disable it (`RESTS_FOR`). */
  readonly disabledAt?: number;
  readonly policySha256?: string;
  /** What the last read-back found; absent: as written at birth. */
  readonly policyState?: PolicyState;
}

export interface Slot {
  readonly slot: number;
  readonly state: 'INTENT' | 'CREATED' | 'ADOPTED';
  readonly at: number;
  /** Part of the tag that the KMS key is found by: nobody can make a key in advance that looks like this slot's. */
  readonly nonce: string;
  /** Fixed here, for the key policy and the key record alike: the ring's period may change before the key is adopted. */
  readonly signUntil: number;
  readonly adoptedAt?: number;
  /** When keys that carry the slot's tag, and are not its key, were looked for. */
  readonly sweptAt?: number;
  /** From CREATED on. The public key is read at once: KMS refuses to tell that of a disabled key. */
  readonly kmsKeyArn?: string;
  readonly jwk?: PublicJwk;
  readonly policySha256?: string;
}

/** What the last pass of a wave came to; the root commits to every (H(jti), old digest, new digest). */
export interface WaveResult {
  readonly passes: number;
  readonly source: number;
  readonly done: number;
  readonly excluded: Readonly<Record<string, number>>;
  readonly root: string;
}

export interface Wave {
  /** The tainted kid: one wave each, however many cases join it. */
  readonly fromKid: string;
  readonly toKid: string;
  readonly state: 'OPEN' | 'DONE';
  readonly openedAt: number;
  readonly cases: readonly string[];
  /** Of a wave that is DONE. */
  readonly result?: WaveResult;
}

export interface Ring {
  readonly id: string;
  /** Number of activations so far; 0 at birth. */
  readonly activations: number;
  readonly fence: number;
  readonly activeKid?: string;
  readonly halted: boolean;
  /** From then on nothing is issued; the ring is RETIRED whole when its last token is over. */
  readonly closingAt?: number;
  readonly cfg: RingSettings;
  readonly cfgSha: string;
  readonly keys: readonly KeyRecord[];
  readonly slots: readonly Slot[];
  readonly waves: readonly Wave[];
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
