/** What the world sees of a ring: JWKS (RFC 7517) and discovery, computed from the clock at every request. */
import type { PublicJwk } from '../jose/jwk';
import type { KeyRecord, Ring } from '../rings/ring';

/**
 * The keys to verify with at `now`. A key past `verifyUntil` is absent whether or not anybody retired it: a dead
 * scheduler cannot keep a key published.
 */
export function jwksAt(ring: Pick<Ring, 'keys'>, now: number): { readonly keys: readonly PublicJwk[] } {
  return { keys: ring.keys.filter((key) => isInJwks(key, now)).map((key) => key.jwk) };
}

export function isInJwks(key: KeyRecord, now: number): boolean {
  if (!key.inJwks || now > key.verifyUntil) return false;
  return key.state !== 'DENIED' && key.state !== 'RETIRED';
}

/** OpenID Connect discovery 1.0, section 3: what a resource server needs of it. */
export function discovery(ring: Pick<Ring, 'cfg' | 'id'>, publicBaseUrl: string) {
  return {
    issuer: ring.cfg.iss,
    jwks_uri: `${publicBaseUrl}/r/${ring.id}/.well-known/jwks.json`,
    token_endpoint: `${publicBaseUrl}/r/${ring.id}/exchange`,
    grant_types_supported: ['urn:ietf:params:oauth:grant-type:token-exchange'],
    response_types_supported: ['token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [ring.cfg.alg],
  };
}

/** Where a client that knows only `iss` looks for the document: OpenID Connect Discovery 1.0, section 4. */
export function discoveryUrlOf(iss: string): string {
  return `${iss.replace(/\/$/, '')}/.well-known/openid-configuration`;
}
