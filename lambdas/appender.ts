/** Takes records into the log. Appends durably before returning. Same id, one record. */

import { entry } from '../lib/aws/entry';
import type { Messages } from '../lib/domain/deployment/messages';
import { appendWrites, pendingSortKey } from '../lib/domain/evidence/log-transitions';
import type { Deps } from '../lib/ports';
import { tryTransact } from '../lib/work/transactions';

const NONCE_BYTES = 8;

export async function append(
  { records }: Messages['appender']['request'],
  deps: Deps<'appender'>,
): Promise<Messages['appender']['response']> {
  const nonce = deps.random.bytes(NONCE_BYTES).toString('hex');
  const now = deps.clock.now();
  const batches = records.map((record, position) => appendWrites(record, pendingSortKey(now, nonce, position)));

  let appended = 0;
  for (const writes of batches) {
    // If we stop between two records, those before are in; the caller repeats all of them and adds only the rest.
    // The only condition is that the id is new: else the record is in already, by an earlier try of the same caller.
    if (await tryTransact(deps.tables, writes)) appended++;
  }
  return { appended };
}

export const handler = entry('appender', append);
