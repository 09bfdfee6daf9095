/** What two approvals leave in evidence: each of them, and the set of people who may approve. */
import type { EvidenceRecord } from '../evidence/record';
import type { Approval } from '../store/approval';
import type { CaseMeta } from './case';
import type { Outgoing } from './transitions';

interface Approved extends Approval {
  /** Pseudonym of the approver. */
  readonly approver: string;
  /** Who they are, and their reason. */
  readonly sealed: string;
}

interface ApproverSet {
  readonly digest: string;
  /** Their pseudonyms, sorted. */
  readonly approvers: readonly string[];
  /** It is on record already. */
  readonly isKnown: boolean;
}

export function approvedOutgoing(
  { caseId }: Pick<CaseMeta, 'caseId'>,
  question: number,
  approvals: readonly Approved[],
  { digest, approvers, isKnown }: ApproverSet,
  at: number,
): readonly Outgoing[] {
  const set: EvidenceRecord = {
    v: 1,
    id: `approvers/${digest}`,
    type: 'approvers.set',
    at,
    body: { set: digest, approvers: [...approvers] },
  };
  const approved = approvals.map(
    ({ approver, decision, about, sealed, at: approvedAt }, n): EvidenceRecord => ({
      v: 1,
      id: `${caseId}/approved/${question}/${n + 1}`,
      type: 'case.approved',
      at,
      case: caseId,
      body: { question, decision, approver, set: digest, about, approvedAt, sealed },
    }),
  );
  return [...(isKnown ? [] : [set]), ...approved].map((record) => ({ record }));
}
