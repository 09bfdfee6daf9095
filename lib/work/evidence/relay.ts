/**
 * Carries what a transaction left beside its change to where it belongs: the record to the log, then the event.
 */

import { CurfewError } from '../../domain/base/errors';
import { type EvidenceRecord, formatRecord, parseRecord } from '../../domain/evidence/record';
import { OUTBOX_PREFIX, type Row } from '../../domain/store/table';
import type { Deps } from '../../ports';

interface OutboxEvent {
  readonly detailType: string;
  readonly detail: { readonly id: string } & Readonly<Record<string, string | number | boolean>>;
}

export async function relay(
  items: readonly Row[],
  deps: Deps<'outbox-signing'> | Deps<'outbox-offboarding'>,
): Promise<void> {
  const out = items.filter(({ sk }) => sk.startsWith(OUTBOX_PREFIX));
  const records = out.flatMap(({ record }) => (record === undefined ? [] : [checkedRecord(record)]));
  const events = out.flatMap(({ event }) => (event === undefined ? [] : [checkedEvent(event)]));

  if (records.length > 0) await deps.functions.invoke('appender', { records });
  // If we stop here, or anywhere below, the stream delivers the batch again: no record twice, an event perhaps.
  for (const { detailType, detail } of events) await deps.events.put(detailType, detail);
}

function checkedRecord(value: Row[string]): EvidenceRecord {
  return parseRecord(Buffer.from(formatRecord(value as unknown as EvidenceRecord)));
}

function checkedEvent(value: Row[string]): OutboxEvent {
  const { detailType, detail } = (value ?? {}) as Partial<OutboxEvent>;
  if (typeof detailType !== 'string' || typeof detail?.id !== 'string')
    throw new CurfewError('ERR_INPUT_INVALID', 'an event of the outbox has a detailType and a detail with an id', {
      got: detailType,
      fix: 'see the item that its transaction left in the outbox',
    });
  return { detailType, detail };
}
