/**
 * Issues tokens: claims in, JWT out, the key never leaves KMS, the ledger knows first.
 *
 * Called by the HTTP API under IAM authorisation, or directly. It can sign and do nothing else to a key.
 */
import type { APIGatewayProxyEventV2WithIAMAuthorizer, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { entry, logFailure } from '../lib/aws/entry';
import { base64url, isMembers } from '../lib/domain/base/encoding';
import { CurfewError, isCurfewError } from '../lib/domain/base/errors';
import type { Messages } from '../lib/domain/deployment/messages';
import type { SigningAlgorithm } from '../lib/domain/jose/algorithm';
import { assemble } from '../lib/domain/jose/compact';
import { buildClaims } from '../lib/domain/tokens/claims';
import { blindSubjects } from '../lib/domain/tokens/cut-off';
import { draftToken } from '../lib/domain/tokens/draft';
import { recordIntent, recordIssued } from '../lib/domain/tokens/ledger';
import type { Deps } from '../lib/ports';
import { answer, askAgain, bodyOf, inTime, refusal } from '../lib/work/http-answers';
import { type Issuing, issuingKey } from '../lib/work/tokens/issuing-key';
import { outIdAt } from '../lib/work/tokens/out-id';
import { pepperOf } from '../lib/work/tokens/pepper';
import { sealToken } from '../lib/work/tokens/seal';
import { tryTransact } from '../lib/work/transactions';

type IssuerDeps = Deps<'issuer'>;
type IssueRequest = Extract<Messages['issuer']['request'], { op: 'issue' }>;
type IssueResponse = { readonly token: string; readonly exp: number };
/** Two emergencies within the life of one request are served. */
const TRIES_MAX = 3;
/** For seconds after a rotation one host of KMS may still take the new key for disabled; the next one will not. */
const PAUSE_SECONDS = 0.5;
/** What an answer needs to get out before Lambda ends the run, of which the caller would only learn that something failed. */
const ANSWER_MS = 500;

export async function issueOrProbe(
  request: Messages['issuer']['request'],
  deps: IssuerDeps,
): Promise<Messages['issuer']['response']> {
  return request.op === 'probe'
    ? { probe: await probe(request.kmsKeyArn, request.algorithm, deps) }
    : issue(request, deps);
}

/**
 * A rotation in between is none of the caller's business: nothing was handed out, and a retry is a new token.
 *
 * @param over the caller was answered without a token: from then on nothing is signed or recorded for it
 */
export async function issue(request: IssueRequest, deps: IssuerDeps, over?: AbortSignal): Promise<IssueResponse> {
  for (let n = 1; ; n++) {
    try {
      return await issueOnce(request, deps, await issuingKey(request.ring, deps, n > 1), over);
    } catch (error) {
      const isDisabled = isCurfewError(error, 'ERR_KEY_DISABLED');
      if ((!isDisabled && !isCurfewError(error, 'ERR_KEY_STATE')) || n === TRIES_MAX) throw error;
      if (isDisabled) await deps.clock.sleep(PAUSE_SECONDS);
    }
  }
}

async function issueOnce(
  { ring, claims: asked, callerArn }: IssueRequest,
  deps: IssuerDeps,
  { key, cfg, fence }: Issuing,
  over?: AbortSignal,
): Promise<IssueResponse> {
  const { clock, random, tables, signer } = deps;
  const now = clock.now();
  const claims = buildClaims(
    asked,
    { issuer: cfg.iss, audience: cfg.aud, maxTtlSeconds: cfg.maxTtlSeconds },
    base64url(random.bytes(16)),
    now,
  );
  const pepper = await pepperOf(deps);
  const blinded = blindSubjects(pepper, claims);

  const draft = draftToken(key, Buffer.from(JSON.stringify(claims)));
  await tables.transact([recordIntent(key, claims, draft)]);

  // If we stop here, or after the signature, an intent stays, never handed out. No caller asks again for its jti.
  // A run that was answered is frozen, and may go on minutes later with the next one: then the drain is long over.
  over?.throwIfAborted();
  const token = await sealToken(signer, key, draft);
  over?.throwIfAborted();
  const outId = outIdAt(now, random);
  const writes = recordIssued({ ring, key, fence, claims, token, blinded, callerArn, now, outId });
  if (!(await tryTransact(tables, writes))) throw await whyRefused(ring, key.kid, deps);
  // If we stop here, the ledger has a token that no caller holds. Only now does a caller get it.
  return { token: assemble(token.signingInput, token.signature), exp: claims.exp };
}

/** The sentence has spaces and no dot: no digest of it is the digest of a JWS signing input. */
const PROBE = Buffer.from('curfew probe: this key can sign');

/** KMS's own answer under the issuer's right; the signature stays here. */
async function probe(
  kmsKeyArn: string,
  algorithm: SigningAlgorithm,
  { signer }: IssuerDeps,
): Promise<{ signed: boolean; code?: string }> {
  try {
    await signer.sign(kmsKeyArn, algorithm, PROBE);
    return { signed: true };
  } catch (error) {
    if (
      isCurfewError(error, 'ERR_KEY_DISABLED') ||
      isCurfewError(error, 'ERR_ACCESS_DENIED') ||
      isCurfewError(error, 'ERR_KEY_STATE')
    )
      return { signed: false, code: error.code };
    throw error;
  }
}

/** The last transaction says only that a condition failed. Which one decides whether the caller should try again. */
async function whyRefused(ring: string, kid: string, deps: IssuerDeps): Promise<CurfewError> {
  const now = await issuingKey(ring, deps, true);
  if (now.key.kid !== kid)
    return new CurfewError('ERR_KEY_STATE', `ring ${ring} activated another key during this request`, {
      fix: 'ask again: a retry gets a new token',
    });
  return new CurfewError('ERR_SUBJECT_BLOCKED', 'no token is issued to this subject', {
    fix: 'see the case that cut the subject off',
  });
}

/** POST /r/{ring}/issue, body: claims. The caller is who IAM says it is. */
export async function issueOverHttp(
  event: APIGatewayProxyEventV2WithIAMAuthorizer,
  deps: IssuerDeps,
  over: AbortSignal,
): Promise<APIGatewayProxyStructuredResultV2> {
  try {
    const claims: unknown = JSON.parse(bodyOf(event));
    if (!isMembers(claims))
      throw new CurfewError('ERR_INPUT_INVALID', 'the body is not a JSON object of claims', { got: typeof claims });
    const callerArn = event.requestContext.authorizer?.iam?.userArn ?? 'unknown';
    const request = {
      op: 'issue',
      ring: event.pathParameters?.ring ?? '',
      claims,
      callerArn,
    } as const;
    return answer(200, await inTime(over, issue(request, deps, over)));
  } catch (error) {
    if (!isCurfewError(error, 'ERR_UNAVAILABLE') && !isCurfewError(error, 'ERR_KEY_DISABLED')) return refusal(error);
    // Logged as what failed is: an alarm counts these lines.
    logFailure('issuer', error);
    return askAgain();
  }
}

type Event = Messages['issuer']['request'] | APIGatewayProxyEventV2WithIAMAuthorizer;

const run = entry('issuer', async ({ event, over }: { readonly event: Event; readonly over: AbortSignal }, deps) =>
  'op' in event ? issueOrProbe(event, deps) : issueOverHttp(event, deps, over),
);

export const handler = (event: Event, context: Pick<Context, 'getRemainingTimeInMillis'>) => {
  const left = context.getRemainingTimeInMillis() - ANSWER_MS;
  return run({ event, over: AbortSignal.timeout(Math.max(0, left)) });
};
