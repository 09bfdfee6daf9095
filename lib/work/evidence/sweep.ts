/**
 * Finds the records that never reached the log, in the tables where they were made true, and carries them there. A stream
 * forgets what it could not deliver for 24 hours; the rows of the outboxes stand in their tables for good.
 *
 * Every 15 minutes one sixteenth of each table is read, by DynamoDB's own division into segments, and the sixteenth before
 * it once more. So every row is looked at within four hours, for ever, however old it is: there is no look-back that a row
 * could fall out of, and no remembered position that could be lost, or moved past a row by mistake. The segment follows
 * from the clock alone. A run that comes a minute late, or twice, or not at all, leaves no gap: the next one reads that
 * segment again. If two runs in a row do not come, the next round does.
 *
 * What it costs is bounded by the table: it is read 12 times a day, and the log is asked for each record 12 times. That is
 * about 1,500 read units a day for each MB of table, and 12 for each record: under a cent a day for 10,000 records.
 *
 * Only the appender decides what is new: a record that the stream delivers meanwhile is taken once.
 */
import { type CurfewError, isCurfewError } from '../../domain/base/errors';
import { SWEEP_EVERY_SECONDS } from '../../domain/deployment/time-outs';
import { readOutbox } from '../../domain/evidence/unreadable';
import { LOG_RECORD } from '../../domain/store/log';
import { OUTBOX_PREFIX, type Row } from '../../domain/store/table';
import type { Deps, Scan } from '../../ports';
import { relay } from './relay';

const SEGMENTS = 16;
/** What is younger is still the stream's: it delivers within seconds, and tries again for minutes. */
const YOUNG_SECONDS = 600;
/** Questions to the log under way at once. */
const PARALLEL = 16;
/** As many as a stream delivers, so that the appender has time for them. */
const BATCH_ROWS = 25;

type SweeperDeps<T> = Deps<'outbox-signing'> & {
  readonly tables: Pick<Deps<'sweeper-signing'>['tables'], 'get'> & {
    readonly scan: (scan: Scan<T>) => Promise<{ readonly rows: readonly Row[]; readonly next?: Scan<T>['after'] }>;
  };
};

interface Swept {
  /** Rows that were not in the log, and are now. */
  readonly carried: number;
  /** For the log of the Lambda. */
  readonly errors: readonly CurfewError[];
}

export async function sweep<T extends string>(tables: readonly T[], deps: SweeperDeps<T>): Promise<Swept> {
  const round = Math.floor(deps.clock.now() / SWEEP_EVERY_SECONDS);
  const errors: CurfewError[] = [];
  let carried = 0;
  for (const table of tables)
    for (const segment of [round % SEGMENTS, (round + SEGMENTS - 1) % SEGMENTS]) {
      let after: Scan<T>['after'];
      do {
        const { rows, next } = await deps.tables.scan({
          table,
          prefix: OUTBOX_PREFIX,
          segment,
          segments: SEGMENTS,
          after,
        });
        const { missing, unknown } = await missingOf(rows, table, deps);
        errors.push(...unknown);
        for (let n = 0; n < missing.length; n += BATCH_ROWS)
          errors.push(...(await relay(missing.slice(n, n + BATCH_ROWS), deps, table)));
        // If we stop here, what was carried is in the log, and the rest of the segment is read a quarter of an hour later.
        carried += missing.length;
        after = next;
      } while (after);
    }
  return { carried, errors };
}

/** Rows that are old enough, and whose record the log does not know; and why the log could not say of which. */
async function missingOf<T extends string>(
  rows: readonly Row[],
  table: string,
  { clock, tables }: SweeperDeps<T>,
): Promise<{ readonly missing: readonly Row[]; readonly unknown: readonly CurfewError[] }> {
  const now = clock.now();
  const missing: Row[] = [];
  const unknown: CurfewError[] = [];
  for (let n = 0; n < rows.length; n += PARALLEL)
    await Promise.all(
      rows.slice(n, n + PARALLEL).map(async (row) => {
        const { record, error } = readOutbox(row, table, now);
        // A row that cannot be read does not say how old it is.
        const isYoung = error === undefined && record.at > now - YOUNG_SECONDS;
        if (isYoung) return;
        try {
          if ((await tables.get(LOG_RECORD, record.id)) === undefined) missing.push(row);
        } catch (refusal) {
          // A row of the log that cannot be read is there all the same: the appender would not add its record. It is told
          // of, and keeps no other record waiting.
          if (!isCurfewError(refusal, 'ERR_ITEM_INVALID')) throw refusal;
          unknown.push(refusal);
        }
      }),
    );
  return { missing, unknown };
}
