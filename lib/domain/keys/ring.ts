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
import { canonicalJson, H } from '../encoding';
import { CurfewError } from '../errors';
import type { Settings } from '../settings';
import type { WaveResult } from '../tokens/wave';
import { parseAlgorithm, type SigningAlgorithm } from './algorithm';
import { type PublicJwk, parsePublicJwk } from './jwk';

export const STANDBYS = 2;
export const SHARDS = 64;
const DAY = 86_400;

/** Hard limits of a ring, in seconds. */
export const RING_LIMITS = {
  periodSeconds: { default: 30 * DAY, min: 3600, max: 90 * DAY },
  maxTtlSeconds: { default: 3600, min: 60, max: DAY },
} as const;

/** What the customer says of a ring; the custom resource hands it to the rotator. */
export interface RingConfig {
  readonly id: string;
  /** `iss`: a name the company owns, one path a ring. */
  readonly issuer: string;
  readonly audience: string;
  readonly algorithm: SigningAlgorithm;
  /** How long a key is ACTIVE. */
  readonly periodSeconds: number;
  /** Longest life of a token. */
  readonly maxTtlSeconds: number;
  readonly legacyKeys: readonly LegacyKeyConfig[];
}

/** The public key of the issuer that the ring replaces: exportable by nature, never ACTIVE. */
export interface LegacyKeyConfig {
  readonly jwk: PublicJwk;
  /** Epoch seconds. */
  readonly verifyUntil: number;
  /** Where the approval is on file (a ticket, a role): it stands in evidence in clear, so never a person's name. */
  readonly approver: string;
}

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
  readonly publishedAt?: number;
  readonly activatedAt?: number;
  readonly deactivatedAt?: number;
  /** Past this KMS refuses: the key policy says so. 0 for a legacy key, which never signs here. */
  readonly signUntil: number;
  readonly verifyUntil: number;
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
  readonly policySha256?: string;
}

export interface Slot {
  readonly slot: number;
  readonly state: 'INTENT' | 'CREATED' | 'ADOPTED';
  readonly at: number;
  /** Part of the tag that the KMS key is found by: nobody can make a key in advance that looks like this slot's. */
  readonly nonce: string;
  /** Fixed here, for the key policy and the key record alike: the ring's period may change before the key is adopted. */
  readonly signUntil: number;
  /** From CREATED on. The public key is read at once: KMS refuses to tell that of a disabled key. */
  readonly kmsKeyArn?: string;
  readonly jwk?: PublicJwk;
  readonly policySha256?: string;
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

/** What stands in HEAD.cfg: the part of the configuration that tokens depend on, and the timings of activation. */
export interface RingSettings {
  readonly alg: SigningAlgorithm;
  readonly iss: string;
  readonly aud: string;
  readonly period: number;
  readonly maxTtl: number;
  readonly prop: number;
  readonly cache: number;
  readonly skew: number;
  readonly drain: number;
}

export interface Ring {
  readonly id: string;
  /** Number of activations so far; 0 at birth. */
  readonly seq: number;
  readonly fence: number;
  readonly activeKid?: string;
  readonly halted: boolean;
  readonly cfg: RingSettings;
  readonly cfgSha: string;
  readonly keys: readonly KeyRecord[];
  readonly slots: readonly Slot[];
  readonly waves: readonly Wave[];
}

export const RING_ID_PATTERN = /^[a-z][a-z0-9-]{1,38}[a-z0-9]$/;

export function parseRingConfig(given: unknown): RingConfig {
  const ring = given as { readonly [name in keyof RingConfig]?: unknown };
  if (typeof ring !== 'object' || ring === null)
    throw new CurfewError('ERR_CONFIG_INVALID', 'a ring is configured by an object', { got: typeof given });
  const { id, issuer, audience } = ring;
  if (typeof id !== 'string' || !RING_ID_PATTERN.test(id))
    throw new CurfewError('ERR_CONFIG_INVALID', 'the ring id is not a short lower-case name', {
      got: id,
      allowed: String(RING_ID_PATTERN),
    });
  if (typeof issuer !== 'string' || !URL.canParse(issuer) || !issuer.startsWith('https://') || issuer.endsWith('/'))
    throw new CurfewError('ERR_CONFIG_INVALID', `the issuer of ring ${id} is not an https URL`, {
      got: issuer,
      allowed: 'https://, a name you own, a path for this ring, no slash at the end',
    });
  if (typeof audience !== 'string' || audience.length === 0)
    throw new CurfewError('ERR_CONFIG_INVALID', `ring ${id} has no audience`, {
      got: audience,
      fix: 'name the API its tokens are for',
    });
  if (ring.periodSeconds === undefined)
    throw new CurfewError('ERR_CONFIG_INVALID', `ring ${id} has no rotation schedule`, {
      got: undefined,
      allowed: RING_LIMITS.periodSeconds,
      fix: 'give a rotation period',
    });
  const legacyKeys = (Array.isArray(ring.legacyKeys) ? ring.legacyKeys : []).map((key) => parseLegacyKey(id, key));
  return {
    id,
    issuer,
    audience,
    algorithm: parseAlgorithm(ring.algorithm),
    periodSeconds: within(`the rotation period of ring ${id}`, ring.periodSeconds, RING_LIMITS.periodSeconds),
    maxTtlSeconds: within(`the longest token life of ring ${id}`, ring.maxTtlSeconds, RING_LIMITS.maxTtlSeconds),
    legacyKeys,
  };
}

/** `signUntil`: a STANDBY waits, KMS-disabled, for every key before it, then signs one period; a tenth is grace. */
export function signUntilOf(bornAt: number, period: number): number {
  return bornAt + (STANDBYS + 1) * period + Math.ceil(period / 10);
}

/** A token of the key that is signed in its last second lives this long; the skew is the verifier's. */
export function verifyUntilOf(lastSignature: number, cfg: Pick<RingSettings, 'maxTtl' | 'skew'>): number {
  return lastSignature + cfg.maxTtl + cfg.skew;
}

export function ringSettings(config: RingConfig, settings: Settings): RingSettings {
  return {
    alg: config.algorithm,
    iss: config.issuer,
    aud: config.audience,
    period: config.periodSeconds,
    maxTtl: config.maxTtlSeconds,
    prop: settings.propagationSeconds,
    cache: settings.verifierCacheSeconds,
    skew: settings.skewSeconds,
    drain: settings.drainSeconds,
  };
}

export function settingsSha(cfg: RingSettings): string {
  return H(canonicalJson({ ...cfg }));
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

function parseLegacyKey(ringId: string, given: unknown): LegacyKeyConfig {
  const { jwk, verifyUntil, approver } = (given ?? {}) as { jwk?: unknown; verifyUntil?: unknown; approver?: unknown };
  if (typeof approver !== 'string' || approver === '' || !Number.isSafeInteger(verifyUntil))
    throw new CurfewError('ERR_CONFIG_INVALID', `a legacy key of ring ${ringId} needs an approver and an end`, {
      got: { verifyUntil, approver },
      fix: 'give verifyUntil in epoch seconds and where the approval is on file',
    });
  return { jwk: parsePublicJwk(jwk), verifyUntil: verifyUntil as number, approver };
}

function within(what: string, value: unknown, limits: { default: number; min: number; max: number }): number {
  const given = value ?? limits.default;
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= limits.min && given <= limits.max)
    return given;
  throw new CurfewError(
    'ERR_CONFIG_INVALID',
    `${what} is a whole number of seconds from ${limits.min} to ${limits.max}`,
    {
      got: value,
      allowed: { min: limits.min, max: limits.max },
    },
  );
}
