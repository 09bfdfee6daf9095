/** Freezes what a case will do: first the containment list, then, when that is done, the plan. Never asked twice. */
import { entry } from '../lib/aws/entry';
import { CurfewError } from '../lib/domain/base/errors';
import { type CaseMeta, type DepartureCase, exposureOnly } from '../lib/domain/cases/case';
import { listContainment } from '../lib/domain/cases/containment';
import { keyExposed, planCase } from '../lib/domain/cases/plan';
import type { CaseItem, ItemKind } from '../lib/domain/cases/proof';
import { inventoryRecord, listedRecord, plannedRecord, sealContext } from '../lib/domain/cases/records';
import { opensWith } from '../lib/domain/cases/shut';
import type { StepRequest } from '../lib/domain/deployment/messages';
import type { EndedKey } from '../lib/domain/store/case';
import { CASE_ITEM, CASE_LIST, CASE_PLAN, type FrozenList, type FrozenPlan } from '../lib/domain/store/case-items';
import { put } from '../lib/domain/store/entity';
import { ROW_ABSENT } from '../lib/domain/store/table';
import { SHUT } from '../lib/domain/store/worker';
import type { Deps } from '../lib/ports';
import { loadCase, loadItems, type StoredItem, type Target } from '../lib/work/cases/case-store';
import { beginFreezing, freeze, type ItemPut, PLANNABLE, putItems } from '../lib/work/cases/freeze';
import { asOfNow, exposuresOf, knownPrincipals } from '../lib/work/cases/load-people';
import { loadWorker } from '../lib/work/cases/worker';
import { findRing, loadRing } from '../lib/work/rings/load-ring';

type PlannerDeps = Deps<'planner'>;
type Numbers = readonly { readonly nn: string }[];
interface Planned {
  /** What the next map works on. */
  readonly items: Numbers;
  /** Every item of the case, for the proof. */
  readonly all: Numbers;
  readonly tainted: boolean;
}

/** The wave steps act on it, or no step does. */
const NOT_ALONE: readonly ItemKind[] = ['taint', 'unplannable'];

export async function planner(request: StepRequest, deps: PlannerDeps): Promise<Planned> {
  const meta = await loadCase(deps, request, PLANNABLE);
  if (request.step === 'list') await freezeList(meta, request, deps);
  else if (request.step === 'plan') await freezePlan(meta, request, deps);
  else
    throw new CurfewError('ERR_INPUT_INVALID', 'the planner does not know this step', {
      got: request.step,
      allowed: ['list', 'plan'],
    });

  const items = await loadItems(deps, request.caseId);
  const phase = request.step === 'list' ? 'contain' : 'act';
  return {
    items: numbers(items.filter((stored) => stored.phase === phase && !NOT_ALONE.includes(stored.item.kind))),
    all: numbers(items),
    tainted: items.some(({ item }) => item.kind === 'taint'),
  };
}

async function freezeList(meta: CaseMeta, request: StepRequest, deps: PlannerDeps): Promise<void> {
  // The end of a key contains nobody, and its key is in the record of the opening.
  if (meta.kind === 'taint') return;
  const list = await beginFreezing(CASE_LIST, meta.caseId, () => draftList(meta, deps), deps);
  if (list.state === 'FROZEN') return;

  const items = listContainment(list.principals);
  const writes = items.map((item) =>
    itemWrite(meta, item, 'contain', list.targets[item.ref]?.[item.kind === 'access-key' ? item.key : 0] ?? {}),
  );
  await putItems(meta.caseId, writes, deps);
  await freeze(request, deps, CASE_LIST, (current, now) => ({
    set: {},
    outgoing: [{ record: listedRecord(current, list.principals, items, now) }],
  }));
}

async function draftList(meta: DepartureCase, deps: PlannerDeps): Promise<FrozenList> {
  // A transfer ends custody, not access: there is no one to contain.
  const known = exposureOnly(meta) ? [] : await knownPrincipals(meta.workerId, deps);
  return {
    state: 'FREEZING',
    principals: known.map(({ ref }) => ref),
    targets: Object.fromEntries(known.map(({ ref, targets }) => [ref.ref, targets])),
  };
}

