/** Three people who may decide, and how they do: as API Gateway hands over what they signed. */
import { approve } from '../../lambdas/approvals';
import { decide, decideStream } from '../../lambdas/decider';
import { enableKey } from '../../lambdas/key-enabler';
import { releaseLatch } from '../../lambdas/latch-release';
import { releaseSubjects } from '../../lambdas/subject-release';
import { acceptanceDigest, acceptedItem } from '../../lib/domain/cases/accepted';
import type { Decision } from '../../lib/domain/cases/approvals';
import { openQuestion } from '../../lib/domain/cases/case';
import { aboutOf } from '../../lib/domain/cases/shut';
import { APPROVAL } from '../../lib/domain/store/approval';
import { CASE_ITEM } from '../../lib/domain/store/case-items';
import { SHUT } from '../../lib/domain/store/worker';
import type { World } from '../../lib/local/world';
import { recordApprovers } from '../../lib/work/cases/approver-set';
import { loadWorker } from '../../lib/work/cases/worker';
import { metaOf } from './departure-world';

export const APPROVERS = [
  { workerId: 'W-0001', identity: 'AIDAAPPROVERONE1' },
  { workerId: 'W-0002', identity: 'AROAAPPROVERTWO2:kim' },
  { workerId: 'W-0003', identity: 'AIDAAPPROVERTHR3' },
] as const;

export function wireDecisions(world: World): void {
  world.functions.register('decider', (request) => decide(request, world.deps('decider')));
  world.functions.register('latch-release', (request) => releaseLatch(request, world.deps('latch-release')));
  world.functions.register('key-enabler', (request) => enableKey(request, world.deps('key-enabler')));
  world.functions.register('subject-release', (request) => releaseSubjects(request, world.deps('subject-release')));
}

/** A deployment with other approvers; the tick of the minute sees them unless `isSeen` is false. */
export async function deployApprovers(world: World, approvers: World['config']['approvers'], isSeen = true) {
  Object.assign(world.config, { approvers });
  if (isSeen) await recordApprovers(world.deps('ticker'));
}

export interface Answered {
  readonly status?: number;
  readonly isDecided?: boolean;
  readonly counts?: boolean;
  readonly code?: string;
  readonly why?: string;
}

export async function approveAs(
  world: World,
  identity: string | undefined,
  caseId: string,
  decision: Decision,
  more: {
    readonly about?: string;
    readonly question?: number;
    readonly items?: readonly string[];
    readonly until?: number;
  } = {},
  isLookedAt = true,
): Promise<Answered> {
  const body = { caseId, decision, reason: 'CHG-12', ...(await before(world, caseId, decision)), ...more };
  const authorizer = identity === undefined ? undefined : { iam: { userId: identity } };
  const request = { body: JSON.stringify(body), isBase64Encoded: false, requestContext: { authorizer } };
  const response = await approve(request, world.deps('approvals'));
  const answer = JSON.parse(response.body ?? '{}') as { code?: string; approver?: string };
  if (response.statusCode !== 202) return { status: response.statusCode, ...answer };
  if (isLookedAt) await lookAtApprovals(world);
  const given = await world.tables.parsed.query(APPROVAL.in(caseId, body.question));
  const mine = given.filter(({ approver }) => approver === answer.approver).at(-1);
  const meta = await metaOf(world, caseId);
  const over = meta.questions.find(({ n }) => n === body.question);
  return {
    status: response.statusCode,
    counts: mine?.counts,
    why: mine?.why,
    isDecided: {
      'give-back': meta.givenBackAt !== undefined,
      'go-on': over?.endedBy === 'go-on',
      readmit: false,
      accept: meta.accepted?.some(({ about }) => about === body.about) ?? false,
    }[decision],
  };
}

/** What the stream of the table does. */
export async function lookAtApprovals(world: World): Promise<void> {
  await decideStream(approvalsOf(world), world.deps('decider'));
}

/** As the stream hands them over. */
export function approvalsOf(world: World) {
  const Records = world.tables.takeStream('approvals').map(({ pk, sk }) => ({
    eventName: 'INSERT' as const,
    dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } } },
  }));
  return { Records };
}

/** What `curfew case approve` sends along: the question, and the digest of what is shown with it. */
export async function before(world: World, caseId: string, decision: Decision) {
  if (decision === 'accept') return beforeAccept(world, caseId);
  const meta = await metaOf(world, caseId);
  const question = openQuestion(meta);
  const worker = await loadWorker({ tables: world.tables.parsed }, meta.workerId);
  const shut = await world.tables.parsed.query(SHUT.in(meta.workerId));
  return {
    question: question?.n ?? 0,
    about: aboutOf(decision === 'go-on' ? decision : 'give-back', { question, worker, shut, caseId }),
  };
}

export const DAY = 86_400;

/** What `curfew case accept` sends along: the numbers, the end, and the digest of the items as they stand. */
export async function beforeAccept(
  world: World,
  caseId: string,
  given: { readonly items?: readonly string[]; readonly until?: number } = {},
) {
  const stored = await world.tables.parsed.query(CASE_ITEM.in(caseId));
  const open = stored.filter(({ item }) => item.kind === 'unplannable').map(({ item }) => item.nn);
  const { items = open, until = world.clock.now() + 30 * DAY } = given;
  const list = stored.filter(({ item }) => items.includes(item.nn)).map(({ item }) => acceptedItem(item));
  return { question: 0, items, until, about: acceptanceDigest(list, until) };
}

/** Two of the three, one after the other. */
export async function decideBoth(
  world: World,
  caseId: string,
  decision: Decision,
  /** Whether the stream of the table does its work. */
  isLookedAt = true,
): Promise<Answered> {
  const first = await approveAs(world, APPROVERS[0].identity, caseId, decision, {}, isLookedAt);
  if (first.isDecided !== false) throw new Error(`one approval is not two: ${JSON.stringify(first)}`);
  return approveAs(world, APPROVERS[1].identity, caseId, decision, {}, isLookedAt);
}
