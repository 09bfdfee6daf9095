/** `curfew case approve | give-back`: one approver's decision, signed as the caller, about what is shown to them here. */
import { CurfewError } from '../../lib/domain/base/errors';
import { instant } from '../../lib/domain/base/time';
import type { Decision } from '../../lib/domain/cases/approvals';
import { departureOnly, inWords, openQuestion, shownState } from '../../lib/domain/cases/case';
import type { Worker } from '../../lib/domain/cases/schedule';
import { aboutOf, opensWith, type ShutThing } from '../../lib/domain/cases/shut';
import { APPROVAL } from '../../lib/domain/store/approval';
import { SHUT } from '../../lib/domain/store/worker';
import { loadWorker } from '../../lib/work/cases/worker';
import { findCaseId } from './case-id';
import { loadCase } from './case-show';
import type { Answer, CommandPorts } from './command';

const BY_HAND =
  'the key policy does not name the role of key-enabler. Whoever administers the key enables it, and the case stays open until then';

/** Beside what they open, what stays shut. */
const STAYS = 'not opened: a deleted console login, and keys of rings that were tainted';

export async function decideCase(
  ports: CommandPorts<'case give-back'>,
  named: string,
  decision: 'go-on' | 'give-back',
  reason: string,
): Promise<Answer> {
  const caseId = await findCaseId(named, ports);
  const meta = departureOnly(await loadCase(ports, caseId));
  // A give-back is about all that HR said, and about what is opened; a go-on about the question alone.
  const { worker, shut } = decision === 'go-on' ? NOTHING : await lookAt(meta.workerId, ports);
  const question = openQuestion(meta);
  if (decision === 'go-on' && question === undefined)
    throw new CurfewError('ERR_CASE_STATE', `nothing stops case ${caseId}: it has no open question`, {
      got: shownState(meta),
      fix: `see \`curfew case show ${caseId}\``,
    });
  const about = aboutOf(decision, { question, worker, shut, caseId });
  const request = { caseId, question: question?.n ?? 0, decision, about, reason };
  const { mine, given } = await askApprovers(ports, request);
  const approvals = approvalsOf(given, decision);
  const after = departureOnly(await loadCase(ports, caseId));
  const isDecided =
    decision === 'give-back'
      ? after.givenBackAt !== undefined
      : after.questions.some(({ n, endedBy }) => n === request.question && endedBy === 'go-on');
  const lines = [
    `case ${caseId}  ${meta.act}  effective ${instant(meta.effectiveAt)}`,
    question === undefined ? 'the case has no open question' : `question ${question.n}: ${inWords(question.reasons)}`,
    ...(decision === 'give-back' ? opensText(opensOf(meta, worker, shut)) : []),
    '',
    verdictText({ isDecided, mine, approvals, decision, caseId }),
  ];
  return {
    json: { ...request, approvals, isDecided, counts: mine?.counts, ...(mine?.why !== undefined && { why: mine.why }) },
    text: lines.join('\n'),
    exitCode: isDecided || mine?.counts === true ? 0 : 1,
  };
}

/** What an approver looks at first: nothing is signed without a reason. */
export async function giveBack(
  ports: CommandPorts<'case give-back'>,
  given: string,
  reason: string | undefined,
): Promise<Answer> {
  if (reason !== undefined) return decideCase(ports, given, 'give-back', reason);
  const caseId = await findCaseId(given, ports);
  const meta = departureOnly(await loadCase(ports, caseId));
  const { worker, shut } = await lookAt(meta.workerId, ports);
  const opens = opensOf(meta, worker, shut);
  const lines = [
    `case ${caseId}  ${meta.act}  effective ${instant(meta.effectiveAt)}`,
    ...opensText(opens),
    '',
    `nothing is approved yet. To approve: curfew case give-back ${caseId} --reason TEXT`,
  ];
  return { json: { caseId, ...opens }, text: lines.join('\n') };
}

