/**
 * POST /r/{ring}/exchange: a holder trades the exact old token for the re-signed one.
 *
 * Looked up by the digest of the compact JWS: what was never issued finds nothing, however well it is signed.
 */

import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { entry } from '../lib/aws/entry';
import { isCurfewError } from '../lib/domain/base/errors';
import { type CompactToken, parseCompact } from '../lib/domain/jose/compact';
import type { KeyRecord } from '../lib/domain/rings/ring';
import { CUT_OFF } from '../lib/domain/store/cut-off';
import { BODY, LEDGER_ROW } from '../lib/domain/store/ledger';
import { type Claims, jtiHash, readClaims } from '../lib/domain/tokens/claims';
import { blindSubjects, isCutOff } from '../lib/domain/tokens/cut-off';
import {
  currentKeys,
  exchangeRefused,
  exchangeResponse,
  isCollectable,
  isExchangeable,
  parseExchange,
} from '../lib/domain/tokens/exchange';
import { isVersionOf, type LedgerRow, tokenOf } from '../lib/domain/tokens/ledger';
import type { Deps } from '../lib/ports';
import { answer, bodyOf } from '../lib/work/http-answers';
import { findRing } from '../lib/work/rings/load-ring';
import { pepperOf } from '../lib/work/tokens/pepper';

type ExchangeDeps = Deps<'exchange'>;

export async function exchange(ringId: string, form: string, deps: ExchangeDeps): Promise<object> {
  const { clock, config } = deps;
  const presented = parsePresented(form);
  const ring = await findRing(deps, ringId);
  const key = ring?.keys.find(({ kid }) => kid === presented.header.kid);
  if (!ring || !isExchangeable(key) || !isCollectable(key, config.settings.feedPollSeconds, clock.now()))
    throw exchangeRefused();

  const issued = await issuedRow(presented, key, deps);
  const now = clock.now();
  if (issued.row.exp <= now || (await isRefused(ringId, issued.claims, deps))) throw exchangeRefused();

  // Repeats return the identical JWS: the version stands in the ledger, it is assembled, not signed, here.
  for (const candidate of currentKeys(ring, now)) {
    const row = await deps.tables.get(LEDGER_ROW, candidate, issued.jtiH);
    if (row?.resignOf === undefined || !isVersionOf(row, issued.row)) continue;
    const body = await deps.tables.get(BODY, candidate, issued.jtiH);
    if (!body) throw exchangeRefused();
    const { token } = tokenOf(body);
    if (parseCompact(token).tokenSha256 !== row.tokenSha256) throw exchangeRefused();
    return exchangeResponse(token, issued.row.exp, now);
  }
  throw exchangeRefused();
}

function parsePresented(form: string): CompactToken {
  const { subjectToken } = parseExchange(form);
  return parseOrRefuse(() => parseCompact(subjectToken));
}

/** What is wrong with a token is nothing that the one who presents it is told. */
function parseOrRefuse<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw exchangeRefused(cause);
  }
}

/** The row of exactly these bytes. The claims are read only to find it; they prove nothing until the digest agrees. */
async function issuedRow(
  presented: CompactToken,
  key: KeyRecord,
  { tables }: ExchangeDeps,
): Promise<{ row: LedgerRow; claims: Claims; jtiH: string }> {
  const claims = parseOrRefuse(() => readClaims(presented.payload));
  const jtiH = jtiHash(claims.jti);
  const row = await tables.get(LEDGER_ROW, key, jtiH);
  if (row?.tokenSha256 !== presented.tokenSha256) throw exchangeRefused();
  // Sender-constrained tokens need their proof checked first (RFC 9449, RFC 8705), which is not done here yet.
  if (claims.cnf !== undefined) throw exchangeRefused();
  return { row, claims, jtiH };
}

async function isRefused(ring: string, claims: Claims, deps: ExchangeDeps): Promise<boolean> {
  const pepper = await pepperOf(deps);
  const cutOffs = await Promise.all(
    blindSubjects(pepper, claims).map((blinded) => deps.tables.get(CUT_OFF, ring, blinded)),
  );
  return cutOffs.some((cutOff) => isCutOff(cutOff, claims.iat));
}

async function overHttp(event: APIGatewayProxyEventV2, deps: ExchangeDeps): Promise<APIGatewayProxyStructuredResultV2> {
  try {
    return answer(200, await exchange(event.pathParameters?.ring ?? '', bodyOf(event), deps));
  } catch (error) {
    if (!isCurfewError(error, 'ERR_EXCHANGE_REFUSED')) throw error;
    return answer(400, { error: 'invalid_request' });
  }
}

export const handler = entry('exchange', overHttp);
