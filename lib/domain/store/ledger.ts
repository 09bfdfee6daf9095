/**
 * Issued tokens: the ledger, the bodies, and the markers that wait for a token list.
 *
 *     ledger    {kid}#{shard} | {H(jti)}         tokenSha256 payloadSha256 subH clientId callerArn iat exp fence at resignOf? ttl
 *     bodies    {kid}#{shard} | {H(jti)}         state=INTENT|SIGNED protected payload signature? exp ttl
 *     markers   OUT#{shard} | {outId}            kid shard jtiH tokenSha256
 *
 * A kid's tokens are spread over 64 shards by the leading bits of H(jti). Rows of the ledger are never edited.
 */
import * as z from 'zod/mini';
import { entity, shape } from './entity';
import { digest, kid, text, whole } from './shapes';
import { ordered, type RowKey } from './table';

export const SHARDS = 64;

function shardPartition(of: string, shard: number): string {
  return `${of}#${ordered(shard, 2)}`;
}

/** The leading bits of H(jti): 64 shards are its first base64url character. Shards are a power of two up to 256. */
export function shardOf(jtiH: string, shards: number): number {
  const first = Buffer.from(jtiH, 'base64url')[0] ?? 0;
  return Math.floor((first * shards) / 256);
}

/** As much of a key record as says where its tokens stand. */
type Sharded = { readonly kid: string; readonly shards: number };

function tokenKey({ kid: of, shards }: Sharded, jtiH: string): RowKey {
  return { pk: shardPartition(of, shardOf(jtiH, shards)), sk: jtiH };
}

const isTokenKey = ({ pk, sk }: RowKey) => /^[\w-]+#\d\d$/.test(pk) && sk.length > 0;

export interface LedgerRow {
  readonly tokenSha256: string;
  /** SHA-256 of the payload bytes: a re-sign copies exactly these. */
  readonly payloadSha256: string;
  readonly subH: string;
  readonly clientId: string;
  readonly callerArn: string;
  readonly iat: number;
  readonly exp: number;
  /** HEAD.fence as the writer read it. */
  readonly fence: number;
  readonly at: number;
  /** The kid this token was re-signed from; absent on a token issued as it stands. */
  readonly resignOf?: string;
  /** Epoch seconds: DynamoDB deletes the row some days after it. */
  readonly ttl: number;
}

export const LEDGER_ROW = entity({
  name: 'row of the ledger',
  table: 'ledger',
  key: tokenKey,
  owns: isTokenKey,
  part: (of: string, shard: number) => ({ pk: shardPartition(of, shard) }),
  schema: shape<LedgerRow>(
    z.strictObject({
      tokenSha256: digest,
      payloadSha256: digest,
      subH: text,
      clientId: text,
      callerArn: text,
      iat: whole,
      exp: whole,
      fence: whole,
      at: whole,
      resignOf: z.optional(kid),
      ttl: whole,
    }),
  ),
  fromKey: ({ sk }) => ({ jtiH: sk }),
});

export interface Body {
  readonly state: 'INTENT' | 'SIGNED';
  readonly protected: string;
  readonly payload: string;
  readonly signature?: string;
  readonly exp: number;
  readonly ttl: number;
}

export const BODY = entity({
  name: 'body of a token',
  table: 'bodies',
  key: tokenKey,
  owns: isTokenKey,
  schema: shape<Body>(
    z.strictObject({
      state: z.enum(['INTENT', 'SIGNED']),
      protected: text,
      payload: text,
      signature: z.optional(text),
      exp: whole,
      ttl: whole,
    }),
  ),
});

/** What waits for the committer: one row per issued token, until a token list names it. */
export interface Marker {
  readonly kid: string;
  readonly shard: number;
  readonly jtiH: string;
  readonly tokenSha256: string;
}

const markerPartition = (shard: number) => `OUT#${ordered(shard, 2)}`;

export const MARKER = entity({
  name: 'marker of an issued token',
  table: 'markers',
  key: (shard: number, outId: string) => ({ pk: markerPartition(shard), sk: outId }),
  owns: ({ pk }) => /^OUT#\d\d$/.test(pk) && Number(pk.slice(4)) < SHARDS,
  part: (shard: number) => ({ pk: markerPartition(shard) }),
  schema: shape<Marker>(z.strictObject({ kid, shard: whole, jtiH: digest, tokenSha256: digest })),
  fromKey: (key) => ({ key }),
});
