/** Of `curfew case show`: who voted about a case, for what, and what became of it. */
import { instant } from '../../lib/domain/base/time';
import type { CaseMeta } from '../../lib/domain/cases/case';
import { readmitAbout } from '../../lib/domain/cases/readmit';
import { APPROVAL, type Approval, type Decision } from '../../lib/domain/store/approval';
import { table } from '../edge/terminal';
import type { CommandPorts } from './command';

interface Vote {
  readonly approver: string;
  readonly question: number;
  readonly decision: Decision;
  readonly at: number;
  readonly counts?: boolean;
  readonly why?: string;
}

/** Of each question, and of none (0), in the order in which they were given. */
export async function votesOf(
  meta: CaseMeta,
  { tables }: Pick<CommandPorts<'case show'>, 'tables'>,
): Promise<readonly Vote[]> {
  if (meta.kind === 'taint') return [];
  // A give-back rests on the approvals of the case that it gives back.
  const of = meta.givesBack ?? meta.caseId;
  const asked = meta.givesBack === undefined ? [0, ...meta.questions.map(({ n }) => n)] : [meta.givesBackAt ?? 0];
  const about = meta.readmits && readmitAbout(meta.readmits);
  const isOfIt = (one: Approval) =>
    about === undefined ? meta.givesBack === undefined || one.decision !== 'readmit' : one.about === about;
  const given = await Promise.all(
    asked.map(async (question) => (await tables.query(APPROVAL.in(of, question))).map((one) => ({ ...one, question }))),
  );
  return given
    .flat()
    .filter(isOfIt)
    .sort((a, b) => a.at - b.at)
    .map(({ approver, question, decision, at, counts, why }) => ({
      // Whose case it is no output says, and an approver may be the leaver.
      approver: approver === meta.workerId ? 'the leaver' : approver,
      question,
      decision,
      at,
      ...(counts !== undefined && { counts }),
      ...(why !== undefined && { why }),
    }));
}

export function votesText(votes: readonly Vote[]): readonly string[] {
  if (votes.length === 0) return [];
  const rows = votes.map(({ approver, question, decision, at, counts, why }) => [
    approver,
    question === 0 ? '' : String(question),
    decision,
    instant(at),
    counts === undefined ? 'not looked at yet' : counts ? 'counts' : `does not count: ${why ?? 'no reason given'}`,
  ]);
  return ['', table(['approver', 'question', 'decision', 'given at', 'what became of it'], rows)];
}
