/** Carries the outbox items of the table cases to the log and to the event bus. */
import { insertedRows } from '../lib/aws/dynamodb-stream';
import { entry, logFailure } from '../lib/aws/entry';
import { relay } from '../lib/work/evidence/relay';

export const handler = entry('outbox-offboarding', async (event, deps) => {
  for (const error of await relay(insertedRows(event), deps, 'cases')) logFailure('outbox-offboarding', error);
});
