/** Looks whether two approvers have decided about a case, and does what they decided: nothing is done on the word of one. */

import type { DynamoDBStreamEvent } from 'aws-lambda';
import { entry } from '../lib/aws/entry';
import { CurfewError } from '../lib/domain/base/errors';
import { type Decision, judgeApprovals, standingSet } from '../lib/domain/cases/approvals';
import { type DepartureCase, giveBackIdOf, isWaiting, openQuestion } from '../lib/domain/cases/case';
import { endedRecord } from '../lib/domain/cases/records';
import { giveBackWrites } from '../lib/domain/cases/schedule';
import { aboutOf, settleShut } from '../lib/domain/cases/shut';
import { transition } from '../lib/domain/cases/transitions';
import type { Messages } from '../lib/domain/deployment/messages';
import { APPROVAL, PENDING_APPROVAL, pendingOf } from '../lib/domain/store/approval';
import { CASE } from '../lib/domain/store/case';
import type { Write } from '../lib/domain/store/table';
import { APPROVERS, type ApproverSet, SHUT } from '../lib/domain/store/worker';
import type { Deps } from '../lib/ports';
import { decideAcceptance } from '../lib/work/cases/acceptance';
import { barredFrom } from '../lib/work/cases/barred';
import { approvedBy, type Decided, giveBackOf, mark } from '../lib/work/cases/decided';
import { loadLinked } from '../lib/work/cases/exposed';
import { openedOf } from '../lib/work/cases/linked';
import { decideReadmissions, readmissionUnderWay, startReadmissions } from '../lib/work/cases/readmission';
import { startCase } from '../lib/work/cases/start-case';
import { loadWorker } from '../lib/work/cases/worker';
import { pepperOf } from '../lib/work/tokens/pepper';
import { inTurn } from '../lib/work/transactions';

type DeciderDeps = Deps<'decider'>;
type Request = Messages['decider']['request'];
type Response = Messages['decider']['response'];

/** Whatever people gave about one question of one case: what counts is marked, and what two of them decided is done. */
export async function decide({ caseId, question }: Request, deps: DeciderDeps): Promise<Response> {
  // Read before the approvals are: one that comes in between has a marker that is not among these.
  const pending = (await deps.tables.query(PENDING_APPROVAL.in())).filter(
    (one) => one.caseId === caseId && one.question === question,
  );
  const sets = await deps.tables.query(APPROVERS.in());
  const set = standingSet(sets, deps.config.approvers ?? [], deps.clock.now());
  // They were changed a moment ago: the markers stand, and the ticker asks again once the change is on record.
  if (set === undefined) return {};
  // An approval beside this one may be decided about at the same moment: then read and judge again.
  const decided = await inTurn(`case ${caseId}`, () => decideOnce(caseId, question, { sets, set }, deps));
  // If we stop here, the case has changed and is not started: the ticker has this looked at again, and starts it.
  if (decided === 'readmit') await startReadmissions(caseId, deps);
  else if (decided !== undefined) await startDecided(caseId, question, deps);
  // If we stop in between, a marker stands: the ticker has the case looked at again, and finds it decided.
  for (const { key } of pending) await deps.tables.transact([{ kind: 'delete', table: 'approvals', key }]);
  return { ...(decided !== undefined && { decided }) };
}

/** From the stream only keys are taken; everything else is read from the tables, as the ticker's catch-up does. */
export async function decideStream({ Records }: DynamoDBStreamEvent, deps: DeciderDeps): Promise<Response> {
  const pending = Records.flatMap(({ eventName, dynamodb }) => {
    const [pk, sk] = [dynamodb?.Keys?.pk?.S, dynamodb?.Keys?.sk?.S];
    const row = eventName === 'INSERT' && pk !== undefined && sk !== undefined ? pendingOf({ pk, sk }) : undefined;
    return row === undefined ? [] : [row];
  });
  for (const one of pending) await decide(one, deps);
  return {};
}

/** The next attempt of the case, and the give-back, where that is what people decided. */
async function startDecided(caseId: string, question: number, deps: DeciderDeps): Promise<void> {
  const giveBackId = giveBackIdOf(await pepperOf(deps), { caseId, question });
  const giveBack = await deps.tables.get(CASE, giveBackId);
  for (const id of giveBack === undefined ? [caseId] : [caseId, giveBackId]) await startCase(id, deps);
}

/** Who may approve, and who could since when. */
interface OnRecord {
  readonly sets: readonly ApproverSet[];
  readonly set: ApproverSet;
}

