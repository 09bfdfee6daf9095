/** A stock verifier (jose) that refreshes its JWKS when it is `age` seconds old and at no other time. */
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import type { World } from '../../lib/local/world';
import { AUDIENCE, ISSUER, RING } from '../scenarios/signing-world';

export async function servedJwks(world: World): Promise<JSONWebKeySet> {
  return JSON.parse((await world.http.get(`${world.config.publicBaseUrl}/r/${RING}/.well-known/jwks.json`)).body);
}

export function stockVerifier(world: World, age: number) {
  let cached: { readonly at: number; readonly keys: ReturnType<typeof createLocalJWKSet> } | undefined;
  return {
    verify: async (token: unknown) => {
      const now = world.clock.now();
      if (!cached || now >= cached.at + age) cached = { at: now, keys: createLocalJWKSet(await servedJwks(world)) };
      return jwtVerify(token as string, cached.keys, {
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: 'at+jwt',
        currentDate: new Date(now * 1000),
      });
    },
  };
}
