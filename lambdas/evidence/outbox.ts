/**
 * Carries what a transaction left beside its change to where it belongs: the record to the log, then the event.
 *
 * One file, two Lambdas: `outbox-signing` on the streams of Keys and Cutoffs, `outbox-offboarding` on that of Cases.
 */

import { insertedItems } from '../../lib/aws/dynamodb-stream';
import { entry } from '../../lib/aws/entry';
import { CurfewError } from '../../lib/domain/base/errors';
import { type EvidenceRecord, formatRecord, parseRecord } from '../../lib/domain/evidence/record';
import { type Item, OUTBOX_PREFIX } from '../../lib/domain/store/table';
import type { Deps } from '../../lib/ports';

interface OutboxEvent {
  readonly detailType: string;
  readonly detail: { readonly id: string } & Readonly<Record<string, string | number | boolean>>;
}

export async function relay(
  items: readonly Item[],
  deps: Deps<'outbox-signing'> | Deps<'outbox-offboarding'>,
): Promise<void> {
  const out = items.filter(({ sk }) => sk.startsWith(OUTBOX_PREFIX));
  const records = out.flatMap(({ record }) => (record === undefined ? [] : [checkedRecord(record)]));
  const events = out.flatMap(({ event }) => (event === undefined ? [] : [checkedEvent(event)]));

  if (records.length > 0) await deps.functions.invoke('appender', { records });
  // If we stop here, or anywhere below, the stream delivers the batch again: no record twice, an event perhaps.
  for (const { detailType, detail } of events) await deps.events.put(detailType, detail);
}

function checkedRecord(value: Item[string]): EvidenceRecord {
  return parseRecord(Buffer.from(formatRecord(value as unknown as EvidenceRecord)));
}

function checkedEvent(value: Item[string]): OutboxEvent {
  const { detailType, detail } = (value ?? {}) as Partial<OutboxEvent>;
  if (typeof detailType !== 'string' || typeof detail?.id !== 'string')
    throw new CurfewError('ERR_INPUT_INVALID', 'an event of the outbox has a detailType and a detail with an id', {
      got: detailType,
      fix: 'see the item that its transaction left in the outbox',
    });
  return { detailType, detail };
}

/** Two functions run this file. Their rows of RIGHTS are the same, so either name opens the same ports. */
export const handler = entry('outbox-signing', (event, deps) => relay(insertedItems(event), deps));
