/** An SDK client's wire, answered by the test: what AWS says in rare moments, as the SDK really parses it. */
import { Readable } from 'node:stream';
import { clientSettings } from '../../lib/aws/client-settings';
import type { FunctionName } from '../../lib/domain/deployment/rights';

export interface Asked {
  /** `CreateKey`; of a protocol that has no names, as S3's, `PUT /bucket/key`. */
  readonly operation: string;
  /** The members of a JSON body, or of a form; nothing of any other. */
  readonly input: Record<string, unknown>;
  readonly headers: Readonly<Record<string, string>>;
}

/** A body that is a text or a stream is sent as it is: XML, or an object. Anything else is sent as JSON. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}
interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array | string;
}

/**
 * Client configuration for any of AWS's protocols. Refusals are `{ status: 400, body: { __type: 'SomeException' } }`, or
 * `xmlError`; an answer that throws is a connection that broke. One attempt, if no Lambda is named whose pace to take.
 */
export function answering(answer: (asked: Asked, n: number) => Answer, as?: FunctionName) {
  const asked: Asked[] = [];
  const handle = async (request: Request) => {
    const one = parsed(request);
    asked.push(one);
    const { status = 200, headers = {}, body = '' } = answer(one, asked.length);
    const isRaw = typeof body === 'string' || body instanceof Readable;
    return {
      response: {
        statusCode: status,
        headers: { 'content-type': isRaw ? 'application/xml' : 'application/x-amz-json-1.1', ...headers },
        body: body instanceof Readable ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      },
    };
  };
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' };
  const pace = as === undefined ? { maxAttempts: 1 } : clientSettings(as);
  return { asked, config: { ...pace, region: 'us-east-1', credentials, requestHandler: { handle } } };
}

function parsed({ method, path, headers, body = '' }: Request): Asked {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  const target = headers['x-amz-target']?.split('.').pop();
  const form = Object.fromEntries(new URLSearchParams(text));
  if (target !== undefined) return { operation: target, input: JSON.parse(text), headers };
  if (form.Action !== undefined) return { operation: form.Action, input: form, headers };
  return { operation: `${method} ${path}`, input: {}, headers };
}

/** How S3 refuses, and, with `Query`, how IAM does. */
export function xmlError(status: number, code: string, protocol: 'S3' | 'Query' = 'S3'): Answer {
  const error = `<Error><Code>${code}</Code><Message>as AWS says it</Message></Error>`;
  const body = protocol === 'S3' ? error : `<ErrorResponse>${error}<RequestId>1</RequestId></ErrorResponse>`;
  return { status, body: `<?xml version="1.0" encoding="UTF-8"?>${body}` };
}

/** What a broken connection, or one that nobody answers, is to the SDK. */
export function timedOut(): never {
  throw Object.assign(new Error('the request timed out'), { name: 'TimeoutError' });
}

/** Pauses that are noted and not waited for. */
export function notedPauses() {
  const pauses: number[] = [];
  const pause = async (milliseconds: number) => {
    pauses.push(milliseconds);
  };
  return { pauses, pause };
}

/** Runs to its end what waits with the SDK's own timers, and says how long that took. */
export async function inFrozenTime<T>(
  work: () => Promise<T>,
): Promise<{ readonly seconds: number; readonly error?: unknown; readonly value?: T }> {
  jest.useFakeTimers();
  try {
    const from = Date.now();
    let ended: { error?: unknown; value?: T } | undefined;
    work().then(
      (value) => {
        ended = { value };
      },
      (error: unknown) => {
        ended = { error };
      },
    );
    while (ended === undefined) await jest.advanceTimersByTimeAsync(10);
    return { seconds: (Date.now() - from) / 1000, ...ended };
  } finally {
    jest.useRealTimers();
  }
}