async function decideOnce(
  caseId: string,
  question: number,
  { sets, set }: OnRecord,
  deps: DeciderDeps,
): Promise<Decision | undefined> {
  const meta = await deps.tables.get(CASE, caseId);
  if (meta === undefined) return undefined;
  if (meta.kind === 'taint') {
    await mark(await deps.tables.query(APPROVAL.in(caseId, question)), () => ENDS_A_KEY, deps);
    return undefined;
  }
  const given = await deps.tables.query(APPROVAL.in(caseId, question));
  const asked = meta.questions.find(({ n }) => n === question);
  const wasDecided = asked?.endedBy === 'go-on' || asked?.endedBy === 'give-back' ? asked.endedBy : undefined;
  // Decided by a run before this one, which may have died before it started what follows.
  if (wasDecided !== undefined) return wasDecided;
  if (meta.givenBackAt !== undefined) return question === 0 ? 'give-back' : undefined;
  if ((openQuestion(meta)?.n ?? 0) !== question) {
    await mark(given, () => `question ${question} is not open`, deps);
    return undefined;
  }

  const worker = await loadWorker(deps, meta.workerId);
  const shut = await deps.tables.query(SHUT.in(meta.workerId));
  const approvers = deps.config.approvers ?? [];
  const barred = await barredFrom(meta.workerId, approvers, deps);
  const now = deps.clock.now();
  const matter = { approvers, sets, barred, now };
  // Items may be accepted of cases that nobody can decide about otherwise: a second rotation, or one that proves them again.
  const acceptances = given.filter(({ decision }) => decision === 'accept');
  const accepted = await decideAcceptance(acceptances, { meta, question, worker, shut, set }, matter, deps);
  if (accepted === 'now') return 'accept';
  const otherwise = accepted === 'before' ? 'accept' : undefined;
  const [readmissions, others] = [
    given.filter(({ decision }) => decision === 'readmit'),
    given.filter(({ decision }) => decision !== 'readmit' && decision !== 'accept'),
  ];
  const refusal = undecidable(meta);
  if (refusal !== undefined) {
    await mark([...readmissions, ...others], () => refusal, deps);
    return otherwise;
  }
  if (await decideReadmissions(readmissions, { meta, question, worker, shut, set }, matter, deps)) return 'readmit';
  const readmitting = await readmissionUnderWay(caseId, shut, deps);
  if (readmitting !== undefined) {
    await mark(others, () => readmitting, deps);
    return otherwise;
  }
  const judgedBy = (decision: OfCase) =>
    judgeApprovals(others, {
      ...matter,
      decision,
      about: aboutOf(decision, { question: asked, worker, shut, caseId }),
    });
  const judged = OF_CASE.map((decision) => ({ decision, ...judgedBy(decision) }));
  const refused = new Map(judged.flatMap(({ refused: all }) => all.map(({ approver, why }) => [approver, why])));
  await mark(others, (approver) => refused.get(approver), deps);
  const decided = judged.find(({ decision, isDecided }) => isDecided && (decision !== 'go-on' || asked !== undefined));
  if (decided === undefined) return otherwise;
  await deps.tables.transact(
    await EFFECT[decided.decision]({ meta, question, judged: decided, worker, shut, set }, deps),
  );
  return decided.decision;
}

/** What people decide about the case as a whole. */
const OF_CASE = ['go-on', 'give-back'] as const satisfies readonly Decision[];
type OfCase = (typeof OF_CASE)[number];

const ENDS_A_KEY = 'the case ends a key: approvers do not decide about it, and nobody can give it back';

/** Decided about is the departure itself, once it is contained: until then something may still be shut. */
function undecidable(meta: DepartureCase): string | undefined {
  const { givesBack, followUpOf, provesAgain, containedAt } = meta;
  if (givesBack !== undefined) return `it is a give-back: decide about case ${givesBack}`;
  if (followUpOf !== undefined) return `it follows another case: decide about case ${followUpOf}`;
  if (provesAgain !== undefined) return `it proves accepted items again: decide about case ${provesAgain}`;
  // One that waits for an import shuts nothing until then.
  const isShutting = containedAt === undefined && !isWaiting(meta);
  return isShutting ? 'the case is not contained yet: look again in a minute' : undefined;
}

type Effect = (
  decided: Decided,
  deps: DeciderDeps,
) => Promise<readonly Write<'cases:put' | 'cases:update' | 'cases:delete'>[]>;

const EFFECT: Readonly<Record<OfCase, Effect>> = {
  /** The next attempt begins at once, and takes over whatever the one before left open. */
  'go-on': async (decided, deps) => {
    const { meta, question } = decided;
    const now = deps.clock.now();
    const ended = meta.questions.map((one) =>
      one.n === question ? { ...one, endedAt: now, endedBy: 'go-on' as const } : one,
    );
    const over = ended.find(({ n }) => n === question);
    if (over === undefined)
      throw new CurfewError('ERR_INPUT_INVALID', `case ${meta.caseId} has no question to go on from`, {
        got: question,
      });
    return transition(meta, { questions: ended, attempt: meta.attempt + 1 }, [
      ...(await approvedBy(decided, deps)),
      { record: endedRecord(meta, over, now) },
    ]);
  },

  /** A case of its own opens what was shut; this one ends what was claimed, and begins nothing any more. */
  'give-back': async (decided, deps) => {
    const { meta, question, worker, shut } = decided;
    const beside = await loadLinked(meta, deps);
    const giveBack = await giveBackOf(meta, question, deps);
    const given = await approvedBy(decided, deps);
    const opened = await openedOf(giveBack, deps);
    return [
      ...giveBackWrites(worker, { meta, beside, question }, giveBack, { given, giveBack: [opened] }),
      ...settleShut(meta.workerId, shut, meta.caseId, worker.cases),
    ];
  },
};

export const handler = entry('decider', (event: DynamoDBStreamEvent | Request, deps: DeciderDeps) =>
  'Records' in event ? decideStream(event, deps) : decide(event, deps),
);
