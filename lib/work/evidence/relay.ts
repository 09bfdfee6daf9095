/**
 * Carries what a transaction left beside its change to where it belongs: the record to the log, then the event.
 */
import { recordFrom } from '../../domain/evidence/record';
import { parseOutbox } from '../../domain/store/outbox';
import { OUTBOX_PREFIX, type Row } from '../../domain/store/table';
import type { Deps } from '../../ports';

export async function relay(
  items: readonly Row[],
  deps: Deps<'outbox-signing'> | Deps<'outbox-offboarding'>,
): Promise<void> {
  // All of the batch before any of it: one that cannot be read stops it, and the stream delivers it again, in halves.
  const out = items.filter(({ sk }) => sk.startsWith(OUTBOX_PREFIX)).map(parseOutbox);
  const records = out.map(({ record }) => recordFrom(record));
  const events = out.flatMap(({ event }) => event ?? []);

  if (records.length > 0) await deps.functions.invoke('appender', { records });
  // If we stop here, or anywhere below, the stream delivers the batch again: no record twice, an event perhaps.
  for (const { detailType, detail } of events) await deps.events.put(detailType, detail);
}
