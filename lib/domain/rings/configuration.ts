/** What the customer says of a ring, its hard limits, and the settings that a live ring works with. */
import { canonicalJson, H, isMembers } from '../base/encoding';
import { CurfewError } from '../base/errors';
import { span } from '../base/time';
import { parseAlgorithm, type SigningAlgorithm } from '../jose/algorithm';
import { type PublicJwk, parsePublicJwk } from '../jose/jwk';
import type { DeclaredVerifier, RingSettings } from '../store/ring-head';
import { type Exemption, endOf, exemptionsIn, isExempt } from './exemption';
import { isReason } from './reason';

const DAY = 86_400;

interface Limits {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

/** Hard limits of a ring, in seconds. */
export const RING_LIMITS = {
  periodSeconds: { default: 30 * DAY, min: 3600, max: 90 * DAY },
  maxTtlSeconds: { default: 3600, min: 60, max: DAY },
} as const satisfies Record<string, Limits>;
/** With an exemption from ERR_RING_LIMIT, for as long as that lasts. */
const EXEMPT_PERIOD_SECONDS_MAX = 366 * DAY;

export const RING_ID_PATTERN = /^[a-z][a-z0-9-]{1,38}[a-z0-9]$/;
const VERIFIER_NAME_PATTERN = /^[A-Za-z0-9][\w./:-]{0,99}$/;
/** A month: whoever caches a JWKS for longer is `unbounded`. */
const CACHE_SECONDS_MAX = 30 * DAY;

export type { RingSettings } from '../store/ring-head';

/** The custom resource hands it to the rotator. */
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
  /** How long a STANDBY is published before it may sign; the propagation and the largest declared cache unless given. */
  readonly standbyAgeSeconds?: number;
  readonly verifiers: readonly DeclaredVerifier[];
  readonly legacyKeys: readonly LegacyKeyConfig[];
  /** First step of a removal: the ring issues no more, and is RETIRED when its last token is over. */
  readonly closing: boolean;
  /** All of the app's, for the record; those from ERR_RING_LIMIT that name this ring count here. */
  readonly exemptions: readonly Exemption[];
}

/** The public key of the issuer that the ring replaces: exportable by nature, never ACTIVE. */
export interface LegacyKeyConfig {
  readonly jwk: PublicJwk;
  /** Epoch seconds. */
  readonly verifyUntil: number;
  /** Where the approval is on file (a ticket, a role): it stands in evidence in clear, so never a person's name. */
  readonly approver: string;
}

/** The stage settings that a ring works with, in seconds; what each means stands in `deployment/settings.ts`. */
interface RingTimes {
  readonly propagationSeconds: number;
  readonly verifierCacheSeconds: number;
  readonly skewSeconds: number;
  readonly drainSeconds: number;
  readonly feedPollSeconds: number;
}

const MEMBERS: readonly string[] = [
  'id',
  'issuer',
  'audience',
  'algorithm',
  'periodSeconds',
  'maxTtlSeconds',
  'standbyAgeSeconds',
  'verifiers',
  'legacyKeys',
  'closing',
  'exemptions',
] satisfies (keyof RingConfig)[];

/** What people call these: in a configuration file, and as a property of `SigningKeyRing`. */
const CALLED = {
  periodSeconds: 'periodDays in a configuration file, period of SigningKeyRing',
  maxTtlSeconds: 'maxTtlSeconds in a configuration file, maxTtl of SigningKeyRing',
  standbyAgeSeconds: 'standbyAgeSeconds in a configuration file, standbyAge of SigningKeyRing',
} as const;

