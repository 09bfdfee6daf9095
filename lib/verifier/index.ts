/**
 * What a service installs to verify tokens of a ring: revocation and issuance at about the cost of a plain verify.
 *
 * # Trust
 *
 * The feed keys, the pepper and the URLs are configuration (`curfew verifier config`). Everything else comes from the
 * signed feed. JWKS is for verifiers that cannot do this; it says nothing of cut-offs, and caches keep it for minutes.
 *
 * # When the feed cannot be reached
 *
 * The last good feed counts until its `exp`; then every token is refused.
 */
import type { PublicJwk } from '../domain/jose/jwk';
import { parsePublicJwk } from '../domain/jose/jwk';
import { FeedSource } from './feed-source';
import { IssuedQuery } from './issued-query';
import { type VerifiedToken, type VerifyContext, verify } from './verify';

export { CurfewError, type ErrorCode, isCurfewError } from '../domain/base/errors';
export type { Claims } from '../domain/tokens/claims';
export type { VerifiedToken } from './verify';

export interface VerifierOptions {
  readonly ring: string;
  /** `iss` and `aud` of the ring. */
  readonly issuer: string;
  readonly audience: string;
  /** Where the ring publishes, without a trailing slash. */
  readonly publicBaseUrl: string;
  /** Pinned public keys of the feed: current and next. */
  readonly feedKeys: readonly PublicJwk[];
  /** Blinds subjects as the feed does. A secret: who has it can test whether a known subject was cut off. */
  readonly pepper: string;
  /** Longest token life of the ring, in seconds. */
  readonly maxTtlSeconds: number;
  /** @default 30 */
  readonly skewSeconds?: number;
  /** @default 5 */
  readonly pollSeconds?: number;
  /** Ask the ledger for every token, not only under a SUSPECT kid. @default false */
  readonly requireIssued?: boolean;
  /** GET, answering the body of a 200 and throwing otherwise. @default fetch with a time-out of 2 s */
  readonly fetchText?: (url: string) => Promise<string>;
  /** Epoch seconds. @default the system's clock */
  readonly now?: () => number;
}

/**
 * @example
 * const verifier = createVerifier(options);
 * const { claims } = await verifier.verify(bearer); // throws CurfewError with a code of its own for each reason
 */
export function createVerifier(options: VerifierOptions): { verify(token: unknown): Promise<VerifiedToken> } {
  const { ring, issuer, audience, publicBaseUrl, pepper, maxTtlSeconds, skewSeconds = 30, pollSeconds = 5 } = options;
  const now = options.now ?? (() => Math.floor(Date.now() / 1000));
  const fetchText = options.fetchText ?? fetchWithin;
  const feedKeys = options.feedKeys.map(parsePublicJwk);
  const context: VerifyContext = {
    source: new FeedSource({
      feedUrl: `${publicBaseUrl}/r/${ring}/feed`,
      ring,
      feedKeys,
      pollSeconds,
      skewSeconds,
      now,
      fetchText,
    }),
    issued: new IssuedQuery({ issuedUrl: `${publicBaseUrl}/issued`, pollSeconds, now, fetchText }),
    rules: { issuer, audience, maxTtlSeconds, skewSeconds },
    pepper,
    requireIssued: options.requireIssued ?? false,
    now,
  };
  return { verify: (token) => verify(token, context) };
}

const FETCH_MILLISECONDS_MAX = 2000;

async function fetchWithin(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MILLISECONDS_MAX) });
  if (response.status !== 200) throw new Error(`${response.status} from ${new URL(url).pathname}`);
  return response.text();
}
