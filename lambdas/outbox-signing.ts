/** Carries the outbox items of the tables keys and cut-offs to the log and to the event bus. */
import { insertedRows } from '../lib/aws/dynamodb-stream';
import { entry, logFailure } from '../lib/aws/entry';
import { relay } from '../lib/work/evidence/relay';

export const handler = entry('outbox-signing', async (event, deps) => {
  for (const error of await relay(insertedRows(event), deps, 'keys or cut-offs')) logFailure('outbox-signing', error);
});
