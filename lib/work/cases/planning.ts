/**
 * What a case does beyond containment: a plan, frozen from what is known of the leaver once they can add nothing to it; and
 * another one for what an import names later, as long as the case is open.
 */
import { CurfewError } from '../../domain/base/errors';
import { type CaseMeta, type DepartureCase, departureOnly, isGivenBack, isWaiting } from '../../domain/cases/case';
import { firstNumber } from '../../domain/cases/containment';
import { type Inventory, keyExposed, planCase } from '../../domain/cases/plan';
import { frozenName, inventoryRecord, plannedRecord, sealContext } from '../../domain/cases/records';
import { opensWith } from '../../domain/cases/shut';
import type { StepRequest } from '../../domain/deployment/messages';
import type { EndedKey } from '../../domain/store/case';
import { CASE_PLAN, type FrozenPlan } from '../../domain/store/case-items';
import { EXPOSURE } from '../../domain/store/people';
import { SHUT } from '../../domain/store/worker';
import type { Deps } from '../../ports';
import { findRing, loadRing } from '../rings/load-ring';
import { plansAgain, unplanned } from './exposed';
import { freezeNext } from './freeze';
import { type Listed, listedOf } from './listing';
import { asOfNow, type Exposed, exposuresOf } from './load-people';
import { acceptedExposures } from './prove-again';
import { loadWorker } from './worker';

type PlannerDeps = Deps<'planner'>;

export async function freezePlan(meta: CaseMeta, request: StepRequest, deps: PlannerDeps): Promise<void> {
  // A suspension contains, and plans nothing.
  if (meta.kind === 'departure' && meta.act === 'suspend' && meta.givesBack === undefined) return;
  // Nothing is known of the worker yet; or nothing is done any more.
  if (isWaiting(meta) || isGivenBack(meta)) return;
  const listed = await listedOf(meta, deps);
  await freezeNext(meta, request, deps, {
    of: CASE_PLAN,
    phase: () => 'act',
    may: async (n) => mayPlan(n, meta, listed),
    draft: (n) => (n === 1 ? draftPlan(meta, listed, deps) : draftLater(n, meta, deps)),
    items: ({ inventory }) => planCase(inventory),
    target: ({ targets }, item) => ('ref' in item ? (targets?.[item.ref] ?? listed.targets[item.ref]?.[0] ?? {}) : {}),
    change: (plan, n) => planChange(plan, n, meta, deps),
  });
}

function mayPlan(n: number, meta: CaseMeta, { isFrozen }: Listed): boolean {
  if (n > 1) return plansAgain(meta) && meta.state !== 'CLOSED';
  if (isFrozen && meta.state === 'CONTAINED') return true;
  throw new CurfewError('ERR_CASE_STATE', `case ${meta.caseId} is ${meta.state}`, {
    got: meta.state,
    allowed: 'CONTAINED',
  });
}

async function planChange({ inventory, how, readAt }: FrozenPlan, n: number, meta: CaseMeta, deps: PlannerDeps) {
  const items = planCase(inventory);
  const context = sealContext(meta.caseId, frozenName('inventory', n));
  const sealed =
    meta.kind === 'departure' ? await deps.sealer.seal(meta.pseudonym, context, JSON.stringify(how)) : undefined;
  // Its taints are prepared, and their holders have their time to collect, as those of the first.
  const anew = { taintedAt: undefined, deniedAt: undefined, successors: undefined };
  const taints = items.some(({ kind }) => kind === 'taint');
  return (current: CaseMeta, now: number) => ({
    set: n === 1 ? ({ state: 'ACTING', plannedAt: now } as const) : ({ state: 'ACTING', ...(taints && anew) } as const),
    outgoing: [
      { record: inventoryRecord(current, inventory, sealed, readAt) },
      { record: plannedRecord(current, items, now, inventory.n) },
    ],
  });
}

async function draftPlan(meta: CaseMeta, listed: Listed, deps: PlannerDeps): Promise<FrozenPlan> {
  if (meta.kind === 'taint') return draftEnding(meta.key, deps);
  if (meta.givesBack !== undefined) return draftRelease(meta, meta.givesBack, deps);
  const principals = await Promise.all(
    listed.principals.map((ref) => asOfNow(ref, listed.targets[ref.ref]?.[0], deps)),
  );
  const exposed = await draftExposed(await firstExposed(meta, deps), 1, meta, deps);
  const firstItem = listed.firstItems + 1;
  return {
    ...exposed,
    inventory: { ...exposed.inventory, firstItem, principals: oncePerUser(principals, listed.targets) },
  };
}

