/**
 * ECDSA signatures between DER (what KMS returns) and the fixed-width r‖s of JWS (RFC 7518 section 3.4), low-S only.
 *
 *     30 len  02 len r  02 len s        DER: r and s are minimal and signed, so 1 in 128 is a byte short
 *     r (32 bytes) s (32 bytes)         JWS
 *
 * For every (r, s) the pair (r, n − s) verifies too. We issue the lower one and accept no other, so that a token has
 * one spelling and its digest identifies it.
 */
import { verify } from 'node:crypto';
import { CurfewError } from '../base/errors';
import { ALGORITHMS, type SigningAlgorithm } from './algorithm';
import { keyObject, type PublicJwk } from './jwk';

/** Group orders of SEC 2. */
const ORDER = {
  32: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  48: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
} as const;
type Width = keyof typeof ORDER;

/** KMS's answer as it stands in a JWS. Ed25519 and RSA signatures are already in their JWS form. */
export function toJws(algorithm: SigningAlgorithm, kmsSignature: Uint8Array): Buffer {
  const width = ALGORITHMS[algorithm].ecdsaBytes;
  return width === undefined ? Buffer.from(kmsSignature) : fromDer(kmsSignature, width);
}

/** True for a signature that verifies and is spelled the one way we issue. */
export function isSigned(jwk: PublicJwk, signingInput: Uint8Array, signature: Uint8Array): boolean {
  const { ecdsaBytes, hash } = ALGORITHMS[jwk.alg];
  if (ecdsaBytes !== undefined && !isLowS(signature, ecdsaBytes)) return false;
  const key = keyObject(jwk);
  if (ecdsaBytes !== undefined) return verify(hash, signingInput, { key, dsaEncoding: 'ieee-p1363' }, signature);
  // PS256: MGF1 and digest SHA-256, a salt of 32 bytes (RFC 7518 section 3.5); 6 is RSA_PKCS1_PSS_PADDING.
  if (jwk.alg === 'PS256') return verify(hash, signingInput, { key, padding: 6, saltLength: 32 }, signature);
  return verify(hash, signingInput, key, signature);
}

/** Strict DER: minimal integers, nothing after the end; throws `ERR_SIGNATURE_ENCODING`. */
export function fromDer(der: Uint8Array, width: Width): Buffer {
  const bytes = Buffer.from(der);
  if (bytes[0] !== 0x30 || bytes[1] !== bytes.length - 2) throw bad('it is not one short SEQUENCE');
  const r = readInteger(bytes, 2);
  const s = readInteger(bytes, r.end);
  if (s.end !== bytes.length) throw bad('something follows it');
  return Buffer.concat([fixed(r.value, width), fixed(lowS(s.value, width), width)]);
}

function lowS(s: bigint, width: Width): bigint {
  return s > ORDER[width] / 2n ? ORDER[width] - s : s;
}

function isLowS(signature: Uint8Array, width: Width): boolean {
  if (signature.length !== 2 * width) return false;
  const s = BigInt(`0x${Buffer.from(signature.subarray(width)).toString('hex')}`);
  return s > 0n && s <= ORDER[width] / 2n;
}

function readInteger(bytes: Buffer, at: number): { readonly value: bigint; readonly end: number } {
  const length = bytes[at + 1] ?? 0;
  const end = at + 2 + length;
  if (bytes[at] !== 0x02 || length === 0 || length > 127 || end > bytes.length) throw bad('an INTEGER is cut short');
  const [first = 0, second = 0] = [bytes[at + 2], bytes[at + 3]];
  if (first & 0x80) throw bad('an INTEGER is negative');
  if (length > 1 && first === 0 && !(second & 0x80)) throw bad('an INTEGER is padded');
  return { value: BigInt(`0x${bytes.subarray(at + 2, end).toString('hex')}`), end };
}

function fixed(value: bigint, width: Width): Buffer {
  if (value <= 0n || value >= ORDER[width]) throw bad('an INTEGER is out of range');
  return Buffer.from(value.toString(16).padStart(width * 2, '0'), 'hex');
}

function bad(why: string): CurfewError {
  return new CurfewError('ERR_SIGNATURE_ENCODING', `the signature is not a DER ECDSA signature: ${why}`);
}
