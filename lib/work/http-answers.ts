/** What the HTTP API Lambdas share: the body as text, and answers that are never cached. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type ErrorCode, isCurfewError } from '../domain/base/errors';

const NO_STORE = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/** HTTP status of the refusals that are the caller's doing; anything else is ours, 500, and says nothing. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  ERR_INPUT_INVALID: 400,
  ERR_TOKEN_CLAIM: 400,
  ERR_TOKEN_TOO_LARGE: 400,
  ERR_EXCHANGE_REFUSED: 400,
  ERR_SUBJECT_BLOCKED: 403,
  ERR_NOT_FOUND: 404,
  ERR_KEY_STATE: 409,
  ERR_RING_CLOSING: 410,
  ERR_RING_HALTED: 503,
};

export function bodyOf({ body, isBase64Encoded }: Pick<APIGatewayProxyEventV2, 'body' | 'isBase64Encoded'>): string {
  return Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8').toString('utf8');
}

export function answer(statusCode: number, body: object): APIGatewayProxyStructuredResultV2 {
  return { statusCode, headers: NO_STORE, body: JSON.stringify(body) };
}

/** A refusal the caller can act on; a bug is thrown on, for the entry to log and the API to answer with 500. */
export function refusal(error: unknown): APIGatewayProxyStructuredResultV2 {
  if (error instanceof SyntaxError) return answer(400, { code: 'ERR_INPUT_INVALID', message: 'the body is not JSON' });
  const status = isCurfewError(error) ? STATUS[error.code] : undefined;
  if (!isCurfewError(error) || status === undefined) throw error;
  return answer(status, { code: error.code, message: error.message, fix: error.fix });
}
