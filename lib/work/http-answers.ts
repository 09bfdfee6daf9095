/** What the HTTP API Lambdas share: the body as text, and answers that are never cached. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { CurfewError, type ErrorCode, isCurfewError } from '../domain/base/errors';

const NO_STORE = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/** HTTP status of the refusals that are the caller's doing; anything else is ours, 500, and says nothing. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  ERR_INPUT_INVALID: 400,
  ERR_TOKEN_CLAIM: 400,
  ERR_TOKEN_TOO_LARGE: 400,
  ERR_EXCHANGE_REFUSED: 400,
  ERR_SUBJECT_BLOCKED: 403,
  ERR_NOT_APPROVED: 403,
  ERR_WEBHOOK_STATEMENT: 400,
  ERR_NOT_FOUND: 404,
  ERR_KEY_STATE: 409,
  ERR_RING_CLOSING: 410,
  ERR_RING_HALTED: 503,
};

/** An issuer that was slow or throttled is asked again this much later, by callers that spread themselves (RFC 9110 section 10.2.3). */
const RETRY_AFTER_SECONDS = 1;

export function bodyOf({ body, isBase64Encoded }: Pick<APIGatewayProxyEventV2, 'body' | 'isBase64Encoded'>): string {
  return Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8').toString('utf8');
}

export function answer(statusCode: number, body: object): APIGatewayProxyStructuredResultV2 {
  return { statusCode, headers: NO_STORE, body: JSON.stringify(body) };
}

/** For what may be over in a moment. What went wrong is ours to know: the caller only hears when to ask again. */
export function askAgain(): APIGatewayProxyStructuredResultV2 {
  const { headers, ...rest } = answer(503, {
    code: 'ERR_UNAVAILABLE' satisfies ErrorCode,
    message: 'there is no answer now',
    fix: 'ask again after the seconds of Retry-After: what was not answered was not done for you',
  });
  return { ...rest, headers: { ...headers, 'retry-after': String(RETRY_AFTER_SECONDS) } };
}

/** What the work answers, unless time is over first. It is not stopped by that: it looks at `over` itself. */
export function inTime<T>(over: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(new CurfewError('ERR_UNAVAILABLE', 'the Lambda had no answer in time', { fix: 'ask again' }));
    if (over.aborted) late();
    over.addEventListener('abort', late, { once: true });
    work.then(resolve, reject);
  });
}

/** A refusal the caller can act on; a bug is thrown on, for the entry to log and the API to answer with 500. */
export function refusal(error: unknown): APIGatewayProxyStructuredResultV2 {
  if (error instanceof SyntaxError) return answer(400, { code: 'ERR_INPUT_INVALID', message: 'the body is not JSON' });
  const status = isCurfewError(error) ? STATUS[error.code] : undefined;
  if (!isCurfewError(error) || status === undefined) throw error;
  return answer(status, { code: error.code, message: error.message, fix: error.fix });
}
