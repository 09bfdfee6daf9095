/** What a case is about that proves accepted items again: the same things, read anew, under the names that they had. */
import type { DepartureCase } from '../../domain/cases/case';
import { CASE_LIST, CASE_PLAN, type FrozenList, type StoredItem, type Target } from '../../domain/store/case-items';
import type { Principal } from '../../domain/store/people';
import type { Deps } from '../../ports';
import { loadItems, loadNamed } from './case-store';
import { type Exposed, type Known, knownPrincipal, unknown } from './load-people';

type PlannerDeps = Deps<'planner'>;

/** What stands for the principals that a listing has no room for. */
export const BEYOND = 'more';

/** The case that accepted them, and those of its items. */
async function acceptedBy(meta: DepartureCase, deps: PlannerDeps) {
  const parent = await loadNamed(deps, meta.provesAgain ?? '');
  const numbers = parent.accepted?.[(meta.provesAgainAt ?? 0) - 1]?.items ?? [];
  const items = (await loadItems(deps, parent.caseId)).filter(({ item }) => numbers.includes(item.nn));
  return { parent, items };
}

interface AcceptedPrincipals {
  readonly known: readonly Known[];
  /** What the case before had listed, where some of what there was it had not. */
  readonly beyond?: readonly FrozenList[];
}

/**
 * Their principals as they stand, whether an import still names them or not: what nobody could act on is not gone because
 * nobody speaks of it any more.
 */
export async function acceptedPrincipals(meta: DepartureCase, deps: PlannerDeps): Promise<AcceptedPrincipals> {
  const { parent, items } = await acceptedBy(meta, deps);
  const named = new Map(items.filter(isOfPrincipal).map((stored) => [refOf(stored), stored.target]));
  const known = await Promise.all(
    [...named].map(async ([ref, target]) => {
      const principal = principalOf(target);
      if (principal !== undefined) return [await knownPrincipal(principal, ref, deps)];
      return ref === BEYOND ? [] : [unknown(ref, 'ring', target)];
    }),
  );
  if (!named.has(BEYOND)) return { known: known.flat() };
  return { known: known.flat(), beyond: await deps.tables.query(CASE_LIST.in(parent.caseId)) };
}

/** Their exposures as the plans before had them, and how they are known; the rings are read anew. */
export async function acceptedExposures(meta: DepartureCase, deps: PlannerDeps): Promise<Exposed> {
  const { parent, items } = await acceptedBy(meta, deps);
  const plans = await deps.tables.query(CASE_PLAN.in(parent.caseId));
  const refs = items.filter((stored) => !isOfPrincipal(stored)).map(refOf);
  const exposures = plans.flatMap(({ inventory }) => inventory.exposures).filter(({ ref }) => refs.includes(ref));
  const how = plans.flatMap((plan) => Object.entries(plan.how)).filter(([ref]) => refs.includes(ref));
  return { exposures, omitted: 0, how: Object.fromEntries(how) };
}

/** An item of the plan that cannot be planned is an exposure; a console login is a user's. */
function isOfPrincipal({ phase, item }: StoredItem): boolean {
  return phase === 'contain' || item.kind === 'login-profile';
}

function refOf({ item }: StoredItem): string {
  return 'ref' in item ? item.ref : '';
}

function principalOf({ arn, kmsKeyArn, ring, value }: Target): Principal | undefined {
  if (arn !== undefined) return { type: 'iam-user', arn };
  if (kmsKeyArn !== undefined) return { type: 'kms-key', arn: kmsKeyArn };
  return ring === undefined || value === undefined ? undefined : { type: 'subject', ring, sub: value };
}
