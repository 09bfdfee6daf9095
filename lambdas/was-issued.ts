/**
 * GET /issued/{kid}/{H(jti)}/{tokenSha256}: was exactly this token issued? Yes or no.
 *
 * A caller that knows the digest holds the token: it learns nothing of other tokens.
 */

import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { entry } from '../lib/aws/entry';
import { KID_PATTERN } from '../lib/domain/jose/jwk';
import { LEDGER_ROW, SHARDS } from '../lib/domain/store/ledger';
import type { Deps } from '../lib/ports';
import { answer } from '../lib/work/http-answers';

const DIGEST = /^[A-Za-z0-9_-]{43}$/;

export async function wasIssued(
  kid: string,
  jtiH: string,
  tokenSha256: string,
  { tables }: Deps<'was-issued'>,
): Promise<boolean> {
  if (!KID_PATTERN.test(kid) || !DIGEST.test(jtiH) || !DIGEST.test(tokenSha256)) return false;
  const row = await tables.get(LEDGER_ROW, { kid, shards: SHARDS }, jtiH);
  return row?.tokenSha256 === tokenSha256;
}

async function overHttp(
  event: APIGatewayProxyEventV2,
  deps: Deps<'was-issued'>,
): Promise<APIGatewayProxyStructuredResultV2> {
  const { kid = '', jtiH = '', tokenSha256 = '' } = event.pathParameters ?? {};
  return answer(200, { issued: await wasIssued(kid, jtiH, tokenSha256, deps) });
}

export const handler = entry('was-issued', overHttp);