export function parseRingConfig(given: unknown): RingConfig {
  if (!isMembers(given))
    throw new CurfewError('ERR_CONFIG_INVALID', 'the configuration of a ring is not an object', { got: typeof given });
  const ring = given;
  const extra = Object.keys(ring).find((name) => !MEMBERS.includes(name));
  if (extra !== undefined)
    throw new CurfewError(
      'ERR_CONFIG_INVALID',
      'the configuration of a ring has a member that this version does not know',
      {
        got: extra,
        allowed: MEMBERS,
        fix: 'deploy with the version that the configuration was written for',
      },
    );
  const { id, issuer, audience, closing = false } = ring;
  if (typeof id !== 'string' || !RING_ID_PATTERN.test(id))
    throw new CurfewError('ERR_CONFIG_INVALID', 'the ring id is not a short lower-case name', {
      got: id,
      allowed: String(RING_ID_PATTERN),
      fix: 'name the ring after the purpose of its tokens: customer-api',
    });
  if (typeof issuer !== 'string' || !isIssuer(issuer))
    throw new CurfewError('ERR_CONFIG_INVALID', `the issuer of ring ${id} is not an https URL`, {
      got: issuer,
      allowed: 'https://, a name you own, a path for this ring; no query, fragment, or slash at the end',
      fix: `https://login.example.com/${id}`,
    });
  if (typeof audience !== 'string' || audience.trim() === '')
    throw new CurfewError('ERR_CONFIG_INVALID', `ring ${id} has no audience`, {
      got: audience,
      allowed: 'a text',
      fix: 'name the API its tokens are for',
    });
  if (typeof closing !== 'boolean')
    throw new CurfewError('ERR_CONFIG_INVALID', `closing of ring ${id} is not a boolean`, {
      got: closing,
      allowed: [true, false],
      fix: 'leave it out until you close the ring',
    });
  if (ring.periodSeconds === undefined)
    throw new CurfewError('ERR_RING_SCHEDULE', `ring ${id} has no rotation schedule`, {
      got: undefined,
      allowed: `${span(RING_LIMITS.periodSeconds.min)} to ${span(RING_LIMITS.periodSeconds.max)}`,
      fix: `give a rotation period: ${CALLED.periodSeconds}`,
    });
  // One past its date counts no more, and is still what the app said: only its shape is asked here.
  const exemptions = exemptionsIn(ring.exemptions ?? []);
  const longer = isExempt(exemptions, 'ERR_RING_LIMIT', id) ? { max: EXEMPT_PERIOD_SECONDS_MAX } : {};
  const periodSeconds = within(`the rotation period of ring ${id}`, 'periodSeconds', ring.periodSeconds, {
    ...RING_LIMITS.periodSeconds,
    ...longer,
  });
  return {
    id,
    issuer,
    audience,
    algorithm: parseAlgorithm(ring.algorithm),
    periodSeconds,
    maxTtlSeconds: within(
      `the longest token life of ring ${id}`,
      'maxTtlSeconds',
      ring.maxTtlSeconds,
      RING_LIMITS.maxTtlSeconds,
    ),
    standbyAgeSeconds: parseStandbyAge(id, ring.standbyAgeSeconds, periodSeconds),
    verifiers: listOf(ring.verifiers, `the declared verifiers of ring ${id}`).map((one) => parseVerifier(id, one)),
    legacyKeys: listOf(ring.legacyKeys, `the legacy keys of ring ${id}`).map((one) => parseLegacyKey(id, one)),
    closing,
    exemptions,
  };
}

/**
 * Throws `ERR_RING_STANDBY_AGE` where a STANDBY could sign before every declared verifier can have seen it, or could
 * not be old enough when its turn comes.
 */
export function ringSettings(config: RingConfig, settings: RingTimes): RingSettings {
  const { id, verifiers, exemptions } = config;
  const bounded = verifiers.flatMap(({ cacheSeconds }) => (cacheSeconds === 'unbounded' ? [] : [cacheSeconds]));
  const cache = bounded.length > 0 ? Math.max(...bounded) : settings.verifierCacheSeconds;
  const needed = settings.propagationSeconds + cache;
  const standbyAge = config.standbyAgeSeconds ?? needed;
  if (standbyAge < needed)
    throw new CurfewError('ERR_RING_STANDBY_AGE', `a STANDBY of ring ${id} could sign before every verifier knows it`, {
      got: span(standbyAge),
      allowed: `${span(needed)} or more: propagation and the largest declared verifier cache`,
      fix: `leave it out, or give more: ${CALLED.standbyAgeSeconds}`,
    });
  if (standbyAge > config.periodSeconds)
    throw new CurfewError(
      'ERR_RING_STANDBY_AGE',
      `a STANDBY of ring ${id} would not be old enough when its turn comes`,
      {
        got: span(standbyAge),
        allowed: `${span(config.periodSeconds)} at most: the rotation period`,
        fix: 'rotate less often, or have the verifiers cache for less long',
      },
    );
  const exemption = exemptions.find(({ rule, subject }) => rule === 'ERR_RING_LIMIT' && subject === id);
  return {
    alg: config.algorithm,
    iss: config.issuer,
    aud: config.audience,
    periodSeconds: config.periodSeconds,
    maxTtlSeconds: config.maxTtlSeconds,
    propagationSeconds: settings.propagationSeconds,
    cacheSeconds: standbyAge - settings.propagationSeconds,
    skewSeconds: settings.skewSeconds,
    drainSeconds: settings.drainSeconds,
    feedPollSeconds: settings.feedPollSeconds,
    // Absent where there is nothing to say, so that a deployment without it has the digest it had.
    ...(exemption && { periodExemptUntil: endOf(exemption) }),
    ...(verifiers.length > 0 && { verifiers }),
    ...(exemptions.length > 0 && { exemptions }),
  };
}

