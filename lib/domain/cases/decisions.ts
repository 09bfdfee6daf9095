/** What people who decide leave in evidence: who may approve, and each approval. */
import { type EvidenceRecord, storedRecord } from '../evidence/record';
import type { Approval } from '../store/approval';
import { put } from '../store/entity';
import { APPROVERS_OUT } from '../store/outbox';
import { ROW_ABSENT, type Write } from '../store/table';
import { APPROVERS, type ApproverSet } from '../store/worker';
import type { CaseMeta } from './case';
import type { Outgoing } from './transitions';

interface Approved extends Approval {
  /** Pseudonym of the approver. */
  readonly approver: string;
  /** Who they are, and their reason. */
  readonly sealed: string;
}

/** Written once: refused where another run was faster. */
export function approverSetWrites(set: ApproverSet): Write<'cases:put'>[] {
  return [
    put(APPROVERS, [set.n], set, ROW_ABSENT),
    put(APPROVERS_OUT, [set.n], { record: storedRecord(approversRecord(set)) }, ROW_ABSENT),
  ];
}

/** From `at` on these people may approve, and nobody else. */
function approversRecord({ n, digest, members, at }: ApproverSet): EvidenceRecord {
  const approvers = members.map(({ pseudonym }) => pseudonym).sort();
  return { v: 1, id: `approvers/${n}`, type: 'approvers.set', at, body: { n, set: digest, approvers } };
}

/** Which question the two decided, or which acceptance of items: the records of each are named after it. */
type DecidedAbout = { readonly question: number; readonly accepted?: number };

/** What the record of the nth of the two is called, and what its sealed text is bound to. */
export function approvedName({ question, accepted }: DecidedAbout, n: number): string {
  return accepted === undefined ? `approved/${question}/${n}` : `accepted/${accepted}/approved/${n}`;
}

export function approvedOutgoing(
  { caseId }: Pick<CaseMeta, 'caseId'>,
  decided: DecidedAbout,
  approvals: readonly Approved[],
  { digest }: Pick<ApproverSet, 'digest'>,
  at: number,
): readonly Outgoing[] {
  const approved = approvals.map(
    ({ approver, decision, about, sealed, at: approvedAt }, n): EvidenceRecord => ({
      v: 1,
      id: `${caseId}/${approvedName(decided, n + 1)}`,
      type: 'case.approved',
      at,
      case: caseId,
      body: { ...decided, decision, approver, set: digest, about, approvedAt, sealed },
    }),
  );
  return approved.map((record) => ({ record }));
}
