/** What two approvals of one decision leave: a mark for each approver, records for evidence, and the case that opens something. */
import type { Judged } from '../../domain/cases/approvals';
import { type DepartureCase, giveBackIdOf } from '../../domain/cases/case';
import { approvedName, approvedOutgoing } from '../../domain/cases/decisions';
import { bornOf } from '../../domain/cases/linked';
import { sealContext } from '../../domain/cases/records';
import type { Worker } from '../../domain/cases/schedule';
import type { ShutThing } from '../../domain/cases/shut';
import type { Outgoing } from '../../domain/cases/transitions';
import { ROW_PRESENT, type RowKey } from '../../domain/store/table';
import type { ApproverSet } from '../../domain/store/worker';
import type { Deps } from '../../ports';
import { pepperOf } from '../tokens/pepper';

type DeciderDeps = Deps<'decider'>;

/** As it was read once, for the judgement and for what follows from it: nothing is overruled that nobody looked at. */
export interface Decided {
  readonly meta: DepartureCase;
  readonly question: number;
  readonly judged: Judged;
  readonly worker: Worker;
  readonly shut: readonly ShutThing[];
  readonly set: ApproverSet;
}

/** Each approver reads what became of their word. It is for people alone: if we stop in between, the next look marks the rest. */
export async function mark(
  given: readonly { readonly approver: string; readonly key: RowKey }[],
  whyNot: (approver: string) => string | undefined,
  { tables }: DeciderDeps,
): Promise<void> {
  for (const { approver, key } of given) {
    const why = whyNot(approver);
    const set = { counts: why === undefined, ...(why !== undefined && { why }) };
    await tables.transact([{ kind: 'update', table: 'approvals', key, set, if: ROW_PRESENT }]);
  }
}

export async function giveBackOf(meta: DepartureCase, question: number, deps: DeciderDeps): Promise<DepartureCase> {
  const [now, { caseId: of }] = [deps.clock.now(), meta];
  const caseId = giveBackIdOf(await pepperOf(deps), { caseId: of, question });
  return bornOf(meta, { caseId, state: 'DUE', dueAt: now, givesBack: of, givesBackAt: question, openedAt: now });
}

/** The records of two approvals; `accepted`: of the nth acceptance of the case. */
export async function approvedBy(
  { meta, question, judged, set }: Decided,
  deps: DeciderDeps,
  accepted?: number,
): Promise<readonly Outgoing[]> {
  const { counted } = judged;
  const about = { question, ...(accepted !== undefined && { accepted }) };
  const names = new Map(set.members.map(({ workerId, pseudonym }) => [workerId, pseudonym]));
  const nameOf = (workerId: string) => names.get(workerId) ?? '';
  const sealed = await Promise.all(
    counted.map(({ approver, reason }, n) =>
      deps.sealer.seal(
        nameOf(approver),
        sealContext(meta.caseId, approvedName(about, n + 1)),
        JSON.stringify({ workerId: approver, reason }),
      ),
    ),
  );
  const approvals = counted.map((approval, n) => ({
    ...approval,
    approver: nameOf(approval.approver),
    sealed: sealed[n] ?? '',
  }));
  return approvedOutgoing(meta, about, approvals, set, deps.clock.now());
}