interface Opens {
  readonly opens: readonly string[];
  /** What people have to open themselves. */
  readonly byHand: readonly string[];
}

function opensOf({ caseId }: { readonly caseId: string }, worker: Looked['worker'], shut: Looked['shut']): Opens {
  const things = opensWith(shut, caseId, worker.cases);
  const named = (isByHand: boolean) =>
    things
      .filter(({ byHand }) => (byHand === true) === isByHand)
      .map(({ kind, ring }) => (ring === undefined ? kind : `${kind} of ring ${ring}`));
  return { opens: named(false), byHand: named(true) };
}

function opensText({ opens, byHand }: Opens): readonly string[] {
  return [
    `opens: ${opens.join(', ') || 'nothing'}`,
    ...(byHand.length === 0 ? [] : [`give back by hand: ${byHand.join(', ')}: ${BY_HAND}`]),
    STAYS,
  ];
}

interface Asked {
  readonly caseId: string;
  readonly question: number;
  readonly decision: Decision;
  readonly about: string;
  readonly reason: string;
  /** Of `accept`. */
  readonly items?: readonly string[];
  readonly until?: number;
}

/** Gives the approval as the caller, and waits until it was looked at. `mine`: what became of it. */
export async function askApprovers(
  ports: Pick<CommandPorts<'case give-back'>, 'tables' | 'clock' | 'signed'>,
  asked: Asked,
) {
  const { approver } = await ports.signed.post('/approvals', asked);
  const given = await verdictOf(ports, asked.caseId, asked.question, String(approver));
  return { given, mine: lastOf(given, String(approver)) };
}

/** How many people decided so, as far as their word counts. */
export function approvalsOf(given: readonly Given[], decision: Decision): number {
  const counting = given.filter((one) => one.decision === decision && one.counts === true);
  return new Set(counting.map((one) => one.approver)).size;
}

interface Looked {
  readonly worker: Pick<Worker, 'said' | 'cases'>;
  readonly shut: readonly ShutThing[];
}
const NOTHING: Looked = { worker: { said: [], cases: [] }, shut: [] };

async function lookAt(workerId: string, ports: CommandPorts<'case give-back'>): Promise<Looked> {
  const [worker, shut] = await Promise.all([loadWorker(ports, workerId), ports.tables.query(SHUT.in(workerId))]);
  return { worker, shut };
}

type Given = Awaited<ReturnType<typeof verdictOf>>[number];

export function verdictText(of: {
  readonly isDecided: boolean;
  readonly mine: Given | undefined;
  readonly approvals: number;
  readonly decision: Decision;
  readonly caseId: string;
}): string {
  const { isDecided, mine, approvals, decision, caseId } = of;
  if (isDecided) return `decided: ${decision}. Follow it with: curfew case show ${caseId} --follow`;
  if (mine?.counts === false) return `your approval is kept and does not count: ${mine.why ?? 'no reason given'}`;
  if (mine?.counts === undefined)
    return `your approval is kept and not judged yet; within two minutes \`curfew case show ${caseId}\` shows whether the case goes on`;
  return `${approvals} of 2 approvals for ${decision}; a second approver runs the same command within 7 days`;
}

function lastOf<T extends { readonly approver: string }>(given: readonly T[], approver: string): T | undefined {
  return given.filter((one) => one.approver === approver).at(-1);
}

const LOOK_EVERY_SECONDS = 1;
const LOOKS_MAX = 20;

/** The stream brings the decider within a second or two; what it makes of the approval stands beside it. */
async function verdictOf(
  ports: Pick<CommandPorts<'case give-back'>, 'tables' | 'clock'>,
  caseId: string,
  question: number,
  approver: string,
) {
  for (let look = 1; ; look++) {
    const given = await ports.tables.query(APPROVAL.in(caseId, question));
    const isLookedAt = lastOf(given, approver)?.counts !== undefined;
    if (isLookedAt || look === LOOKS_MAX) return given;
    await ports.clock.sleep(LOOK_EVERY_SECONDS);
  }
}
