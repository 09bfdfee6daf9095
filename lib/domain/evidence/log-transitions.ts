/**
 * The transitions of the log: a record enters it, a batch gets its places in the tree, what was staged is put.
 *
 * Who can write the table can make the log sign a split view or forget what waits; who can write the buckets can only
 * stop it, because everything read from them is checked against HEAD.root.
 */

import { createHash } from 'node:crypto';
import { put } from '../store/entity';
import { LOG_HEAD, LOG_RECORD, type LogHead, PENDING_RECORD, PENDING_SHARDS } from '../store/log';
import { ordered, ROW_ABSENT, ROW_PRESENT, type RowKey, TRANSACTION_WRITES_MAX, type Write } from '../store/table';
import { EMPTY_ROOT, type Hash } from '../tlog/merkle';
import { type EvidenceRecord, formatRecord, parseRecord } from './record';

/** Each record costs a delete and an update; the head costs one more. */
export const BATCH_RECORDS_MAX = Math.floor((TRANSACTION_WRITES_MAX - 1) / 2);

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
    put(LOG_RECORD, [record.id], { id: record.id }, ROW_ABSENT),
    put(PENDING_RECORD, [shard, sk], { record: text }, ROW_ABSENT),
  ];
}

export interface Head extends Omit<LogHead, 'root'> {
  readonly root: Hash;
}

const EMPTY_HEAD: Head = { size: 0, root: EMPTY_ROOT, fence: 0 };

/** The head as stored, or that of the empty tree where nothing was ever sequenced. */
export function headFrom(stored: LogHead | undefined): Head {
  if (stored === undefined) return EMPTY_HEAD;
  return { ...stored, root: Buffer.from(stored.root, 'base64') };
}

export interface Pending {
  readonly key: RowKey;
  readonly text: string;
  readonly id: string;
}

/** Refuses what no verifier would read: `ERR_EVIDENCE_RECORD`. */
export function pendingFrom({ key, record }: { readonly key: RowKey; readonly record: string }): Pending {
  return { key, text: record, id: parseRecord(Buffer.from(record)).id };
}

type LogWrite = Write<'log:put' | 'log:update' | 'log:delete'>;

/** The head moves over a batch: one transaction, lost whole if anyone else moved the head. */
export function sequenceWrites(head: Head, next: Head, batch: readonly Pending[]): LogWrite[] {
  const row = LOG_HEAD.row([], { ...next, root: next.root.toString('base64') });
  const unmoved: LogWrite =
    head.fence === 0
      ? { kind: 'put', table: 'log', row, if: ROW_ABSENT }
      : {
          kind: 'put',
          table: 'log',
          row,
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
        key: LOG_RECORD.key(id),
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
      key: LOG_HEAD.key(),
      remove: ['staged'],
      if: [{ attribute: 'fence', is: '=', value: head.fence }],
    },
  ];
}
