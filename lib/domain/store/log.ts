/**
 * The evidence log, in table `log`: what waits, what is known, and the head that one transaction moves.
 *
 *     PEND#{0-7} | {time}-{nonce}-{n}     record: canonical text           waits to be sequenced
 *     REC#{H(id)} | REC                   id index?                        one record an id; index once it is in the tree
 *     HEAD | HEAD                         size root fence staged?{key from} the tree that every checkpoint must extend
 */
import * as z from 'zod/mini';
import { H } from '../base/encoding';
import { entity, shape } from './entity';
import { text, whole } from './shapes';

export interface LogHead {
  readonly size: number;
  /** base64, as checkpoints have it. */
  readonly root: string;
  readonly fence: number;
  /** Committed to by `root`, perhaps not yet in the buckets: the entries from index `from` on, kept at `key`. */
  readonly staged?: { readonly key: string; readonly from: number };
}

export const LOG_HEAD = entity({
  name: 'head of the log',
  table: 'log',
  key: () => ({ pk: 'HEAD', sk: 'HEAD' }),
  owns: ({ pk, sk }) => pk === 'HEAD' && sk === 'HEAD',
  schema: shape<LogHead>(
    z.strictObject({
      size: whole,
      root: z.string().check(z.regex(/^[A-Za-z0-9+/]{43}=$/)),
      fence: whole,
      staged: z.optional(z.strictObject({ key: text, from: whole })),
    }),
  ),
});

export const LOG_RECORD = entity({
  name: 'record known to the log',
  table: 'log',
  key: (id: string) => ({ pk: `REC#${H(id)}`, sk: 'REC' }),
  owns: ({ pk, sk }) => pk.startsWith('REC#') && sk === 'REC',
  schema: shape<{ readonly id: string; readonly index?: number }>(
    z.strictObject({ id: text, index: z.optional(whole) }),
  ),
});

export const PENDING_SHARDS = 8;

export const PENDING_RECORD = entity({
  name: 'pending record of the log',
  table: 'log',
  key: (shard: number, sk: string) => ({ pk: `PEND#${shard}`, sk }),
  owns: ({ pk }) => /^PEND#[0-7]$/.test(pk),
  part: (shard: number) => ({ pk: `PEND#${shard}` }),
  schema: shape<{ readonly record: string }>(z.strictObject({ record: text })),
  fromKey: (key) => ({ key }),
});
