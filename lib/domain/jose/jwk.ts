/** Public keys as JWK (RFC 7517, RFC 8037) and the kid derived from them (RFC 7638). */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { H, isMembers } from '../base/encoding';
import { CurfewError } from '../base/errors';
import { parseAlgorithm, type SigningAlgorithm } from './algorithm';

/** A public signing key; `kid` and `alg` always stand in it, because consumers that find none trust the header's. */
export interface PublicJwk {
  readonly kty: 'EC' | 'RSA' | 'OKP';
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly use: 'sig';
}

/** The kids of a JWK set as it is served (RFC 7517 section 5). What is none says nothing of any key: `ERR_UNAVAILABLE`. */
export function kidsIn(jwkSet: string): readonly string[] {
  const keys = memberIn(jwkSet, 'keys');
  if (!Array.isArray(keys) || !keys.every(isMembers))
    throw new CurfewError('ERR_UNAVAILABLE', 'what is served as the JWKS is none', {
      fix: 'ask for it as a verifier does, and see what answers',
    });
  return keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : []));
}

function memberIn(text: string, name: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isMembers(value) ? value[name] : undefined;
  } catch {
    return undefined;
  }
}

const RSA_BITS_MIN = 2048;
const PUBLIC_JWK = 'copy the key from the JWKS of its issuer, with its alg';

export const KID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

/** As much of a kid as tells a person which it is, where the whole stands beside it. */
export function shortKid(kid: string): string {
  return kid.slice(0, 8);
}

/** Members that a thumbprint covers, in the order of RFC 7638 section 3.2. */
const REQUIRED_MEMBERS = { EC: ['crv', 'kty', 'x', 'y'], RSA: ['e', 'kty', 'n'], OKP: ['crv', 'kty', 'x'] } as const;

const CURVES = { ES256: 'P-256', ES384: 'P-384', EdDSA: 'Ed25519', RS256: undefined, PS256: undefined } as const;

/** RFC 7638: base64url(SHA-256(the required members as JSON, sorted, without spaces)). */
export function thumbprint(jwk: Omit<PublicJwk, 'kid' | 'alg' | 'use'>): string {
  const members = REQUIRED_MEMBERS[jwk.kty].map((name) => `${JSON.stringify(name)}:${JSON.stringify(jwk[name])}`);
  return H(`{${members.join(',')}}`);
}

/** From SubjectPublicKeyInfo (DER), as KMS returns it. The kid is the thumbprint: never an alias, never an ARN. */
export function jwkFromSpki(spki: Uint8Array, alg: SigningAlgorithm): PublicJwk {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return normalise(key.export({ format: 'jwk' }), alg);
}

/** A JWK that somebody configured: checked to be a public key of its `alg`; keeps its own kid, if it has one. */
export function parsePublicJwk(given: unknown): PublicJwk {
  if (typeof given !== 'object' || given === null)
    throw new CurfewError('ERR_CONFIG_INVALID', 'the public key is not a JWK object', {
      got: typeof given,
      allowed: 'object',
      fix: PUBLIC_JWK,
    });
  const { alg, kid } = given as { alg?: unknown; kid?: unknown };
  if ('d' in given)
    throw new CurfewError('ERR_CONFIG_INVALID', 'the JWK holds a private key', {
      got: 'member d',
      allowed: Object.values(REQUIRED_MEMBERS),
      fix: 'give the public members only, and treat the key as exposed',
    });
  const { use, key_ops } = given as { use?: unknown; key_ops?: unknown };
  if ((use !== undefined && use !== 'sig') || (key_ops !== undefined && !isFor('verify', key_ops)))
    throw new CurfewError('ERR_CONFIG_INVALID', 'the JWK is not for verifying signatures', {
      got: { use, key_ops },
      allowed: { use: 'sig', key_ops: ['verify'] },
      fix: PUBLIC_JWK,
    });
  let key: KeyObject;
  try {
    key = createPublicKey({ key: given as never, format: 'jwk' });
  } catch (cause) {
    throw new CurfewError('ERR_CONFIG_INVALID', 'the JWK is not a public key', {
      got: Object.keys(given),
      allowed: Object.values(REQUIRED_MEMBERS),
      fix: PUBLIC_JWK,
      cause,
    });
  }
  // RFC 7518 section 3.3; and with an exponent of 1 every signature verifies.
  const { modulusLength = RSA_BITS_MIN, publicExponent = 65_537n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < RSA_BITS_MIN || publicExponent < 3n)
    throw new CurfewError('ERR_CONFIG_INVALID', 'the RSA key is too weak', {
      got: { modulusLength, publicExponent: String(publicExponent) },
      allowed: `${RSA_BITS_MIN} bits and an exponent of 3 or more`,
      fix: 'end this key: an attacker can forge its signatures',
    });
  const jwk = normalise(key.export({ format: 'jwk' }), parseAlgorithm(alg));
  if (kid === undefined) return jwk;
  if (typeof kid !== 'string' || !KID_PATTERN.test(kid))
    throw new CurfewError('ERR_CONFIG_INVALID', 'the kid does not have the form of a kid', {
      got: kid,
      allowed: String(KID_PATTERN),
      fix: 'leave it out: it is then the RFC 7638 thumbprint',
    });
  return { ...jwk, kid };
}

/** Importing a key costs more than a signature check with it, so each record's key is imported once. */
const imported = new WeakMap<PublicJwk, KeyObject>();

export function keyObject(jwk: PublicJwk): KeyObject {
  const key = imported.get(jwk) ?? createPublicKey({ key: jwk as never, format: 'jwk' });
  imported.set(jwk, key);
  return key;
}

function isFor(operation: string, keyOps: unknown): boolean {
  return Array.isArray(keyOps) && keyOps.includes(operation);
}

function normalise(exported: object, alg: SigningAlgorithm): PublicJwk {
  const members = exported as Omit<PublicJwk, 'kid' | 'alg' | 'use'>;
  const kty = { ES256: 'EC', ES384: 'EC', RS256: 'RSA', PS256: 'RSA', EdDSA: 'OKP' }[alg];
  if (members.kty !== kty || members.crv !== CURVES[alg])
    throw new CurfewError('ERR_CONFIG_INVALID', `the key is not a key for ${alg}`, {
      got: `${members.kty} ${members.crv ?? ''}`.trim(),
      allowed: `${kty} ${CURVES[alg] ?? ''}`.trim(),
      fix: PUBLIC_JWK,
    });
  const named = Object.fromEntries(
    REQUIRED_MEMBERS[members.kty].map((name) => [name, members[name as keyof typeof members]]),
  );
  return { ...(named as unknown as Omit<PublicJwk, 'kid' | 'alg' | 'use'>), kid: thumbprint(members), alg, use: 'sig' };
}
