/** Who verifies while keys rotate: a service with our verifier, and stock ones whose JWKS is as old as they let it be. */
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { fetchTextPatiently } from '../../../demo/patience';
import { createVerifier, type VerifierOptions } from '../../../lib/verifier';

type Keys = ReturnType<typeof createLocalJWKSet>;

export interface Verifier {
  readonly name: string;
  /** For how long it goes on with what it knows, in seconds. */
  readonly cacheSeconds: number;
  readonly kind: 'ours' | 'stock';
  verify(token: string): Promise<unknown>;
}

export function ourVerifier(options: VerifierOptions): Verifier {
  const { verify } = createVerifier({ ...options, fetchText: fetchTextPatiently });
  return { name: 'curfew/verifier', kind: 'ours', cacheSeconds: options.pollSeconds ?? 5, verify };
}

/**
 * Any JOSE library on the published JWKS that asks again when its copy is `cacheSeconds` old, and never sooner: no
 * second look at a kid that it does not know, which is what jose's own remote set would do to hide a late publication.
 */
export class StockVerifier implements Verifier {
  readonly kind = 'stock';
  readonly name: string;
  /** When each kid was first seen in a JWKS as served, in epoch milliseconds. */
  readonly firstSeen = new Map<string, number>();
  private copy: { readonly at: number; readonly keys: Keys } | undefined;
  private fetching: Promise<Keys> | undefined;

  constructor(
    private readonly options: Pick<VerifierOptions, 'ring' | 'issuer' | 'audience' | 'publicBaseUrl'>,
    readonly cacheSeconds: number,
  ) {
    this.name = `jose, JWKS cached ${cacheSeconds} s`;
  }

  async verify(token: string): Promise<unknown> {
    const { issuer, audience } = this.options;
    return jwtVerify(token, await this.keys(), { issuer, audience, typ: 'at+jwt' });
  }

  private async keys(): Promise<Keys> {
    const { copy } = this;
    if (copy && Date.now() < copy.at + this.cacheSeconds * 1000) return copy.keys;
    this.fetching ??= this.fetchKeys().finally(() => {
      this.fetching = undefined;
    });
    return this.fetching;
  }

  async fetchKeys(): Promise<Keys> {
    const { publicBaseUrl, ring } = this.options;
    const url = `${publicBaseUrl}/r/${ring}/.well-known/jwks.json`;
    const jwks = JSON.parse(await fetchTextPatiently(url)) as JSONWebKeySet;
    const at = Date.now();
    for (const { kid = '' } of jwks.keys) if (!this.firstSeen.has(kid)) this.firstSeen.set(kid, at);
    this.copy = { at, keys: createLocalJWKSet(jwks) };
    return this.copy.keys;
  }
}
