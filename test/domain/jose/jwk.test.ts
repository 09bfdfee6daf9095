import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { jwkFromSpki, KID_PATTERN, kidsIn, parsePublicJwk, thumbprint } from '../../../lib/domain/jose/jwk';
import { signingKey } from '../../support/keys';
import { oddBut } from '../../support/odd';

const RSA_OF_RFC_7638 = {
  kty: 'RSA',
  n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  e: 'AQAB',
} as const;

test('https://www.rfc-editor.org/rfc/rfc7638#section-3.1', () => {
  expect(thumbprint(RSA_OF_RFC_7638)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  expect(parsePublicJwk({ ...RSA_OF_RFC_7638, alg: 'RS256' }).kid).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
});

test('https://www.rfc-editor.org/rfc/rfc8037#appendix-A.3', () => {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const;
  expect(thumbprint(jwk)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  expect(parsePublicJwk({ ...jwk, alg: 'EdDSA' }).kid).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
});

test.each(['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'] as const)(
  'the kid of a %s key is the thumbprint that jose calculates',
  async (alg) => {
    const { jwk, privateKey } = signingKey(alg);
    expect(jwk.kid).toBe(await calculateJwkThumbprint(await exportJWK(privateKey)));
    expect(jwk.kid).toMatch(KID_PATTERN);
    expect(parsePublicJwk(jwk)).toEqual(jwk);
  },
);

test('a JWK keeps the kid it was given, and loses every member that is not of the public key', () => {
  const { jwk } = signingKey();
  expect(parsePublicJwk({ ...jwk, kid: 'old-issuer-1', x5c: ['MII'], ext: true })).toEqual({
    ...jwk,
    kid: 'old-issuer-1',
  });
});

test('a private key is refused, whatever its type', () => {
  for (const type of ['ES256', 'RS256', 'EdDSA'] as const) {
    const jwk = { ...signingKey(type).privateKey.export({ format: 'jwk' }), alg: type };
    expect(() => parsePublicJwk(jwk)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message: 'the JWK holds a private key' }),
    );
  }
});

const { jwk } = signingKey();
const rsa = signingKey('RS256').jwk;
test.each<[string, unknown, string]>([
  ['a secret', { kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' }, 'the JWK is not a public key'],
  ['a point off the curve', { ...jwk, y: jwk.x }, 'the JWK is not a public key'],
  ['no coordinates', { kty: 'EC', crv: 'P-256', alg: 'ES256' }, 'the JWK is not a public key'],
  ['another curve', { ...signingKey('ES384').jwk, alg: 'ES256' }, 'the key is not a key for ES256'],
  ['another type', { ...rsa, alg: 'ES256' }, 'the key is not a key for ES256'],
  ['HS256 over a public key', { ...jwk, alg: 'HS256' }, 'a ring may not use this algorithm'],
  ['no alg', { ...jwk, alg: undefined }, 'a ring may not use this algorithm'],
  ['an alg of Object.prototype', { ...jwk, alg: 'toString' }, 'a ring may not use this algorithm'],
  ['an encryption key', { ...jwk, use: 'enc' }, 'the JWK is not for verifying signatures'],
  ['a key for other operations', { ...jwk, key_ops: ['encrypt'] }, 'the JWK is not for verifying signatures'],
  ['an RSA exponent of 1', { ...rsa, e: 'AQ' }, 'the RSA key is too weak'],
])('%s is refused as a public key', (_what, given, message) => {
  expect(() => parsePublicJwk(given)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message }));
});

test('an RSA key of 1024 bits is refused', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const weak = { ...publicKey.export({ format: 'jwk' }), alg: 'RS256' };
  expect(() => parsePublicJwk(weak)).toThrow(
    expect.objectContaining({
      message: 'the RSA key is too weak',
      got: { modulusLength: 1024, publicExponent: '65537' },
    }),
  );
});

test('what is no object is refused as a public key', () => {
  for (const odd of oddBut([], {}).filter((value) => typeof value !== 'object' || value === null))
    expect(() => parsePublicJwk(odd)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message: 'the public key is not a JWK object' }),
    );
});

test('a kid that could be a path, a query, a header or nothing is refused', () => {
  for (const kid of [
    '',
    '../../etc/passwd',
    "k' OR '1'='1",
    'a\r\nb',
    'a b',
    'k/',
    'ключ',
    'x'.repeat(65),
    7,
    null,
    {},
    ['k'],
  ])
    expect(() => parsePublicJwk({ ...jwk, kid })).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG_INVALID',
        message: 'the kid does not have the form of a kid',
        got: kid,
      }),
    );
});

test('a KMS public key of another algorithm than the ring is refused', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  expect(() => jwkFromSpki(publicKey.export({ format: 'der', type: 'spki' }), 'ES256')).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFIG_INVALID',
      message: 'the key is not a key for ES256',
      got: 'EC P-384',
      allowed: 'EC P-256',
    }),
  );
});

test('the kids of a JWK set are those of its keys; what is no set has none to tell', () => {
  expect(kidsIn('{"keys":[{"kid":"a"},{"kty":"EC"},{"kid":7},{"kid":"b"}]}')).toEqual(['a', 'b']);
  expect(kidsIn('{"keys":[]}')).toEqual([]);
  for (const served of ['', '<html>', 'null', '7', '[]', '{}', '{"keys":{}}', '{"keys":["a"]}', '{"keys":[null]}'])
    expect(() => kidsIn(served)).toThrow(
      expect.objectContaining({ code: 'ERR_UNAVAILABLE', message: 'what is served as the JWKS is none' }),
    );
});
