/** Every quarter of an hour: finds what the stream of the tables keys and cut-offs did not carry to the log, and carries it. */
import { entry, logFailure } from '../lib/aws/entry';
import { sweep } from '../lib/work/evidence/sweep';

export const handler = entry('sweeper-signing', async (_event: unknown, deps) => {
  const { carried, errors } = await sweep(['keys', 'cut-offs'], deps);
  for (const error of errors) logFailure('sweeper-signing', error);
  return { carried };
});
