/** Every quarter of an hour: finds what the stream of the table cases did not carry to the log, and carries it. */
import { entry, logFailure } from '../lib/aws/entry';
import { sweep } from '../lib/work/evidence/sweep';

export const handler = entry('sweeper-offboarding', async (_event: unknown, deps) => {
  const { carried, errors } = await sweep(['cases'], deps);
  for (const error of errors) logFailure('sweeper-offboarding', error);
  return { carried };
});
