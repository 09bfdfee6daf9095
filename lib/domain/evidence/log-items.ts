/**
 * The log as table items: what waits, what is known, and the head that one transaction moves.
 *
 *     PEND#{0-7} | {sk}     record: canonical text           waits to be sequenced
 *     REC#{H(id)} | REC     id, index?                       one record an id; index once it is in the tree
 *     HEAD | HEAD           size root fence staged?{key from} the tree that every checkpoint must extend
 *
 * Who can write this table can make the log sign a split view or forget what waits; who can write the buckets can only
 * stop it, because everything read from them is checked against HEAD.root.
 */
import { createHash } from 'node:crypto';
import { H } from '../base/encoding';
import { CurfewError } from '../base/errors';
import {
  ordered,
  ROW_ABSENT,
  ROW_PRESENT,
  type Row,
  type RowKey,
  TRANSACTION_WRITES_MAX,
  type Write,
} from '../store/table';
import { EMPTY_ROOT, type Hash } from '../tlog/merkle';
import { type EvidenceRecord, formatRecord, parseRecord } from './record';

const PENDING_SHARDS = 8;
export const PENDING_PARTITIONS = Array.from({ length: PENDING_SHARDS }, (_, shard) => `PEND#${shard}`);
/** Each record costs a delete and an update; the head costs one more. */
export const BATCH_RECORDS_MAX = Math.floor((TRANSACTION_WRITES_MAX - 1) / 2);

const HEAD_KEY: RowKey = { pk: 'HEAD', sk: 'HEAD' };

export function recordKey(id: string): RowKey {
  return { pk: `REC#${H(id)}`, sk: 'REC' };
}

export function headKey(): RowKey {
  return HEAD_KEY;
}

/** Sorts by time, and within one request by the order given. Time and nonce come from the appender. */
export function pendingSortKey(now: number, nonce: string, position: number): string {
  return `${ordered(now, 12)}-${nonce}-${ordered(position, 4)}`;
}

/** A record enters the log: refused as a whole when its id is known. */
export function appendWrites(record: EvidenceRecord, sk: string): Write<'log:put'>[] {
  const text = formatRecord(record);
  // Nothing may wait that the sequencer, or a verifier years later, would refuse to read.
  parseRecord(Buffer.from(text));

  const shard = (createHash('sha256').update(record.id).digest()[0] ?? 0) % PENDING_SHARDS;
  return [
    { kind: 'put', table: 'log', row: { ...recordKey(record.id), v: 1, id: record.id }, if: ROW_ABSENT },
    { kind: 'put', table: 'log', row: { pk: `PEND#${shard}`, sk, v: 1, record: text }, if: ROW_ABSENT },
  ];
}

export interface Head {
  readonly size: number;
  readonly root: Hash;
  readonly fence: number;
  /** Committed to by `root`, perhaps not yet in the buckets: the entries from index `from` on, kept at `key`. */
  readonly staged?: { readonly key: string; readonly from: number };
}

export const EMPTY_HEAD: Head = { size: 0, root: EMPTY_ROOT, fence: 0 };

export function parseHead(item: Row | undefined): Head {
  if (item === undefined) return EMPTY_HEAD;
  const { size, root, fence, staged } = item as Row & {
    size: number;
    root: string;
    fence: number;
    staged?: Head['staged'];
  };
  return { size, root: Buffer.from(root, 'base64'), fence, ...(staged && { staged }) };
}

export interface Pending {
  readonly key: RowKey;
  readonly text: string;
  readonly id: string;
}

export function parsePending(item: Row): Pending {
  if (typeof item.record !== 'string')
    throw new CurfewError('ERR_EVIDENCE_RECORD', 'a pending item holds a record', { got: `${item.pk} ${item.sk}` });
  return { key: { pk: item.pk, sk: item.sk }, text: item.record, id: parseRecord(Buffer.from(item.record)).id };
}

type LogWrite = Write<'log:put' | 'log:update' | 'log:delete'>;

/** The head moves over a batch: one transaction, lost whole if anyone else moved the head. */
export function sequenceWrites(head: Head, next: Head, batch: readonly Pending[]): LogWrite[] {
  const item: Row = {
    ...HEAD_KEY,
    v: 1,
    size: next.size,
    root: next.root.toString('base64'),
    fence: next.fence,
    staged: next.staged && { ...next.staged },
  };
  const unmoved: LogWrite =
    head.fence === 0
      ? { kind: 'put', table: 'log', row: item, if: ROW_ABSENT }
      : {
          kind: 'put',
          table: 'log',
          row: item,
          if: [
            { attribute: 'fence', is: '=', value: head.fence },
            { attribute: 'size', is: '=', value: head.size },
          ],
        };
  return [
    unmoved,
    ...batch.flatMap(({ key, id }, position): LogWrite[] => [
      { kind: 'delete', table: 'log', key, if: ROW_PRESENT },
      {
        kind: 'update',
        table: 'log',
        key: recordKey(id),
        set: { index: head.size + position },
        if: [...ROW_PRESENT, { attribute: 'index', is: 'absent' }],
      },
    ]),
  ];
}

/** What was staged is in the buckets. */
export function tilesPutWrites(head: Head): LogWrite[] {
  return [
    {
      kind: 'update',
      table: 'log',
      key: HEAD_KEY,
      remove: ['staged'],
      if: [{ attribute: 'fence', is: '=', value: head.fence }],
    },
  ];
}
