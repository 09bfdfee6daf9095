/** kms:Sign, its answer in the form a JWS has, verified under the very key it is meant for before anybody gets it. */
import { CurfewError } from '../../domain/base/errors';
import { assemble, type CompactToken, parseCompact } from '../../domain/jose/compact';
import type { PublicJwk } from '../../domain/jose/jwk';
import { isSigned, toJws } from '../../domain/jose/signature';
import type { TokenDraft } from '../../domain/tokens/draft';
import type { Signer } from '../../ports';

/** The compact JWS. Throws what KMS says, and `ERR_TOKEN_SIGNATURE` for a signature of another key or another spelling. */
export async function signJws(
  signer: Signer,
  { kmsKeyArn, jwk }: { readonly kmsKeyArn?: string; readonly jwk: PublicJwk },
  signingInput: Uint8Array,
): Promise<string> {
  const signature = toJws(jwk.alg, await signer.sign(kmsKeyArn ?? '', jwk.alg, signingInput));
  if (isSigned(jwk, signingInput, signature)) return assemble(signingInput, signature);
  throw new CurfewError(
    'ERR_TOKEN_SIGNATURE',
    `the signature of KMS does not verify under kid ${jwk.kid}; no token was handed out`,
    { got: jwk.kid, fix: 'compare the public key that KMS gives with the jwk on record' },
  );
}

/** A draft becomes a token: signed under the key of the ring, and verified before anybody gets it. */
export async function sealToken(
  signer: Signer,
  key: { readonly kmsKeyArn?: string; readonly jwk: PublicJwk },
  draft: TokenDraft,
): Promise<CompactToken> {
  return parseCompact(await signJws(signer, key, draft.signingInput));
}
