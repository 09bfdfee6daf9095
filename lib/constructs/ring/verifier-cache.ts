/** How long a verifier goes on with the JWKS it has fetched. */
import type { Duration } from 'aws-cdk-lib';

export class VerifierCache {
  /** It never asks again by itself (aws-jwt-verify's simple cache, go-oidc): no wait covers it, and reports name it. */
  static readonly UNBOUNDED = new VerifierCache(undefined);

  static of(age: Duration): VerifierCache {
    return new VerifierCache(age);
  }

  /** Undefined: unbounded. */
  private constructor(readonly age: Duration | undefined) {}
}

/** A verifier that is not ours. */
export interface VerifierProps {
  /** As reports name it: `orders-service`. */
  readonly name: string;
  readonly cache: VerifierCache;
}
