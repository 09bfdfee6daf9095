/**
 * What the leaver had custody of, as the table `people` says, and no plan covers: neither of the case nor of one that goes with
 * it. The planner asks for it, and the closer asks again.
 */
import { type CaseMeta, type DepartureCase, isUndecided } from '../../domain/cases/case';
import { isTakenOnSince } from '../../domain/cases/departure';
import { assetOf } from '../../domain/cases/people';
import { asksForEnd, isCovered } from '../../domain/cases/plan';
import { CASE_PLAN, type FrozenPlan } from '../../domain/store/case-items';
import { EXPOSURE, type Exposure } from '../../domain/store/people';
import type { Clock, Tables } from '../../ports';
import { loadNamed, parentOf } from './case-store';
import { loadWorker } from './worker';

interface Reader {
  readonly clock: Clock;
  readonly tables: Pick<Tables<'cases:get' | 'cases:query' | 'people:query'>, 'get' | 'query'>;
}

/** Of the end of a key, of a give-back, and of what proves accepted items again, all is known when it begins. */
export function plansAgain(meta: CaseMeta): boolean {
  return meta.kind === 'departure' && meta.givesBack === undefined && meta.provesAgain === undefined;
}

/** In the order of their keys. None of somebody who was taken on again: what they have now is not the leaver's. */
export async function unplanned(meta: DepartureCase, deps: Reader): Promise<readonly Exposure[]> {
  const departed = (await parentOf(meta, deps)) ?? meta;
  const { said } = await loadWorker(deps, meta.workerId);
  if (isTakenOnSince(departed, said, deps.clock.now())) return [];
  const rows = await deps.tables.query(EXPOSURE.in(meta.workerId));
  // Who was transferred works on: what they had custody of since is that of their new place.
  const theirs = rows.filter(
    (row) =>
      asksForEnd(row) && (departed.act !== 'custody' || row.since <= departed.effectiveAt) && mayEnd(row, departed),
  );
  if (theirs.length === 0) return [];
  const family = [departed, ...(await loadLinked(departed, deps))];
  const plans = (await Promise.all(family.map(({ caseId }) => plansOf(caseId, deps)))).flat();
  const inventories = plans.map(({ inventory }) => inventory);
  return theirs.filter((row) => !isCovered({ ...assetOf(row.asset), class: row.class }, inventories));
}

/** One that is still FREEZING covers nothing yet: nobody knows whether it will be. */
async function plansOf(caseId: string, { tables }: Reader): Promise<readonly FrozenPlan[]> {
  return (await tables.query(CASE_PLAN.in(caseId))).filter(({ state }) => state === 'FROZEN');
}

/** Nobody decided about it, and it closed: what cannot be undone is not done, but of a key that may have been copied. */
function mayEnd(row: Exposure, departed: DepartureCase): boolean {
  return !isUndecided(departed) || row.class === 'copied-possible';
}

/** What goes with a case: its second rotation, what proves its accepted items again, what came too late for it; and theirs. */
export async function loadLinked(
  { followUp, accepted = [], lateCases = [] }: DepartureCase,
  deps: Pick<Reader, 'tables'>,
): Promise<readonly DepartureCase[]> {
  const ids = [...(followUp === undefined ? [] : [followUp]), ...accepted.map(({ linked }) => linked), ...lateCases];
  const found = await Promise.all(ids.map((caseId) => loadNamed(deps, caseId)));
  return [...found, ...(await Promise.all(found.map((one) => loadLinked(one, deps)))).flat()];
}