/** One that is born late ends what was imported late, and what was ended before stays as it is. */
async function firstExposed(meta: DepartureCase, deps: PlannerDeps): Promise<Exposed> {
  if (meta.provesAgain !== undefined) return acceptedExposures(meta, deps);
  if (meta.isLate === true) return exposuresOf(await unplanned(meta, deps), 1);
  return exposuresOf(await deps.tables.query(EXPOSURE.in(meta.workerId)), 1);
}

/** What was imported since: undefined where every exposure is in a plan. Logins are listed, not planned, from the second on. */
async function draftLater(n: number, meta: CaseMeta, deps: PlannerDeps): Promise<FrozenPlan | undefined> {
  const rows = await unplanned(departureOnly(meta), deps);
  return rows.length === 0 ? undefined : draftExposed(exposuresOf(rows, n), n, departureOnly(meta), deps);
}

async function draftExposed(
  { exposures, omitted, how }: Exposed,
  n: number,
  { followUpOf }: DepartureCase,
  deps: PlannerDeps,
): Promise<FrozenPlan> {
  // Reading what is public asks for nothing, of whatever ring it is; a ring that is not there has no keys.
  const rings = await Promise.all(
    [...new Set(exposures.map(({ ring }) => ring))].sort().map((ring) => findRing(deps, ring)),
  );
  const keys = rings.flatMap((ring) => ring?.keys.map(({ kid, state }) => ({ ring: ring.id, kid, state })) ?? []);
  const exposed = new Set(exposures.map((exposure) => keyExposed(exposure, keys)));
  return {
    state: 'FREEZING',
    inventory: {
      ...(n > 1 && { n }),
      firstItem: firstNumber('plan', n),
      followUp: followUpOf !== undefined,
      principals: [],
      exposures,
      ...(omitted > 0 && { omitted }),
      keys: keys.filter((key) => exposed.has(key)),
    },
    how,
    readAt: deps.clock.now(),
  };
}

/** Of a case that contains nobody. */
const NOBODY: Inventory = { firstItem: 1, followUp: false, principals: [], exposures: [], keys: [] };

/** The one key, as it stands at this moment: it may have been replaced since a responder named it. */
async function draftEnding({ ring, kid, class: taintClass }: EndedKey, deps: PlannerDeps): Promise<FrozenPlan> {
  const { keys } = await loadRing(deps, ring);
  return {
    state: 'FREEZING',
    inventory: {
      ...NOBODY,
      keys: keys.filter((key) => key.kid === kid).map(({ state }) => ({ ring, kid, state })),
      ends: { ring, kid, class: taintClass },
    },
    how: {},
    readAt: deps.clock.now(),
  };
}

/** What the case that is given back shut, and no other case wants shut. */
async function draftRelease(meta: DepartureCase, givenBack: string, deps: PlannerDeps): Promise<FrozenPlan> {
  const { cases } = await loadWorker(deps, meta.workerId);
  const all = opensWith(await deps.tables.query(SHUT.in(meta.workerId)), givenBack, cases);
  const shut = meta.readmits === undefined ? all : all.filter(({ key }) => key.sk === meta.readmits?.thing);
  const named = shut.map((one, n) => ({ ref: `t${n}`, ...one }));
  return {
    state: 'FREEZING',
    inventory: {
      ...NOBODY,
      things: named.map(({ ref, kind, ring, byHand }) => ({
        ref,
        thing: kind,
        ...(ring !== undefined && { ring }),
        ...(byHand === true && { byHand }),
      })),
    },
    how: {},
    targets: Object.fromEntries(named.map(({ ref, target }) => [ref, target])),
    readAt: deps.clock.now(),
  };
}

/** A user who was listed again for a new key is one user: the first listing names them. */
function oncePerUser(principals: Listed['principals'], targets: Listed['targets']): Listed['principals'] {
  const arnOf = ({ ref }: Listed['principals'][number]) => targets[ref]?.[0]?.arn;
  const users = principals.filter(({ type }) => type === 'iam-user');
  return users.filter((user, n) => users.findIndex((other) => arnOf(other) === arnOf(user)) === n);
}
