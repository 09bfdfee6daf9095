/** Lambda's Invoke in memory: handlers by name, and JSON both ways, so that nothing passes that would not on the wire. */
import { CurfewError, isCurfewError } from '../domain/base/errors';
import { parseAnswer } from '../domain/deployment/answers';
import type { Messages } from '../domain/deployment/messages';
import type { Right } from '../domain/deployment/rights';
import type { Functions } from '../ports';
import { isCrash } from './faults';
import { Weather } from './weather';

type Handler<F extends keyof Messages> = (request: Messages[F]['request']) => Promise<Messages[F]['response']>;

export class MemoryFunctions {
  private readonly handlers = new Map<string, (request: never) => Promise<unknown>>();

  constructor(private readonly weather: Weather = new Weather('', {})) {}

  register<F extends keyof Messages>(name: F, handler: Handler<F>): void {
    this.handlers.set(name, handler as (request: never) => Promise<unknown>);
  }

  async invoke<F extends keyof Messages>(name: F, request: Messages[F]['request']): Promise<Messages[F]['response']> {
    await null;
    const handler = this.handlers.get(name);
    if (!handler)
      throw new CurfewError('ERR_UNAVAILABLE', `nothing answers for ${name}`, {
        got: name,
        fix: `register it: world.functions.register('${name}', (request) => …)`,
      });
    try {
      const answer = await this.weather.invocation(() => handler(wire(request) as never));
      return parseAnswer(name, wire(answer));
    } catch (error) {
      if (isCrash(error)) throw error;
      // What the caller of a real Lambda gets: code, message and fix, without the callee's stack or cause.
      if (isCurfewError(error)) throw new CurfewError(error.code, error.message, { fix: error.fix });
      throw new CurfewError('ERR_UNAVAILABLE', `${name} failed`, { cause: error });
    }
  }

  restricted<R extends Right>(rights: readonly string[]): Functions<R> {
    const invoke: MemoryFunctions['invoke'] = async (name, request) => {
      if (!rights.includes(`invoke:${name}`))
        throw new CurfewError('ERR_RIGHT_MISSING', `the right invoke:${name} is missing`, { allowed: rights });
      return this.invoke(name, request);
    };
    return { invoke } as Functions<R>;
  }
}

function wire(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}
