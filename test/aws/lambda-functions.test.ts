import type { LambdaClient } from '@aws-sdk/client-lambda';
import { LambdaFunctions } from '../../lib/aws/lambda-functions';

/** A Lambda that never answers, and a client that gives up when it is told to. */
const silent = {
  send: (_command: unknown, { abortSignal }: { readonly abortSignal: AbortSignal }) =>
    new Promise((_, reject) => abortSignal.addEventListener('abort', () => reject(new Error('aborted')))),
} as unknown as LambdaClient;

test('a function that does not answer is waited for no longer than it may run, and the outcome is unknown', async () => {
  const functions = new LambdaFunctions(
    (name) => name,
    silent,
    () => 0.01,
  );
  await expect(functions.invoke('publisher', { ring: 'customer-api' })).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: 'publisher has not answered for 0.01 s',
    fix: 'see its log, then retry: every invocation may run twice',
  });
});

test('an error that comes before that is the callee’s', async () => {
  const refused = Object.assign(new Error('no'), { name: 'AccessDeniedException' });
  const client = { send: () => Promise.reject(refused) } as unknown as LambdaClient;
  await expect(new LambdaFunctions((name) => name, client).invoke('committer', {})).rejects.toMatchObject({
    code: 'ERR_ACCESS_DENIED',
    message: 'invoke committer was refused: AccessDeniedException',
  });
});
