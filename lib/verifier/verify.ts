/**
 * The order of verification. Each failure has its own code, and nothing is asked of a network for a token whose
 * signature does not hold, but for one coalesced refresh when its kid is unknown.
 */
import { CurfewError } from '../domain/base/errors';
import type { FeedKey } from '../domain/feed/feed';
import { ACCESS_TOKEN_TYP, type CompactToken, parseCompact } from '../domain/jose/compact';
import { isSigned } from '../domain/jose/signature';
import { type ClaimRules, type Claims, parseClaims, subjectsOf } from '../domain/tokens/claims';
import { blind, isCutOff } from '../domain/tokens/cut-off';
import type { FeedSource, KnownFeed } from './feed-source';
import type { IssuedQuery } from './issued-query';

export interface VerifyContext {
  readonly source: FeedSource;
  readonly issued: IssuedQuery;
  readonly rules: ClaimRules;
  readonly pepper: string;
  readonly requireIssued: boolean;
  readonly now: () => number;
}

export interface VerifiedToken {
  readonly claims: Claims;
  readonly kid: string;
}

export const ACCEPTED = ['ACTIVE', 'VERIFY_ONLY', 'OBSERVED', 'SUSPECT'];

export async function verify(compact: unknown, context: VerifyContext): Promise<VerifiedToken> {
  const token = parseCompact(compact);
  const { known, key } = await findKey(token, context);
  requireSigned(token, key);
  let judged = judge(token, key, known, context);
  if (judged instanceof CurfewError && isCured(judged)) {
    // An activation or a wave may be younger than our feed: ask once before refusing a good token.
    await context.source.refreshFor('well-signed');
    const again = await context.source.current();
    const same = again.keys.get(key.kid);
    if (same && again !== known) judged = judge(token, same, again, context);
  }
  if (judged instanceof CurfewError) throw judged;
  // The ledger is asked last: by now the token is good in every respect but one.
  if (judged.key.state === 'SUSPECT' || context.requireIssued) await requireIssued(token, judged.claims, context);
  return { claims: judged.claims, kid: key.kid };
}

async function findKey(token: CompactToken, { source }: VerifyContext): Promise<{ known: KnownFeed; key: FeedKey }> {
  const { alg, kid, typ } = token.header;
  let known = await source.current();
  if (!known.keys.has(kid)) {
    await source.refreshFor('unknown-kid');
    known = await source.current();
  }
  const key = known.keys.get(kid);
  if (!key) throw new CurfewError('ERR_TOKEN_KID_UNKNOWN', 'the ring has no key with this kid', { got: kid });
  // The algorithm is the key's; the header may only agree.
  if (alg !== key.alg || typ !== ACCESS_TOKEN_TYP)
    throw new CurfewError('ERR_TOKEN_HEADER', 'alg or typ is not that of the key', {
      got: { alg, typ },
      allowed: { alg: key.alg, typ: ACCESS_TOKEN_TYP },
    });
  if (key.state === 'DENIED') throw refusedState(key);
  return { known, key };
}

function requireSigned(token: CompactToken, key: FeedKey): void {
  if (!isSigned(key.jwk, token.signingInput, token.signature))
    throw new CurfewError('ERR_TOKEN_SIGNATURE', 'signature verification failed');
}

type Judged = { readonly claims: Claims; readonly key: FeedKey };

/** State, claims, windows, cut-offs: everything the feed decides. Refusals are answered, so that one may be cured. */
function judge(
  token: CompactToken,
  key: FeedKey,
  known: KnownFeed,
  { rules, pepper, now }: VerifyContext,
): Judged | CurfewError {
  if (!ACCEPTED.includes(key.state) || now() > key.verifyUntil) return refusedState(key);
  const claims = parseClaims(token.payload, rules, now());
  if (!isInWindow(claims.iat, key, rules.skewSeconds))
    return new CurfewError('ERR_TOKEN_WINDOW', 'the key did not issue at the iat of the token', {
      got: claims.iat,
      allowed: key.windows,
    });
  const cut = subjectsOf(claims).find((subject) => isCutOff(known.cut.get(blind(pepper, subject)), claims.iat));
  if (cut) return new CurfewError('ERR_TOKEN_CUT_OFF', `the ${cut.type} of the token was cut off`, { got: cut.type });
  return { claims, key };
}

function isCured(refusal: CurfewError): boolean {
  return refusal.code === 'ERR_TOKEN_WINDOW' || refusal.code === 'ERR_TOKEN_KID_STATE';
}

export function isInWindow(iat: number, { windows }: FeedKey, skewSeconds: number): boolean {
  return windows.some(({ iatFrom, iatTo, wave }) => {
    const forgiven = wave === undefined ? skewSeconds : 0;
    return iat >= iatFrom - forgiven && iat <= iatTo + forgiven;
  });
}

async function requireIssued(token: CompactToken, claims: Claims, { issued }: VerifyContext): Promise<void> {
  if (await issued.ask(token.header.kid, claims.jti, token.tokenSha256)) return;
  throw new CurfewError('ERR_TOKEN_NOT_ISSUED', 'the ledger never issued this token', { got: token.header.kid });
}

function refusedState(key: FeedKey): CurfewError {
  return new CurfewError('ERR_TOKEN_KID_STATE', `the key is ${key.state}`, { got: key.state, allowed: ACCEPTED });
}
