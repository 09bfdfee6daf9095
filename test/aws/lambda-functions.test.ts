import { LambdaClient } from '@aws-sdk/client-lambda';
import { LambdaFunctions } from '../../lib/aws/lambda-functions';
import { isCurfewError } from '../../lib/domain/base/errors';
import { type Answer, answering, inFrozenTime } from './answering';

/** A Lambda API whose callee answers this, well or with an error of its own. */
function functionsThatAnswer(body: string, functionError?: string) {
  const headers = functionError === undefined ? {} : { 'x-amz-function-error': functionError };
  const handle = async () => ({ response: { statusCode: 200, headers, body: Buffer.from(body) } });
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' };
  const client = new LambdaClient({ region: 'us-east-1', credentials, maxAttempts: 1, requestHandler: { handle } });
  return new LambdaFunctions((name) => `arn:${name}`, client);
}
const asked = (functions: LambdaFunctions) => functions.invoke('publisher', { ring: 'customer-api' });

test('an answer arrives as the callee gave it', async () => {
  expect(await asked(functionsThatAnswer('{"seq":7}'))).toEqual({ seq: 7 });
});

test.each(['', '{', 'null', '7', '"x"', '[]'])(
  '%p is not a message: whether anything happened is not known',
  async (body) => {
    await expect(asked(functionsThatAnswer(body))).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: expect.stringMatching(/^publisher answered something that is (not JSON|not a message)$/),
    });
  },
);

test.each([
  ['{"errorMessage":"{\\"code\\":\\"ERR_KEY_STATE\\",\\"message\\":\\"no key\\"}"}', 'ERR_KEY_STATE'],
  ['{"errorMessage":"Task timed out"}', 'ERR_UNAVAILABLE'],
  ['{}', 'ERR_UNAVAILABLE'],
  ['null', 'ERR_UNAVAILABLE'],
])(
  'lambda.killed: an error of the callee, %s, is thrown here; a killed one leaves the outcome unknown',
  async (body, code) => {
    const error = await asked(functionsThatAnswer(body, 'Unhandled')).catch((thrown: unknown) => thrown);
    expect(isCurfewError(error) && error.code).toBe(code);
  },
);

/** A Lambda that never answers, and a client that gives up when it is told to. */
const silent = {
  send: (_command: unknown, { abortSignal }: { readonly abortSignal: AbortSignal }) =>
    new Promise((_, reject) => abortSignal.addEventListener('abort', () => reject(new Error('aborted')))),
} as unknown as LambdaClient;

test('lambda.lost-answer: a function that does not answer is waited for no longer than it may run, and the outcome is unknown', async () => {
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

/** As the SDK reads a Lambda API that has no concurrency left. */
const throttled: Answer = {
  status: 429,
  headers: { 'x-amzn-errortype': 'TooManyRequestsException' },
  body: { Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' },
};

test('lambda.throttled: an invocation that was refused is tried again, and runs once', async () => {
  const { asked: sent, config } = answering((_, n) => (n < 3 ? throttled : { body: { seq: 7 } }), 'exchange');
  const functions = new LambdaFunctions((name) => name, new LambdaClient(config));
  expect((await inFrozenTime(() => asked(functions))).value).toEqual({ seq: 7 });
  expect(sent).toHaveLength(3);
});

test('lambda.throttled: one that stays refused did not run, and the error says so', async () => {
  const { asked: sent, config } = answering(() => throttled, 'exchange');
  const functions = new LambdaFunctions((name) => name, new LambdaClient(config));
  expect((await inFrozenTime(() => asked(functions))).error).toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: 'invoke publisher was refused: TooManyRequestsException',
    fix: expect.stringMatching(/did not run$/),
  });
  expect(sent).toHaveLength(3);
});

test('an error that comes before that is the callee’s', async () => {
  const refused = Object.assign(new Error('no'), { name: 'AccessDeniedException' });
  const client = { send: () => Promise.reject(refused) } as unknown as LambdaClient;
  await expect(new LambdaFunctions((name) => name, client).invoke('committer', {})).rejects.toMatchObject({
    code: 'ERR_ACCESS_DENIED',
    message: 'invoke committer was refused: AccessDeniedException',
  });
});

test.each([
  ['{}', 'seq'],
  ['{"seq":"7"}', 'seq'],
  ['{"seq":-1}', 'seq'],
])('the answer %s is refused: %s is not what it must be', async (body, member) => {
  await expect(asked(functionsThatAnswer(body))).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE', got: { member } });
});

test('a member that only a newer callee knows is left out', async () => {
  expect(await asked(functionsThatAnswer('{"seq":7,"later":true}'))).toEqual({ seq: 7 });
});
