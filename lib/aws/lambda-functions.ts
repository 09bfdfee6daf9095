/**
 * Functions on Lambda: a synchronous invoke, and an answer waited for as long as the callee may run. The SDK retries what
 * never reached the callee, and throttling.
 */
import { InvokeCommand, type InvokeCommandOutput, LambdaClient } from '@aws-sdk/client-lambda';
import { CurfewError } from '../domain/base/errors';
import { parseAnswer } from '../domain/deployment/answers';
import type { Messages } from '../domain/deployment/messages';
import { waitSeconds } from '../domain/deployment/time-outs';
import { parseCalleeError } from './callee-error';
import { clientSettings } from './client-settings';
import { type Codes, calling } from './errors';

export { LambdaClient };

/** After the SDK's own tries. */
const INVOKE_CODES: Codes = {
  TooManyRequestsException: {
    code: 'ERR_UNAVAILABLE',
    fix: 'ask again: no concurrency was left in this account, and the function did not run',
  },
};

export class LambdaFunctions {
  constructor(
    private readonly functionArn: (name: keyof Messages) => string,
    private readonly lambda = new LambdaClient(clientSettings(undefined, 'lambda')),
    /** In seconds: longer than the callee may run. */
    private readonly patience: (name: keyof Messages) => number = waitSeconds,
  ) {}

  async invoke<F extends keyof Messages>(name: F, request: Messages[F]['request']): Promise<Messages[F]['response']> {
    const command = new InvokeCommand({
      FunctionName: this.functionArn(name),
      InvocationType: 'RequestResponse',
      Payload: JSON.stringify(request),
    });
    const { FunctionError, Payload } = await this.send(name, command);
    const answer = parsePayload(name, Payload);
    if (FunctionError !== undefined) throw parseCalleeError(name, errorMessageIn(answer));
    return parseAnswer(name, answer);
  }

  /** The SDK would wait for ever. After this nobody answers any more: the callee has been stopped. */
  private async send(name: keyof Messages, command: InvokeCommand): Promise<InvokeCommandOutput> {
    const seconds = this.patience(name);
    const abortSignal = AbortSignal.timeout(seconds * 1000);
    try {
      return await calling(`invoke ${name}`, () => this.lambda.send(command, { abortSignal }), INVOKE_CODES);
    } catch (cause) {
      if (!abortSignal.aborted) throw cause;
      throw new CurfewError('ERR_UNAVAILABLE', `${name} has not answered for ${seconds} s`, {
        fix: 'see its log, then retry: every invocation may run twice',
        cause,
      });
    }
  }
}

function errorMessageIn(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'errorMessage' in answer ? answer.errorMessage : undefined;
}

function parsePayload(name: string, payload: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(payload ?? []).toString('utf8'));
  } catch (cause) {
    throw new CurfewError('ERR_UNAVAILABLE', `${name} answered something that is not JSON`, { cause });
  }
}
