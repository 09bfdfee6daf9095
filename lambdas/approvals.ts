/**
 * POST /approvals: one approver's decision about one question of one case. It is kept under who signed the request, as API
 * Gateway says it, and this Lambda can do nothing else: what it comes to, the decider finds out.
 */

import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { entry } from '../lib/aws/entry';
import { isMembers, type Members } from '../lib/domain/base/encoding';
import { CurfewError } from '../lib/domain/base/errors';
import { parseAcceptance } from '../lib/domain/cases/accepted';
import { approverOf, parseDecision } from '../lib/domain/cases/approvals';
import { parseCaseId } from '../lib/domain/cases/case';
import { parseReason } from '../lib/domain/rings/reason';
import { APPROVAL, PENDING_APPROVAL } from '../lib/domain/store/approval';
import { put } from '../lib/domain/store/entity';
import type { Deps } from '../lib/ports';
import { answer, bodyOf, refusal } from '../lib/work/http-answers';

/** As much of the request as this reads. A Lambda that is invoked directly is not told who calls: it has no `authorizer`. */
interface SignedRequest extends Pick<APIGatewayProxyEventV2, 'body' | 'isBase64Encoded'> {
  readonly requestContext: { readonly authorizer?: { readonly iam?: { readonly userId?: string } } };
}

export async function approve(
  request: SignedRequest,
  deps: Deps<'approvals'>,
): Promise<APIGatewayProxyStructuredResultV2> {
  try {
    const given: unknown = JSON.parse(bodyOf(request));
    const { question, decision, about, reason, ...rest }: Members = isMembers(given) ? given : {};
    const caseId = parseCaseId(rest.caseId);
    const number = parseQuestion(question);
    const { approver, identity } = callerOf(request, deps);
    const at = deps.clock.now();
    const decided = parseDecision(decision);
    const approval = {
      decision: decided,
      ...(decided === 'accept' && { accepts: parseAcceptance(rest, at) }),
      about: parseDigest(about),
      reason: parseReason(reason),
      identity,
      at,
    };
    // A second time by the same person is their latest decision, and one voice all the same; the first one stays on record.
    await deps.tables.transact([
      put(APPROVAL, [caseId, number, at, approver], approval),
      put(PENDING_APPROVAL, [at, caseId, number, approver], { caseId, question: number, at }),
    ]);
    // From here on the stream has it looked at, or the ticker.
    return answer(202, { approver });
  } catch (error) {
    return refusal(error);
  }
}

function callerOf({ requestContext }: SignedRequest, { config }: Deps<'approvals'>) {
  const identity = requestContext.authorizer?.iam?.userId;
  if (identity === undefined)
    throw new CurfewError('ERR_NOT_APPROVED', 'the request carries no IAM signature', {
      fix: 'use `curfew case approve`, which signs as the caller',
    });
  return { approver: approverOf(config.approvers ?? [], identity).workerId, identity };
}

/** 0 stands for no question: approvers may also give back a case that no source doubts, or accept what stays open of it. */
function parseQuestion(given: unknown): number {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 0) return given;
  throw new CurfewError('ERR_INPUT_INVALID', 'the question is not a number', {
    got: typeof given,
    allowed: ['0, or the number of the open question'],
  });
}

function parseDigest(given: unknown): string {
  if (typeof given === 'string' && /^[\w-]{43}$/.test(given)) return given;
  throw new CurfewError('ERR_INPUT_INVALID', 'the digest of what was looked at is missing', {
    fix: 'use `curfew case approve`, `give-back` or `accept`, which compute it',
  });
}

export const handler = entry('approvals', approve);
