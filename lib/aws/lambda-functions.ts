/**
 * Functions on Lambda: a synchronous invoke. The SDK retries what never reached the callee, and throttling.
 *
 * An answer is believed to be what `Messages` says. It comes from the one function whose ARN this deployment put into our
 * environment, over TLS and IAM, and that function was compiled against the same `Messages`. Whoever can change its code
 * has its rights already, so a schema here would protect nothing. What a crash leaves is refused: `null`, or no object.
 */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CurfewError } from '../domain/base/errors';
import type { Messages } from '../domain/deployment/messages';
import { parseCalleeError } from './callee-error';
import { calling } from './errors';

export class LambdaFunctions {
  constructor(
    private readonly functionArn: (name: keyof Messages) => string,
    private readonly lambda = new LambdaClient({}),
  ) {}

  async invoke<F extends keyof Messages>(name: F, request: Messages[F]['request']): Promise<Messages[F]['response']> {
    const command = new InvokeCommand({
      FunctionName: this.functionArn(name),
      InvocationType: 'RequestResponse',
      Payload: JSON.stringify(request),
    });
    const { FunctionError, Payload } = await calling(`invoke ${name}`, () => this.lambda.send(command));
    const answer = parsePayload(name, Payload);
    if (FunctionError !== undefined) throw parseCalleeError(name, errorMessageIn(answer));
    if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
      throw new CurfewError('ERR_UNAVAILABLE', `${name} answered something that is no message`, {
        got: answer === null ? 'null' : typeof answer,
        fix: 'see its log, then retry: every invocation may run twice',
      });
    return answer as Messages[F]['response'];
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
