/** Who may not decide about a worker: the person themselves, who leaves too, and who has a part in it. */
import type { Approver } from '../../domain/cases/approvals';
import { IMPORT } from '../../domain/store/people';
import type { Deps } from '../../ports';
import { loadWorker } from './worker';

const WITHIN_SECONDS = 30 * 86_400;

/** By worker id of the approver, why they may not. */
export async function barredFrom(
  workerId: string,
  approvers: readonly Approver[],
  deps: Deps<'decider'>,
): Promise<ReadonlyMap<string, string>> {
  const now = deps.clock.now();
  const [{ said }, imports] = await Promise.all([loadWorker(deps, workerId), deps.tables.query(IMPORT.in(workerId))]);
  const initiators = new Set(said.flatMap(({ initiator }) => initiator ?? []));
  const importers = new Set(imports.filter(({ at }) => at >= now - WITHIN_SECONDS).map(({ by }) => by));
  const found = await Promise.all(
    approvers.map(async ({ workerId: approver, identity }): Promise<[string, string] | undefined> => {
      if (approver === workerId) return [approver, 'the case is about them'];
      if (initiators.has(approver)) return [approver, 'HR names them as who began this departure'];
      if (importers.has(identity))
        return [approver, 'they changed what Curfew knows of this worker within the last 30 days'];
      return (await isLeaving(approver, now, deps)) ? [approver, 'they are leaving themselves'] : undefined;
    }),
  );
  return new Map(found.filter((one) => one !== undefined));
}

async function isLeaving(approver: string, now: number, deps: Deps<'decider'>): Promise<boolean> {
  const { schedule, cases } = await loadWorker(deps, approver);
  const isDue = schedule?.dueAt !== undefined && schedule.dueAt <= now + WITHIN_SECONDS;
  const hasBegun = cases.some(
    ({ givenBackAt, closedAt = now }) => givenBackAt === undefined && closedAt >= now - WITHIN_SECONDS,
  );
  return isDue || hasBegun;
}