export function settingsSha(cfg: RingSettings): string {
  return H(canonicalJson(cfg));
}

/** RFC 8414, section 2: https, no query, no fragment. */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text) || !text.startsWith('https://') || text.endsWith('/')) return false;
  const { search, hash, username } = new URL(text);
  return search === '' && hash === '' && username === '' && !/[?#\s]/.test(text);
}

function parseStandbyAge(id: string, given: unknown, periodSeconds: number): number | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 0) return given;
  throw new CurfewError('ERR_RING_STANDBY_AGE', `the standby age of ring ${id} is not a whole number of seconds`, {
    got: given,
    allowed: { min: 0, max: periodSeconds },
    fix: 'leave it out: it is then the propagation and the largest declared verifier cache',
  });
}

function parseVerifier(ringId: string, given: unknown): DeclaredVerifier {
  const { name, cacheSeconds } = isMembers(given) ? given : {};
  const isAge = (age: unknown): age is number =>
    typeof age === 'number' && Number.isSafeInteger(age) && age >= 0 && age <= CACHE_SECONDS_MAX;
  if (
    typeof name === 'string' &&
    VERIFIER_NAME_PATTERN.test(name) &&
    (cacheSeconds === 'unbounded' || isAge(cacheSeconds))
  )
    return { name, cacheSeconds };
  throw new CurfewError('ERR_CONFIG_INVALID', `a verifier of ring ${ringId} has no valid name or cache age`, {
    got: { name, cacheSeconds },
    allowed: { name: String(VERIFIER_NAME_PATTERN), cacheSeconds: `0 to ${CACHE_SECONDS_MAX}, or unbounded` },
    fix: 'look up how long its JOSE library keeps a JWKS',
  });
}

function parseLegacyKey(ringId: string, given: unknown): LegacyKeyConfig {
  const { jwk, verifyUntil, approver } = isMembers(given) ? given : {};
  if (!isReason(approver) || !isInstant(verifyUntil))
    throw new CurfewError('ERR_CONFIG_INVALID', `a legacy key of ring ${ringId} needs an approver and an end`, {
      got: { verifyUntil, approver },
      allowed: { verifyUntil: 'epoch seconds', approver: 'a ticket or a role, in one line of at most 200 characters' },
      fix: 'give verifyUntil in epoch seconds and where the approval is on file',
    });
  return { jwk: parsePublicJwk(jwk), verifyUntil, approver };
}

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

function listOf(given: unknown, what: string): readonly unknown[] {
  if (given === undefined) return [];
  if (Array.isArray(given)) return given;
  throw new CurfewError('ERR_CONFIG_INVALID', `${what} are not a list`, { got: typeof given, allowed: 'array' });
}

function within(what: string, name: keyof typeof CALLED, value: unknown, limits: Limits): number {
  const given = value ?? limits.default;
  const { min, max } = limits;
  const isWhole = typeof given === 'number' && Number.isSafeInteger(given);
  if (isWhole && given >= min && given <= max) return given;
  throw new CurfewError('ERR_RING_LIMIT', `${what} is outside its limits`, {
    got: isWhole ? span(given) : value,
    allowed: `${span(min)} to ${span(max)}, in whole seconds`,
    fix: `change ${CALLED[name]}, or get a dated exemption from ERR_RING_LIMIT approved`,
  });
}
