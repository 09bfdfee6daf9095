/** Key pairs drawn from TEST_SEED, and JWS made with node:crypto alone: what the tests hold against lib must not be made by lib. */
import { constants, type KeyObject, sign } from 'node:crypto';
import type { SigningAlgorithm } from '../../lib/domain/jose/algorithm';
import { jwkFromSpki, type PublicJwk } from '../../lib/domain/jose/jwk';
import { drawKeyPair } from '../../lib/local/key-pairs';
import { SeededRandom } from '../../lib/local/random';

export interface SigningKey {
  readonly jwk: PublicJwk;
  readonly privateKey: KeyObject;
}

/** n of P-256 and P-384 (SEC 2), by the width of half a signature. */
export const ORDER: Readonly<Record<number, bigint>> = {
  32: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  48: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
};

const random = new SeededRandom('fixture keys');

export function signingKey(alg: SigningAlgorithm = 'ES256', from = random): SigningKey {
  const { publicKey, privateKey } = drawKeyPair(alg, from);
  return { jwk: jwkFromSpki(publicKey.export({ format: 'der', type: 'spki' }), alg), privateKey };
}

/** How kids begin that something may take for something else: an option, a name that must not begin so, a number. */
export const ODD_KIDS = { '-': /^-/, _: /^_/, digit: /^[0-9]/ } as const;
export type OddKid = keyof typeof ODD_KIDS;

/** A key whose kid begins so, as one in 64 (a digit: ten in 64) does; drawn until there is one, some ten milliseconds. */
export function oddKey(begins: OddKid): SigningKey {
  const from = new SeededRandom(`fixture key ${begins}`);
  for (;;) {
    const key = signingKey('ES256', from);
    if (ODD_KIDS[begins].test(key.jwk.kid)) return key;
  }
}

export const encode = (value: string | object | Buffer): string =>
  Buffer.from(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString(
    'base64url',
  );

/** Any header over any payload, as text or as an object, well signed. */
export function signJws(key: SigningKey, header: string | object, payload: string | object): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${encode(signatureOf(key, Buffer.from(input)))}`;
}

/** The same signature in its other half: (r, n − s). */
export function withOtherS(token: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const width = bytes.length / 2;
  const s = (ORDER[width] ?? 0n) - numberOf(bytes.subarray(width));
  return `${header}.${payload}.${encode(Buffer.concat([bytes.subarray(0, width), bytesOf(s, width)]))}`;
}

export function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
}

export function bytesOf(n: bigint, width: number): Buffer {
  return Buffer.from(n.toString(16).padStart(2 * width, '0'), 'hex');
}

function signatureOf({ jwk, privateKey }: SigningKey, input: Buffer): Buffer {
  if (jwk.alg === 'EdDSA') return sign(null, input, privateKey);
  if (jwk.alg === 'RS256') return sign('sha256', input, privateKey);
  if (jwk.alg === 'PS256')
    return sign('sha256', input, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
  const [hash, width] = jwk.alg === 'ES256' ? (['sha256', 32] as const) : (['sha384', 48] as const);
  const signature = sign(hash, input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const order = ORDER[width] ?? 0n;
  const s = numberOf(signature.subarray(width));
  return Buffer.concat([signature.subarray(0, width), bytesOf(s > order / 2n ? order - s : s, width)]);
}
