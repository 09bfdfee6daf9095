/** Freezes what a case will do: first the containment list, then, when that is done, the plan. Never asked twice. */
import { entry } from '../../lib/aws/entry';
import { CurfewError, isCurfewError } from '../../lib/domain/errors';
import type { StepRequest } from '../../lib/domain/messages';
import { type CaseMeta, type CaseState, caseKey, custodyOnly } from '../../lib/domain/offboarding/case';
import { inventoryRecord, listedRecord, plannedRecord, sealContext } from '../../lib/domain/offboarding/case-records';
import { type Outgoing, transition } from '../../lib/domain/offboarding/case-transitions';
import {
  listContainment,
  PRINCIPALS_MAX,
  type PrincipalRef,
  UNKNOWN_REASONS,
} from '../../lib/domain/offboarding/containment';
import {
  accountOf,
  assetOf,
  EXPOSURE_PREFIX,
  PRINCIPAL_PREFIX,
  type Principal,
  parseExposure,
  parsePrincipal,
  peoplePartition,
  userNameOf,
} from '../../lib/domain/offboarding/people';
import { EXPOSURES_MAX, type Inventory, keyExposed, planCase } from '../../lib/domain/offboarding/plan';
import type { CaseItem, ItemKind } from '../../lib/domain/offboarding/proof';
import { ITEM_ABSENT, type Item, type Key, type Value, type Write } from '../../lib/domain/table';
import type { Deps } from '../../lib/ports';
import { findRing } from '../keys/load-ring';
import { changeCase, loadCase, loadItems, type StoredItem, type Target } from './case-store';

type PlannerDeps = Deps<'planner'>;
type Numbers = readonly { readonly nn: string }[];
export interface Planned {
  /** What the next map works on. */
  readonly items: Numbers;
  /** Every item of the case, for the proof. */
  readonly all: Numbers;
  readonly tainted: boolean;
}

/** Acted on by the steps of the wave, or by nobody. */
const NOT_ALONE: readonly ItemKind[] = ['taint', 'unplannable'];
const ROUNDS_MAX = 20;
const BEGUN: readonly CaseState[] = ['CONTAINING', 'CONTAINED', 'ACTING', 'PROVING', 'CLOSED'];

