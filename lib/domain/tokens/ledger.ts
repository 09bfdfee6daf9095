/**
 * The ledger: every issued token, before anybody holds it.
 *
 *     Bodies INTENT ─► kms:Sign ─► one transaction { Bodies SIGNED, Ledger row, marker, checks } ─► handed out
 *
 * A crash before the transaction leaves an intent that was never released: there is one Sign per intent, a retry is a
 * new jti. A crash after it leaves a token that was recorded and not handed out: it expires unused. A row is found by
 * kid and H(jti); it is the token only if its digest is that of the exact compact JWS.
 */

import { base64url, parseBase64url, sha256 } from '../base/encoding';
import { CurfewError } from '../base/errors';
import { assemble, type CompactToken } from '../jose/compact';
import type { KeyRecord } from '../rings/ring';
import { put } from '../store/entity';
import { BODY, type Body, LEDGER_ROW, type LedgerRow, MARKER, shardOf } from '../store/ledger';
import { GATE, GATES } from '../store/ring-head';
import { RING_KEY } from '../store/ring-key';
import { ROW_ABSENT, type Test, type Write } from '../store/table';
import { type Claims, jtiHash } from './claims';
import { checkNotCutOff } from './cut-off-transitions';
import type { TokenDraft } from './draft';

/** Rows outlive their token by this, for questions asked afterwards. */
const KEPT_SECONDS = 30 * 86_400;

export type { Body, LedgerRow } from '../store/ledger';

/** Before kms:Sign: what we are about to sign is on record, and this jti was never used under this kid. */
export function recordIntent(
  key: KeyRecord,
  claims: Claims,
  token: Pick<TokenDraft, 'protected' | 'payload'>,
): Write<'bodies:put'> {
  const body: Body = {
    state: 'INTENT',
    protected: token.protected,
    payload: base64url(token.payload),
    exp: claims.exp,
    ttl: claims.exp + KEPT_SECONDS,
  };
  return put(BODY, [key, jtiHash(claims.jti)], body, ROW_ABSENT);
}

export interface Issuance {
  readonly ring: string;
  readonly key: KeyRecord;
  readonly fence: number;
  readonly claims: Claims;
  readonly token: CompactToken;
  readonly blinded: readonly string[];
  readonly callerArn: string;
  readonly now: number;
  /** Unique and growing: where the digest waits for the committer. */
  readonly outId: string;
}

/** After kms:Sign: the intent becomes SIGNED, if nobody blocked the subject or replaced the key meanwhile. */
export function recordIssued(
  issuance: Issuance,
): Write<'bodies:update' | 'ledger:put' | 'markers:put' | 'keys:check' | 'cut-offs:check'>[] {
  const { key, claims, token } = issuance;
  return [
    {
      kind: 'update',
      table: 'bodies',
      key: BODY.key(key, jtiHash(claims.jti)),
      set: { state: 'SIGNED', signature: base64url(token.signature) },
      if: [{ attribute: 'state', is: '=', value: 'INTENT' }],
    },
    ...recordRow(issuance),
    checkIssues(issuance, [
      { attribute: 'halted', is: '=', value: false },
      { attribute: 'closingAt', is: 'absent' },
    ]),
  ];
}

/** A token that the issuer before us signed: same rows, as long as its key is still OBSERVED. */
export function recordAdopted(
  issuance: Issuance,
): Write<'bodies:put' | 'ledger:put' | 'markers:put' | 'keys:check' | 'cut-offs:check'>[] {
  const { ring, key } = issuance;
  return [
    signedBody(issuance),
    ...recordRow(issuance),
    // Fenced off at a taint: from then on a holder of the key could record forged tokens.
    {
      kind: 'check',
      table: 'keys',
      key: RING_KEY.key(ring, key.kid),
      if: [{ attribute: 'state', is: '=', value: 'OBSERVED' }],
    },
  ];
}

/** The re-signed version: a new row under the new kid; the old one is never edited. */
export function recordResigned(
  issuance: Issuance,
  resignOf: string,
): Write<'bodies:put' | 'ledger:put' | 'markers:put' | 'keys:check' | 'cut-offs:check'>[] {
  return [signedBody(issuance), ...recordRow(issuance, resignOf), checkIssues(issuance)];
}

/** The same payload bytes. A jti alone is unique under one kid only: two legacy issuers may both have counted from 1. */
export function isVersionOf(row: Pick<LedgerRow, 'payloadSha256'>, other: Pick<LedgerRow, 'payloadSha256'>): boolean {
  return row.payloadSha256 === other.payloadSha256;
}

/** The compact token of a body, assembled on the way out; it is never stored, logged or passed on. */
export function tokenOf(body: Body): {
  readonly token: string;
  readonly payload: Buffer;
  readonly payloadSha256: string;
} {
  const payload = parseBase64url(body.payload);
  const signature = parseBase64url(body.signature ?? '');
  if (body.state !== 'SIGNED' || !payload || !signature?.length)
    throw new CurfewError('ERR_NOT_FOUND', 'the token was never signed', { got: body.state, allowed: 'SIGNED' });
  const token = assemble(Buffer.from(`${body.protected}.${body.payload}`), signature);
  return { token, payload, payloadSha256: base64url(sha256(payload)) };
}

function signedBody({ key, claims, token }: Issuance): Write<'bodies:put'> {
  const body: Body = {
    state: 'SIGNED',
    protected: token.protected,
    payload: base64url(token.payload),
    signature: base64url(token.signature),
    exp: claims.exp,
    ttl: claims.exp + KEPT_SECONDS,
  };
  return put(BODY, [key, jtiHash(claims.jti)], body, ROW_ABSENT);
}

function recordRow(issuance: Issuance, resignOf?: string): Write<'ledger:put' | 'markers:put' | 'cut-offs:check'>[] {
  const { ring, key, claims, token, blinded, callerArn, fence, now, outId } = issuance;
  const jtiH = jtiHash(claims.jti);
  const entry: LedgerRow = {
    tokenSha256: token.tokenSha256,
    payloadSha256: base64url(sha256(token.payload)),
    subH: blinded[0] ?? '',
    clientId: claims.client_id,
    callerArn,
    iat: claims.iat,
    exp: claims.exp,
    fence,
    at: now,
    resignOf,
    ttl: claims.exp + KEPT_SECONDS,
  };
  const shard = shardOf(jtiH, key.shards);
  const marker = { kid: key.kid, shard, jtiH, tokenSha256: token.tokenSha256 };
  return [
    {
      kind: 'put',
      table: 'ledger',
      row: LEDGER_ROW.row([key, jtiH], entry),
      if: ROW_ABSENT,
    },
    {
      kind: 'put',
      table: 'markers',
      row: MARKER.row([shard, outId], marker),
      if: ROW_ABSENT,
    },
    ...[...new Set(blinded)].map((name) => checkNotCutOff(ring, name, claims.iat)),
  ];
}

/** The kid still is the one that issues; and where a new token is issued, nobody pulled the halt switch or closes the ring. */
function checkIssues({ ring, key, claims }: Issuance, more: readonly Test[] = []): Write<'keys:check'> {
  return {
    kind: 'check',
    table: 'keys',
    key: GATE.key(ring, shardOf(jtiHash(claims.jti), GATES)),
    if: [{ attribute: 'activeKid', is: '=', value: key.kid }, ...more],
  };
}
