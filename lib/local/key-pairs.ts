/**
 * Key pairs made of drawn bytes: one seed, the same keys, and so the same kids, in every run. For tests only.
 * (RFC 7518 section 6.2 for the curves, section 6.3 for RSA, RFC 8410 section 7 for Ed25519.)
 */
import { checkPrimeSync, createECDH, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { SigningAlgorithm } from '../domain/jose/algorithm';
import type { Random } from '../ports';

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export function drawKeyPair(algorithm: SigningAlgorithm, random: Random): KeyPair {
  switch (algorithm) {
    case 'ES256':
      return ecPair('P-256', 'prime256v1', 32, random);
    case 'ES384':
      return ecPair('P-384', 'secp384r1', 48, random);
    case 'RS256':
    case 'PS256':
      return rsaPair(random);
    case 'EdDSA':
      return pairOf(createPrivateKey({ key: ed25519Pkcs8(random.bytes(32)), format: 'der', type: 'pkcs8' }));
  }
}

function pairOf(privateKey: KeyObject): KeyPair {
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** PKCS #8 of Ed25519 is these bytes and the 32 of the private key. */
function ed25519Pkcs8(privateBytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), privateBytes]);
}

/** A scalar below 2^(8·width − 1) is below the order of either curve, and only 0 would be refused. */
function ecPair(crv: string, curve: string, width: number, random: Random): KeyPair {
  const scalar = random.bytes(width);
  scalar[0] = (scalar[0] as number) & 0x7f;
  const ecdh = createECDH(curve);
  ecdh.setPrivateKey(scalar);
  const point = ecdh.getPublicKey(); // 0x04, x, y
  const [x, y] = [point.subarray(1, 1 + width), point.subarray(1 + width)];
  return pairOf(fromJwk({ kty: 'EC', crv, d: scalar, x, y }));
}

const RSA_BITS = 2048;
const EXPONENT = 65_537n;
/** The strength that a test needs is that the keys are keys: a composite passes so many rounds once in 4^8. */
const ROUNDS = 8;

function rsaPair(random: Random): KeyPair {
  const p = drawPrime(random);
  const q = drawPrime(random);
  const d = inverse(EXPONENT, (p - 1n) * (q - 1n));
  const numbers = { n: p * q, e: EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const members = Object.entries(numbers).map(([name, value]) => [name, bytesOf(value)] as const);
  return pairOf(fromJwk({ kty: 'RSA', ...Object.fromEntries(members) }));
}

/** The first prime from a drawn odd number on; its two upper bits are set, so that two of them make a full modulus. */
function drawPrime(random: Random): bigint {
  const bytes = random.bytes(RSA_BITS / 16);
  bytes[0] = (bytes[0] as number) | 0xc0;
  bytes[bytes.length - 1] = (bytes.at(-1) as number) | 1;
  for (let candidate = BigInt(`0x${bytes.toString('hex')}`); ; candidate += 2n)
    if (!hasSmallFactor(candidate) && candidate % EXPONENT !== 1n && checkPrimeSync(candidate, { checks: ROUNDS }))
      return candidate;
}

/** Spares nine of ten candidates the long test. */
const SMALL_PRIMES = Array.from({ length: 1000 }, (_, n) => n + 3).filter((n) => checkPrimeSync(BigInt(n)));
const PRODUCT = SMALL_PRIMES.reduce((product, prime) => product * BigInt(prime), 1n);

function hasSmallFactor(candidate: bigint): boolean {
  const rest = candidate % PRODUCT;
  return SMALL_PRIMES.some((prime) => rest % BigInt(prime) === 0n);
}

/** a⁻¹ modulo m, by Euclid's extended algorithm. */
function inverse(a: bigint, m: bigint): bigint {
  let [r, s, x, y] = [m, a % m, 0n, 1n];
  while (s > 0n) {
    const quotient = r / s;
    [r, s, x, y] = [s, r - quotient * s, y, x - quotient * y];
  }
  return ((x % m) + m) % m;
}

function bytesOf(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}

function fromJwk(members: Readonly<Record<string, string | Buffer>>): KeyObject {
  const key = Object.fromEntries(
    Object.entries(members).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : value.toString('base64url'),
    ]),
  );
  return createPrivateKey({ key, format: 'jwk' });
}