export async function planner(request: StepRequest, deps: PlannerDeps): Promise<Planned> {
  const meta = await loadCase(deps, request, BEGUN);
  if (request.step === 'list') await freezeList(meta, request, deps);
  else if (request.step === 'plan') await freezePlan(meta, request, deps);
  else
    throw new CurfewError('ERR_INPUT_INVALID', 'the planner has no such step', {
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

/** A principal as a record may name it, and what the reference stands for. */
interface Known {
  readonly ref: PrincipalRef;
  readonly targets: readonly Target[];
}

/**
 * What a case acts on: written FREEZING with all that its items are made from, then the items in as many transactions
 * as they need, then FROZEN together with the records. Stopped anywhere before that, nothing has been acted on yet, and
 * the next run goes on with this same document: nobody's answers are asked for twice.
 */
type Frozen<T> = T & { readonly state: 'FREEZING' | 'FROZEN' };
type List = Frozen<{
  readonly principals: readonly PrincipalRef[];
  readonly targets: Readonly<Record<string, readonly Target[]>>;
}>;
type Plan = Frozen<{ readonly inventory: Inventory; readonly how: Readonly<Record<string, Value>> }>;

/** With room for the other writes of a transaction. */
const ITEMS_AT_ONCE = 90;

async function freezeList(meta: CaseMeta, request: StepRequest, deps: PlannerDeps): Promise<void> {
  const key = caseKey(meta.caseId, 'LIST');
  const list = await beginFreezing<List>(key, () => draftList(meta, deps), deps);
  if (list.state === 'FROZEN') return;

  const items = listContainment(list.principals);
  const writes = items.map((item) =>
    itemWrite(meta, item, 'contain', list.targets[item.ref]?.[item.kind === 'access-key' ? item.key : 0] ?? {}),
  );
  await putItems(meta.caseId, writes, deps);
  await freeze(request, deps, key, (current, now) => ({
    set: {},
    outgoing: [{ record: listedRecord(current, list.principals, items, now) }],
  }));
}

async function draftList(meta: CaseMeta, deps: PlannerDeps): Promise<Omit<List, 'state'>> {
  // Custody ends with a transfer, access does not: there is nobody to contain.
  const known = custodyOnly(meta) ? [] : await knownPrincipals(meta.workerId, deps);
  return {
    principals: known.map(({ ref }) => ref),
    targets: Object.fromEntries(known.map(({ ref, targets }) => [ref.ref, targets])),
  };
}

async function freezePlan(meta: CaseMeta, request: StepRequest, deps: PlannerDeps): Promise<void> {
  const list = (await deps.tables.get('cases', caseKey(meta.caseId, 'LIST'))) as (Item & List) | undefined;
  const key = caseKey(meta.caseId, 'PLAN');
  const begun = (await deps.tables.get('cases', key)) as (Item & Plan) | undefined;
  if (begun?.state === 'FROZEN') return;
  if (list?.state !== 'FROZEN' || meta.state !== 'CONTAINED')
    throw new CurfewError('ERR_CASE_STATE', `case ${meta.caseId} is ${meta.state}`, {
      got: meta.state,
      allowed: 'CONTAINED',
    });

  const plan = await beginFreezing<Plan>(key, () => draftPlan(meta, list, deps), deps);
  const items = planCase(plan.inventory);
  const writes = items.map((item) =>
    itemWrite(meta, item, 'act', ('ref' in item ? list.targets[item.ref]?.[0] : undefined) ?? {}),
  );
  await putItems(meta.caseId, writes, deps);
  const sealed = await deps.sealer.seal(
    meta.pseudonym,
    sealContext(meta.caseId, 'inventory'),
    JSON.stringify(plan.how),
  );
  await freeze(request, deps, key, (current, now) => ({
    set: { state: 'ACTING', plannedAt: now },
    outgoing: [
      { record: inventoryRecord(current, plan.inventory, sealed, now) },
      { record: plannedRecord(current, items, now) },
    ],
  }));
}

async function draftPlan(meta: CaseMeta, list: List, deps: PlannerDeps): Promise<Omit<Plan, 'state'>> {
  const principals = await Promise.all(list.principals.map((ref) => asOfNow(ref, list.targets[ref.ref]?.[0], deps)));
  const { exposures, omitted, how } = await custody(meta.workerId, deps);
  // Reading what is public asks for nothing, of whatever ring it is; a ring that is not there has no keys.
  const rings = await Promise.all(
    [...new Set(exposures.map(({ ring }) => ring))].sort().map((ring) => findRing(deps, ring)),
  );
  const keys = rings.flatMap((ring) => ring?.keys.map(({ kid, state }) => ({ ring: ring.id, kid, state })) ?? []);
  const exposed = new Set(exposures.map((exposure) => keyExposed(exposure, keys)));
  return {
    inventory: {
      firstItem: listContainment(list.principals).length + 1,
      followUp: meta.followUpOf !== undefined,
      principals: principals.filter((principal) => principal.type === 'iam-user'),
      exposures,
      ...(omitted > 0 && { omitted }),
      keys: keys.filter((key) => exposed.has(key)),
    },
    how,
  };
}

/** The document as it was first written, by this run or by one before. */
async function beginFreezing<T extends List | Plan>(
  key: Key,
  draft: () => Promise<Omit<T, 'state'>>,
  { tables }: PlannerDeps,
): Promise<T> {
  const begun = await tables.get('cases', key);
  if (begun) return begun as unknown as T;
  const drafted = { ...(await draft()), state: 'FREEZING' };
  try {
    const item = { ...key, v: 1, ...drafted } as unknown as Item;
    await tables.transact([{ kind: 'put', table: 'cases', item, if: ITEM_ABSENT }]);
  } catch (error) {
    // A run beside us was first: its answers are the ones that count.
    if (!isCurfewError(error, 'ERR_CONDITION_FAILED')) throw error;
  }
  return (await tables.get('cases', key)) as unknown as T;
}

/** Those that are not there yet: an item may have been acted on by a run that was faster, and is not put back. */
async function putItems(caseId: string, writes: readonly ItemPut[], deps: PlannerDeps): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const there = new Set((await loadItems(deps, caseId)).map(({ sk }) => sk));
    const missing = writes.filter(({ item }) => !there.has(item.sk));
    if (missing.length === 0) return;
    try {
      for (let n = 0; n < missing.length; n += ITEMS_AT_ONCE)
        await deps.tables.transact(missing.slice(n, n + ITEMS_AT_ONCE));
      return;
    } catch (error) {
      if (!isCurfewError(error, 'ERR_CONDITION_FAILED')) throw error;
    }
  }
  throw new CurfewError('ERR_UNAVAILABLE', `the items of case ${caseId} are being put by somebody else`, {
    fix: 'retry',
  });
}

async function freeze(
  request: StepRequest,
  deps: PlannerDeps,
  key: Key,
  change: (meta: CaseMeta, now: number) => { readonly set: Partial<CaseMeta>; readonly outgoing: readonly Outgoing[] },
): Promise<void> {
  await changeCase(deps, request, BEGUN, async (meta) => {
    if ((await deps.tables.get('cases', key))?.state === 'FROZEN') return [];
    const { set, outgoing } = change(meta, deps.clock.now());
    return [
      ...transition(meta, set, outgoing),
      {
        kind: 'update',
        table: 'cases',
        key,
        set: { state: 'FROZEN' },
        if: [{ attribute: 'state', is: '=', value: 'FREEZING' }],
      },
    ];
  });
}

type ItemPut = Extract<Write<'cases:put'>, { kind: 'put' }>;

function itemWrite(meta: CaseMeta, item: CaseItem, phase: StoredItem['phase'], target: Target): ItemPut {
  const key = caseKey(meta.caseId, `ITEM#${item.nn}#${item.kind}`);
  const attributes = { item: item as unknown as Value, phase, state: 'PLANNED', target };
  return { kind: 'put', table: 'cases', item: { ...key, v: 1, ...attributes }, if: ITEM_ABSENT };
}

/** In the order of their keys, so that the same people have the same references. */
async function knownPrincipals(workerId: string, deps: PlannerDeps): Promise<readonly Known[]> {
  const rows = await deps.tables.query({ table: 'people', pk: peoplePartition(workerId), prefix: PRINCIPAL_PREFIX });
  const known = await Promise.all(
    rows.slice(0, PRINCIPALS_MAX).map((row, index) => knownPrincipal(parsePrincipal(row), `p${index}`, deps)),
  );
  return rows.length > PRINCIPALS_MAX ? [...known, unknown('more', 'many')] : known;
}

async function knownPrincipal(principal: Principal, ref: string, deps: PlannerDeps): Promise<Known> {
  if (principal.type === 'kms-key') return { ref: { ref, type: 'kms-key' }, targets: [{ kmsKeyArn: principal.arn }] };
  if (principal.type === 'subject') {
    const { ring, sub } = principal;
    return (await findRing(deps, ring))
      ? { ref: { ref, type: 'subject', ring }, targets: [{ value: sub }] }
      : unknown(ref, 'ring', { value: sub });
  }

  const { arn } = principal;
  const userName = userNameOf(arn);
  // The deny policy is ours: IAM answers for its account alone, and by bare name.
  if (accountOf(arn) !== accountOf(deps.config.denyPolicyArn ?? '')) return unknown(ref, 'account', { arn });
  const user = await deps.iam.user(userName);
  if (user && user.arn !== arn) return unknown(ref, 'user', { arn });
  const keys = user ? await deps.iam.accessKeys(userName) : [];
  const loginProfile = user !== undefined && (await deps.iam.hasLoginProfile(userName));
  const targets = keys.map(({ accessKeyId }) => ({ arn, userName, accessKeyId }));
  return {
    ref: { ref, type: 'iam-user', exists: user !== undefined, accessKeys: keys.length, loginProfile },
    targets: targets.length > 0 ? targets : [{ arn, userName }],
  };
}

function unknown(ref: string, why: keyof typeof UNKNOWN_REASONS, target: Target = {}): Known {
  return { ref: { ref, type: 'unknown', reason: UNKNOWN_REASONS[why] }, targets: [target] };
}

async function asOfNow(ref: PrincipalRef, target: Target | undefined, { iam }: PlannerDeps): Promise<PrincipalRef> {
  if (ref.type !== 'iam-user' || target?.userName === undefined) return ref;
  const isHis = (await iam.user(target.userName))?.arn === target.arn;
  return { ...ref, loginProfile: isHis && (await iam.hasLoginProfile(target.userName)) };
}

async function custody(workerId: string, { tables }: PlannerDeps) {
  const rows = await tables.query({ table: 'people', pk: peoplePartition(workerId), prefix: EXPOSURE_PREFIX });
  const found = rows.slice(0, EXPOSURES_MAX).map(parseExposure);
  return {
    exposures: found.map((exposure, index) => ({
      ref: `e${index}`,
      ...assetOf(exposure.asset),
      class: exposure.class,
    })),
    omitted: rows.length - found.length,
    how: Object.fromEntries(found.map(({ how, since }, index) => [`e${index}`, { how, since }])),
  };
}

function numbers(items: readonly StoredItem[]): Numbers {
  return items.map(({ item }) => ({ nn: item.nn }));
}

export const handler = entry('planner', planner);
