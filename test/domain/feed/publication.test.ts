import { createLocalJWKSet, jwtVerify } from 'jose';
import { discovery, isInJwks, jwksAt } from '../../../lib/domain/feed/publication';
import type { KeyState } from '../../../lib/domain/rings/ring';
import { signJws } from '../../support/keys';
import { activeRecord, CFG, keyRecord, NOW, poolKey, ringWith } from '../../support/rings';

const kids = (keys: readonly { readonly kid: string }[]) => keys.map(({ kid }) => kid);

test('the JWKS has the ACTIVE, the STANDBYs and what still verifies, each with kid, alg and use', () => {
  const ring = ringWith({
    keys: [activeRecord(1), keyRecord(2), keyRecord(3), keyRecord(4, { state: 'VERIFY_ONLY' })],
  });
  const { keys } = jwksAt(ring, NOW);
  expect(kids(keys)).toEqual([1, 2, 3, 4].map((slot) => keyRecord(slot).kid));
  for (const jwk of keys) expect(Object.keys(jwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
});

test.each<[KeyState, boolean]>([
  ['STANDBY', true],
  ['ACTIVE', true],
  ['VERIFY_ONLY', true],
  ['OBSERVED', true],
  ['SUSPECT', true],
  ['DENIED', false],
  ['RETIRED', false],
])('a %s key that is inJwks is published: %s', (state, published) => {
  const key = keyRecord(1, { state });
  expect(isInJwks(key, NOW)).toBe(published);
  expect(isInJwks({ ...key, inJwks: false }, NOW)).toBe(false);
});

test('past verifyUntil a key is gone from the JWKS, whatever its state says and whether or not a scheduler lives', () => {
  for (const state of ['STANDBY', 'ACTIVE', 'VERIFY_ONLY', 'OBSERVED', 'SUSPECT'] as const) {
    const ring = ringWith({ keys: [keyRecord(1, { state, verifyUntil: NOW })] });
    expect(kids(jwksAt(ring, NOW).keys)).toHaveLength(1);
    expect(jwksAt(ring, NOW + 1)).toEqual({ keys: [] });
  }
});

test('stock jose verifies with the JWKS as it stands', async () => {
  const token = signJws(
    poolKey(1),
    { alg: 'ES256', kid: poolKey(1).jwk.kid, typ: 'at+jwt' },
    { iss: CFG.iss, aud: CFG.aud, sub: 's', exp: NOW + 60 },
  );
  const jwks = createLocalJWKSet(jwksAt(ringWith(), NOW) as never);
  await expect(
    jwtVerify(token, jwks, { issuer: CFG.iss, audience: CFG.aud, currentDate: new Date(NOW * 1000) }),
  ).resolves.toBeDefined();
});

test('discovery names the issuer of the tokens, not the host that serves it', () => {
  expect(discovery(ringWith(), 'https://cdn.example')).toMatchObject({
    issuer: CFG.iss,
    jwks_uri: 'https://cdn.example/r/customer-api/.well-known/jwks.json',
    token_endpoint: 'https://cdn.example/r/customer-api/exchange',
    id_token_signing_alg_values_supported: ['ES256'],
  });
});
