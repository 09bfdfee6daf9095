/**
 * A row of an outbox that cannot be read: its key is that of no outbox entity, a member is not what it must be, or its
 * record is none. What it meant to say is lost; that it was there is a record, in the place of the one it should have
 * held. The digests let whoever finds the row later show that it was this one. Nothing of the row's content is said: it
 * may be anybody's.
 */
import { canonicalJson, H } from '../base/encoding';
import { CurfewError, isCurfewError } from '../base/errors';
import { type OutboxEvent, outboxOf, parseOutbox } from '../store/outbox';
import type { Row } from '../store/table';
import { type EvidenceRecord, recordFrom } from './record';

interface Carried {
  readonly record: EvidenceRecord;
  readonly event?: OutboxEvent;
  /** The row could not be read: `record` is the one that says so. */
  readonly error?: CurfewError;
}

/** What a row of an outbox holds, or the record that says that it cannot be read, and the error for the log of the Lambda. */
export function readOutbox(row: Row, from: string, now: number): Carried {
  try {
    const { record, event } = parseOutbox(row);
    return { record: recordFrom(record), event };
  } catch (error) {
    if (!isCurfewError(error)) throw error;
    const record = unreadable(row, from, error, now);
    return { record, error: unreadableError(record, error) };
  }
}

/** Named by the key of the row alone: read again, by the stream or by the sweep, it is the same record. */
function unreadable(row: Row, from: string, { code, message }: CurfewError, now: number): EvidenceRecord {
  const { table = from, case: caseId, ring } = outboxOf(row);
  const key = H(canonicalJson([row.pk, row.sk]));
  return {
    v: 1,
    id: `unreadable/${key}`,
    type: 'record.unreadable',
    at: now,
    ...(caseId !== undefined && { case: caseId }),
    ...(ring !== undefined && { ring }),
    body: { table, key, row: H(spell(row)), code, what: message },
  };
}

function unreadableError({ id, body }: EvidenceRecord, cause: CurfewError): CurfewError {
  return new CurfewError(
    'ERR_RECORD_UNREADABLE',
    `an outbox row of table ${body.table} cannot be read; record ${id} says so: ${body.what}`,
    {
      got: id,
      fix: 'find out who wrote the row: see RecordUnreadable in the run-book',
      cause,
    },
  );
}

/** Members in order, whatever they are: canonical JSON refuses what such a row may hold. */
function spell(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
