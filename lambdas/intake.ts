/** POST /hr/{source}: a signed webhook becomes a durable delivery in the inbox, and is answered. Nothing else happens here. */

import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { entry } from '../lib/aws/entry';
import { CurfewError, type ErrorCode, isCurfewError } from '../lib/domain/base/errors';
import { deliveryWrites } from '../lib/domain/intake/inbox';
import { type HrSourceConfig, verifyDelivery } from '../lib/domain/intake/schemes';
import { BODY_BYTES_MAX, parseStatements } from '../lib/domain/intake/statement';
import type { Deps } from '../lib/ports';
import { answer } from '../lib/work/http-answers';
import { tryTransact } from '../lib/work/transactions';

export type WebhookRequest = Pick<APIGatewayProxyEventV2, 'pathParameters' | 'headers' | 'body' | 'isBase64Encoded'>;
type WebhookAnswer = APIGatewayProxyStructuredResultV2;

/** Whatever a stranger may send ends in one of these; a fault of ours (a secret we cannot read) is thrown, and is a 5xx. */
const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  ERR_WEBHOOK_SOURCE: 404,
  ERR_WEBHOOK_HEADER: 400,
  ERR_WEBHOOK_BODY: 400,
  ERR_WEBHOOK_STATEMENT: 422,
  ERR_WEBHOOK_SIGNATURE: 401,
  ERR_WEBHOOK_TOO_OLD: 401,
  ERR_WEBHOOK_TOO_NEW: 401,
  // The sender tries again: refused for good, a departure would be lost; taken now, it would outrank what is said today.
  ERR_WEBHOOK_SAID_AHEAD: 503,
};

export async function receiveWebhook(request: WebhookRequest, deps: Deps<'intake'>): Promise<WebhookAnswer> {
  try {
    return await accept(request, deps);
  } catch (error) {
    const status = isCurfewError(error) ? STATUS[error.code] : undefined;
    if (!isCurfewError(error) || status === undefined) throw error;
    const tooLarge = error.code === 'ERR_WEBHOOK_BODY' && error.allowed === BODY_BYTES_MAX;
    return answer(tooLarge ? 413 : status, { code: error.code, message: error.message, fix: error.fix });
  }
}

async function accept(
  request: WebhookRequest,
  { clock, hrSources, secrets, tables }: Deps<'intake'>,
): Promise<WebhookAnswer> {
  const [source, config] = await findSource(request.pathParameters?.source, hrSources);
  const headers = lowerCased(request.headers);
  const rawBody = bytesOf(request);
  checkContentType(headers['content-type']);

  // The signature is over the bytes as sent, so it is checked before anything reads a meaning into them.
  const now = clock.now();
  const { deliveryId, sentAt, bodySha256 } = verifyDelivery(
    config.scheme,
    { headers, rawBody },
    await secrets.values(source),
    now,
  );
  const statements = parseStatements(config, { rawBody, deliveryId, receivedAt: now });

  const { corroboration, origin = source } = config;
  const stored = { source, deliveryId, corroboration, origin, statements, bodySha256, sentAt, receivedAt: now };
  // When this returns the statement is durable. If we stop before the answer, the sender repeats and is told "known".
  const isNew = await tryTransact(tables, deliveryWrites(stored));
  return answer(isNew ? 202 : 200, { delivery: deliveryId, known: !isNew });
}

async function findSource(
  given: string | undefined,
  sources: Deps<'intake'>['hrSources'],
): Promise<[string, HrSourceConfig]> {
  // Lower case only: the inbox keeps a partition of its own whose name is in capitals.
  const source = given !== undefined && /^[a-z][a-z0-9-]{0,62}$/.test(given) ? await sources.find(given) : undefined;
  if (given !== undefined && source !== undefined) return [given, source];
  throw new CurfewError('ERR_WEBHOOK_SOURCE', 'unknown HR source', {
    fix: 'POST to /hr/ and the configured name of the source',
  });
}

/** API Gateway hands over bytes as text: as they are where it takes them for text, in base64 otherwise. */
function bytesOf({ body, isBase64Encoded }: WebhookRequest): Buffer {
  const text = body ?? '';
  const bytes = Buffer.from(text, isBase64Encoded ? 'base64' : 'utf8');
  if (isBase64Encoded && bytes.toString('base64') !== text)
    throw new CurfewError('ERR_WEBHOOK_BODY', 'the body is not base64', { fix: 'send the JSON itself' });
  if (bytes.length === 0)
    throw new CurfewError('ERR_WEBHOOK_BODY', 'the body is empty', { allowed: 'one JSON object' });
  // Before the signature: hashing is cheap, but not for as many megabytes as a stranger likes to send.
  if (bytes.length > BODY_BYTES_MAX)
    throw new CurfewError('ERR_WEBHOOK_BODY', `the body is larger than ${BODY_BYTES_MAX} bytes`, {
      got: bytes.length,
      allowed: BODY_BYTES_MAX,
      fix: 'send one event per delivery',
    });
  return bytes;
}

const JSON_UTF8 = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i;

function checkContentType(given: string | undefined): void {
  if (given === undefined || JSON_UTF8.test(given)) return;
  throw new CurfewError('ERR_WEBHOOK_HEADER', 'the content type is not JSON in UTF-8', {
    allowed: 'application/json; charset=utf-8',
  });
}

function lowerCased(headers: WebhookRequest['headers']): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

export const handler = entry('intake', receiveWebhook);
