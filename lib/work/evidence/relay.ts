/**
 * Carries what a transaction left beside its change to where it belongs: the record to the log, then the event.
 *
 * A row that cannot be read keeps back nothing else. If it stopped its batch, the stream would deliver the batch in halves
 * until the row stood alone, and then keep all of its shard waiting until it forgot them both, 24 hours later.
 */
import type { CurfewError } from '../../domain/base/errors';
import { readOutbox } from '../../domain/evidence/unreadable';
import { OUTBOX_PREFIX, type Row } from '../../domain/store/table';
import type { Deps } from '../../ports';

/**
 * @param from the table of the rows, or those that it can be: for a row whose key says none
 * @returns what could not be read, for the log of the Lambda: an alarm counts it there
 */
export async function relay(
  items: readonly Row[],
  deps: Deps<'outbox-signing'> | Deps<'outbox-offboarding'>,
  from = 'keys, cut-offs or cases',
): Promise<readonly CurfewError[]> {
  const now = deps.clock.now();
  const out = items.filter(({ sk }) => sk.startsWith(OUTBOX_PREFIX)).map((row) => readOutbox(row, from, now));
  const records = out.map(({ record }) => record);
  const events = out.flatMap(({ event }) => event ?? []);

  if (records.length > 0) await deps.functions.invoke('appender', { records });
  // If we stop here, or anywhere below, the stream delivers the batch again: no record twice, an event perhaps.
  for (const { detailType, detail } of events) await deps.events.put(detailType, detail);
  return out.flatMap(({ error }) => error ?? []);
}
