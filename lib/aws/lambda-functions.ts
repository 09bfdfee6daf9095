/** Functions on Lambda: a synchronous invoke. The SDK retries what never reached the callee, and throttling. */
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
    if (FunctionError !== undefined)
      throw parseCalleeError(name, (answer as { errorMessage?: unknown } | null)?.errorMessage);
    return answer as Messages[F]['response'];
  }
}

function parsePayload(name: string, payload: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(payload ?? []).toString('utf8'));
  } catch (cause) {
    throw new CurfewError('ERR_UNAVAILABLE', `${name} gave an answer that is not JSON`, { cause });
  }
}
