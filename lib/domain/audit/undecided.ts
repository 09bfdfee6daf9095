/** A case that was closed because nobody could decide about it (docs/evidence-format.md, "Decisions"): was that so, and for long enough? */
import { CurfewError } from '../base/errors';
import { approversDigest } from '../cases/approvals';
import { mayStayOpen, nobodyCould, UNDECIDED_SECONDS } from '../cases/undecided';
import type { EvidenceRecord } from '../evidence/record';
import { inputsOf, ownRecord } from './case-records';

const NOT_DECIDED = 'not-decided';

/** Items that such a case leaves open: what was never begun. */
export function leftUndecided(own: readonly EvidenceRecord[]): readonly string[] {
  const { notDecided, open } = ownRecord(own, 'closed')?.body ?? {};
  return notDecided !== undefined && Array.isArray(open) ? open.map(String) : [];
}

/** `sets`: of the whole log, in their order. */
export function checkUndecided(
  own: readonly EvidenceRecord[],
  sets: readonly { readonly at: number; readonly digest: unknown; readonly approvers: readonly string[] }[],
): void {
  const closed = ownRecord(own, 'closed');
  const ended = own.filter(({ type, body }) => type === 'case.went-on' && body.by === NOT_DECIDED);
  if (closed?.body.notDecided === undefined && ended.length === 0) return;
  const [over] = ended;
  const id = over?.id ?? closed?.id ?? '';
  const asked = own.find(({ type, body }) => type === 'case.asked' && body.n === over?.body.question);
  const contained = ownRecord(own, 'contained');
  const at = over?.at ?? 0;
  const isLong = (record: EvidenceRecord | undefined) => record !== undefined && record.at <= at - UNDECIDED_SECONDS;
  const none = sets.map((set) => ({ at: set.at, members: set.digest === approversDigest([]) ? [] : ['somebody'] }));
  const faults = [
    [
      ended.length !== 1 || closed?.body.notDecided !== over?.body.question,
      'the closing and the question do not agree',
    ],
    [closed?.at !== at, 'it did not close in the moment in which nobody had decided'],
    [!isLong(asked) || !isLong(contained), 'it was not held for 30 days'],
    [!nobodyCould(none, at), 'somebody could have decided: no record says that there were no approvers for 30 days'],
  ] as const;
  const fault = faults.find(([isSo]) => isSo);
  if (fault) throw broken(`${id}: ${fault[1]}`, id);
  const { containment = [], plan = [] } = inputsOf(own);
  for (const nn of leftUndecided(own)) {
    const item = [...containment, ...plan].find((one) => one.nn === nn);
    const wasBegun = ['contained', 'done', 'proved'].some((phase) => ownRecord(own, `item/${nn}/${phase}`));
    if (
      item === undefined ||
      wasBegun ||
      !mayStayOpen(
        item,
        plan.some((one) => one.nn === nn),
      )
    )
      throw broken(`${closed?.id}: item ${nn} may not stay open`, nn);
  }
}

function broken(message: string, got: string): CurfewError {
  return new CurfewError('ERR_EVIDENCE_RECORD', message, { got });
}
