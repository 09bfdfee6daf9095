/**
 * What People says that the leaver had custody of, and no plan covers: of the case, of its second rotation, or of the cases
 * about what was imported too late for it. Whoever plans asks, and whoever closes asks again.
 */
import type { DepartureCase } from '../../domain/cases/case';
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

/** In the order of their keys. None of somebody who was taken on again: what they have now is not the leaver's. */
export async function unplanned(meta: DepartureCase, deps: Reader): Promise<readonly Exposure[]> {
  const departed = (await parentOf(meta, deps)) ?? meta;
  const { said } = await loadWorker(deps, meta.workerId);
  if (isTakenOnSince(departed, said, deps.clock.now())) return [];
  const rows = await deps.tables.query(EXPOSURE.in(meta.workerId));
  // Who was transferred works on: what they had custody of since is that of their new place.
  const theirs = rows.filter(
    (row) => asksForEnd(row) && (departed.act !== 'custody' || row.since <= departed.effectiveAt),
  );
  if (theirs.length === 0) return [];
  const family = [departed.caseId, ...linkedTo(departed)];
  const plans = (await Promise.all(family.map((caseId) => plansOf(caseId, deps)))).flat();
  const inventories = plans.map(({ inventory }) => inventory);
  return theirs.filter((row) => !isCovered({ ...assetOf(row.asset), class: row.class }, inventories));
}

/** One that is still FREEZING covers nothing yet: nobody knows whether it will be. */
async function plansOf(caseId: string, { tables }: Reader): Promise<readonly FrozenPlan[]> {
  return (await tables.query(CASE_PLAN.in(caseId))).filter(({ state }) => state === 'FROZEN');
}

/** Ids of the cases that end what this one could not, the first first. */
function linkedTo({ followUp, lateCases = [] }: DepartureCase): readonly string[] {
  return followUp === undefined ? lateCases : [followUp, ...lateCases];
}

/** The cases themselves. */
export async function loadLinked(
  meta: DepartureCase,
  deps: Reader | Omit<Reader, 'clock'>,
): Promise<readonly DepartureCase[]> {
  return Promise.all(linkedTo(meta).map((caseId) => loadNamed(deps, caseId)));
}
