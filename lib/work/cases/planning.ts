/** What a case does beyond containment: a plan, frozen from what is known of the leaver once they can add nothing to it. */
import { CurfewError } from '../../domain/base/errors';
import { type CaseMeta, type DepartureCase, isGivenBack, isWaiting } from '../../domain/cases/case';
import { type Inventory, keyExposed, planCase } from '../../domain/cases/plan';
import { inventoryRecord, plannedRecord, sealContext } from '../../domain/cases/records';
import { opensWith } from '../../domain/cases/shut';
import type { StepRequest } from '../../domain/deployment/messages';
import type { EndedKey } from '../../domain/store/case';
import { CASE_PLAN, type FrozenPlan } from '../../domain/store/case-items';
import { SHUT } from '../../domain/store/worker';
import type { Deps } from '../../ports';
import { findRing, loadRing } from '../rings/load-ring';
import { beginFreezing, freeze, itemPut, putItems } from './freeze';
import { type Listed, listedOf } from './listing';
import { asOfNow, exposuresOf } from './load-people';
import { acceptedExposures } from './prove-again';
import { loadWorker } from './worker';

type PlannerDeps = Deps<'planner'>;

export async function freezePlan(meta: CaseMeta, request: StepRequest, deps: PlannerDeps): Promise<void> {
  // A suspension contains, and plans nothing.
  if (meta.kind === 'departure' && meta.act === 'suspend' && meta.givesBack === undefined) return;
  // Nothing is known of the worker yet; or nothing is done any more.
  if (isWaiting(meta) || isGivenBack(meta)) return;
  const begun = await deps.tables.get(CASE_PLAN, meta.caseId);
  if (begun?.state === 'FROZEN') return;
  const listed = await listedOf(meta, deps);
  if (!listed.isFrozen || meta.state !== 'CONTAINED')
    throw new CurfewError('ERR_CASE_STATE', `case ${meta.caseId} is ${meta.state}`, {
      got: meta.state,
      allowed: 'CONTAINED',
    });

  const plan = await beginFreezing(CASE_PLAN, [meta.caseId], () => draftPlan(meta, listed, deps), deps);
  const items = planCase(plan.inventory);
  const targetOf = (ref: string) => plan.targets?.[ref] ?? listed.targets[ref]?.[0] ?? {};
  const writes = items.map((item) => itemPut(meta, item, 'act', 'ref' in item ? targetOf(item.ref) : {}));
  await putItems(meta.caseId, writes, deps);
  const sealed =
    meta.kind === 'departure'
      ? await deps.sealer.seal(meta.pseudonym, sealContext(meta.caseId, 'inventory'), JSON.stringify(plan.how))
      : undefined;
  await freeze(request, deps, CASE_PLAN, [meta.caseId], (current, now) => ({
    set: { state: 'ACTING', plannedAt: now },
    outgoing: [
      { record: inventoryRecord(current, plan.inventory, sealed, plan.readAt) },
      { record: plannedRecord(current, items, now) },
    ],
  }));
}

async function draftPlan(meta: CaseMeta, listed: Listed, deps: PlannerDeps): Promise<FrozenPlan> {
  if (meta.kind === 'taint') return draftEnding(meta.key, deps);
  if (meta.givesBack !== undefined) return draftRelease(meta, meta.givesBack, deps);
  const principals = await Promise.all(
    listed.principals.map((ref) => asOfNow(ref, listed.targets[ref.ref]?.[0], deps)),
  );
  const { exposures, omitted, how } =
    meta.provesAgain === undefined ? await exposuresOf(meta.workerId, deps) : await acceptedExposures(meta, deps);
  // Reading what is public asks for nothing, of whatever ring it is; a ring that is not there has no keys.
  const rings = await Promise.all(
    [...new Set(exposures.map(({ ring }) => ring))].sort().map((ring) => findRing(deps, ring)),
  );
  const keys = rings.flatMap((ring) => ring?.keys.map(({ kid, state }) => ({ ring: ring.id, kid, state })) ?? []);
  const exposed = new Set(exposures.map((exposure) => keyExposed(exposure, keys)));
  return {
    state: 'FREEZING',
    inventory: {
      firstItem: listed.firstItems + 1,
      followUp: meta.followUpOf !== undefined,
      principals: oncePerUser(principals, listed.targets),
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