async function freezePlan(meta: CaseMeta, request: StepRequest, deps: PlannerDeps): Promise<void> {
  // A suspension contains, and plans nothing.
  if (meta.kind === 'departure' && meta.act === 'suspend' && meta.givesBack === undefined) return;
  const begun = await deps.tables.get(CASE_PLAN, meta.caseId);
  if (begun?.state === 'FROZEN') return;
  const list = await listOf(meta, deps);
  if (list.state !== 'FROZEN' || meta.state !== 'CONTAINED')
    throw new CurfewError('ERR_CASE_STATE', `case ${meta.caseId} is ${meta.state}`, {
      got: meta.state,
      allowed: 'CONTAINED',
    });

  const plan = await beginFreezing(CASE_PLAN, meta.caseId, () => draftPlan(meta, list, deps), deps);
  const items = planCase(plan.inventory);
  const writes = items.map((item) =>
    itemWrite(
      meta,
      item,
      'act',
      ('ref' in item ? (plan.targets?.[item.ref] ?? list.targets[item.ref]?.[0]) : undefined) ?? {},
    ),
  );
  await putItems(meta.caseId, writes, deps);
  const sealed =
    meta.kind === 'departure'
      ? await deps.sealer.seal(meta.pseudonym, sealContext(meta.caseId, 'inventory'), JSON.stringify(plan.how))
      : undefined;
  await freeze(request, deps, CASE_PLAN, (current, now) => ({
    set: { state: 'ACTING', plannedAt: now },
    outgoing: [
      { record: inventoryRecord(current, plan.inventory, sealed, plan.readAt) },
      { record: plannedRecord(current, items, now) },
    ],
  }));
}

/** The end of a key has no list: nobody is contained. */
async function listOf(meta: CaseMeta, deps: PlannerDeps): Promise<FrozenList> {
  const none: FrozenList = { state: 'FREEZING', principals: [], targets: {} };
  if (meta.kind === 'taint') return { ...none, state: 'FROZEN' };
  return (await deps.tables.get(CASE_LIST, meta.caseId)) ?? none;
}

async function draftPlan(meta: CaseMeta, list: FrozenList, deps: PlannerDeps): Promise<FrozenPlan> {
  if (meta.kind === 'taint') return draftEnding(meta.key, deps);
  if (meta.givesBack !== undefined) return draftRelease(meta, meta.givesBack, deps);
  const principals = await Promise.all(list.principals.map((ref) => asOfNow(ref, list.targets[ref.ref]?.[0], deps)));
  const { exposures, omitted, how } = await exposuresOf(meta.workerId, deps);
  // Reading what is public asks for nothing, of whatever ring it is; a ring that is not there has no keys.
  const rings = await Promise.all(
    [...new Set(exposures.map(({ ring }) => ring))].sort().map((ring) => findRing(deps, ring)),
  );
  const keys = rings.flatMap((ring) => ring?.keys.map(({ kid, state }) => ({ ring: ring.id, kid, state })) ?? []);
  const exposed = new Set(exposures.map((exposure) => keyExposed(exposure, keys)));
  return {
    state: 'FREEZING',
    inventory: {
      firstItem: listContainment(list.principals).length + 1,
      followUp: meta.followUpOf !== undefined,
      principals: principals.filter((principal) => principal.type === 'iam-user'),
      exposures,
      ...(omitted > 0 && { omitted }),
      keys: keys.filter((key) => exposed.has(key)),
    },
    how,
    readAt: deps.clock.now(),
  };
}

/** The one key, as it stands at this moment: it may have been replaced since a responder named it. */
async function draftEnding({ ring, kid, class: taintClass }: EndedKey, deps: PlannerDeps): Promise<FrozenPlan> {
  const { keys } = await loadRing(deps, ring);
  return {
    state: 'FREEZING',
    inventory: {
      firstItem: 1,
      followUp: false,
      principals: [],
      exposures: [],
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
  const shut = opensWith(await deps.tables.query(SHUT.in(meta.workerId)), givenBack, cases);
  const named = shut.map((one, n) => ({ ref: `t${n}`, ...one }));
  return {
    state: 'FREEZING',
    inventory: {
      firstItem: 1,
      followUp: false,
      principals: [],
      exposures: [],
      keys: [],
      things: named.map(({ ref, kind, ring }) => ({ ref, thing: kind, ...(ring !== undefined && { ring }) })),
    },
    how: {},
    targets: Object.fromEntries(named.map(({ ref, target }) => [ref, target])),
    readAt: deps.clock.now(),
  };
}

function itemWrite(meta: CaseMeta, item: CaseItem, phase: StoredItem['phase'], target: Target): ItemPut {
  return put(CASE_ITEM, [meta.caseId, item], { item, phase, state: 'PLANNED', target }, ROW_ABSENT);
}

function numbers(items: readonly StoredItem[]): Numbers {
  return items.map(({ item }) => ({ nn: item.nn }));
}

export const handler = entry('planner', planner);
