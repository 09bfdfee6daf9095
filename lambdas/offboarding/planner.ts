/** Freezes what a case will do: first the containment list, then, when that is done, the plan. Never asked twice. */
import { entry } from '../../lib/aws/entry';
import { CurfewError } from '../../lib/domain/errors';
import type { StepRequest } from '../../lib/domain/messages';
import { type CaseMeta, type CaseState, caseKey, custodyOnly } from '../../lib/domain/offboarding/case';
import { inventoryRecord, listedRecord, plannedRecord, sealContext } from '../../lib/domain/offboarding/case-records';
import { type Outgoing, transition } from '../../lib/domain/offboarding/case-transitions';
import { listContainment, type PrincipalRef } from '../../lib/domain/offboarding/containment';
import {
  assetOf,
  EXPOSURE_PREFIX,
  PRINCIPAL_PREFIX,
  parseExposure,
  parsePrincipal,
  peoplePartition,
  userNameOf,
} from '../../lib/domain/offboarding/people';
import { type Inventory, itemsSha, planCase } from '../../lib/domain/offboarding/plan';
import type { CaseItem } from '../../lib/domain/offboarding/proof';
import { ITEM_ABSENT, type Item, TRANSACTION_WRITES_MAX, type Value, type Write } from '../../lib/domain/table';
import type { Deps } from '../../lib/ports';
import { loadRing } from '../keys/load-ring';
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
    items: numbers(items.filter((stored) => stored.phase === phase && stored.item.kind !== 'taint')),
    all: numbers(items),
    tainted: items.some(({ item }) => item.kind === 'taint'),
  };
}

/** A principal as a record may name it, and what the reference stands for. */
interface Known {
  readonly ref: PrincipalRef;
  readonly targets: readonly Target[];
}

async function freezeList(meta: CaseMeta, request: StepRequest, deps: PlannerDeps): Promise<void> {
  const key = caseKey(meta.caseId, 'LIST');
  if (await deps.tables.get('cases', key)) return;

  // Custody ends with a transfer, access does not: there is nobody to contain.
  const known = custodyOnly(meta) ? [] : await knownPrincipals(meta.workerId, deps);
  const principals = known.map(({ ref }) => ref);
  const items = listContainment(principals);
  const targets = Object.fromEntries(known.map(({ ref, targets }) => [ref.ref, targets]));
  const sealed = await deps.sealer.seal(meta.pseudonym, sealContext(meta.caseId, 'listed'), JSON.stringify(targets));

  const stored = items.map((item) =>
    itemWrite(meta, item, 'contain', targets[item.ref]?.[item.kind === 'access-key' ? item.key : 0] ?? {}),
  );
  const list: Item = { ...key, v: 1, principals: principals as unknown as Value, targets: targets as unknown as Value };
  await freeze(request, deps, list, stored, (current, now) => ({
    set: {},
    outgoing: [{ record: listedRecord(current, principals, items, sealed, now) }],
  }));
}

async function freezePlan(meta: CaseMeta, request: StepRequest, deps: PlannerDeps): Promise<void> {
  const key = caseKey(meta.caseId, 'PLAN');
  if (await deps.tables.get('cases', key)) return;
  const list = await deps.tables.get('cases', caseKey(meta.caseId, 'LIST'));
  if (list === undefined || meta.state !== 'CONTAINED')
    throw new CurfewError('ERR_CASE_STATE', `case ${meta.caseId} is ${meta.state}`, {
      got: meta.state,
      allowed: 'CONTAINED',
    });

  const targets = list.targets as Readonly<Record<string, readonly Target[]>>;
  const principals = await Promise.all(
    (list.principals as unknown as readonly PrincipalRef[]).map((ref) =>
      asOfNow(ref, targets[ref.ref]?.[0]?.userName, deps),
    ),
  );
  const { exposures, how } = await custody(meta.workerId, deps);
  const rings = await Promise.all(
    [...new Set(exposures.map(({ ring }) => ring))].sort().map((ring) => loadRing(deps, ring)),
  );
  const inventory: Inventory = {
    firstItem: listContainment(list.principals as unknown as readonly PrincipalRef[]).length + 1,
    followUp: meta.followUpOf !== undefined,
    principals,
    exposures,
    keys: rings.flatMap(({ id, keys }) => keys.map(({ kid, state }) => ({ ring: id, kid, state }))),
  };
  const items = planCase(inventory);
  const sealed = await deps.sealer.seal(meta.pseudonym, sealContext(meta.caseId, 'inventory'), JSON.stringify(how));

  const stored = items.map((item) =>
    itemWrite(meta, item, 'act', ('ref' in item ? targets[item.ref]?.[0] : undefined) ?? {}),
  );
  const plan: Item = { ...key, v: 1, planSha: itemsSha(items), items: items as unknown as Value };
  await freeze(request, deps, plan, stored, (current, now) => ({
    set: { state: 'ACTING', plannedAt: now },
    outgoing: [
      { record: inventoryRecord(current, inventory, sealed, now) },
      { record: plannedRecord(current, items, now) },
    ],
  }));
}

/** The frozen document, its items and its records in one transaction: stopped anywhere, there is all of it or nothing. */
async function freeze(
  request: StepRequest,
  deps: PlannerDeps,
  frozen: Item,
  items: readonly Write<'cases:put'>[],
  change: (meta: CaseMeta, now: number) => { readonly set: Partial<CaseMeta>; readonly outgoing: readonly Outgoing[] },
): Promise<void> {
  await changeCase(deps, request, BEGUN, async (meta) => {
    if (await deps.tables.get('cases', { pk: frozen.pk, sk: frozen.sk })) return [];
    const { set, outgoing } = change(meta, deps.clock.now());
    const writes = [
      ...transition(meta, set, outgoing),
      { kind: 'put', table: 'cases', item: frozen, if: ITEM_ABSENT } as const,
      ...items,
    ];
    if (writes.length > TRANSACTION_WRITES_MAX)
      throw new CurfewError('ERR_PLAN_INVALID', 'the case has more items than one transaction freezes', {
        got: items.length,
        allowed: TRANSACTION_WRITES_MAX - (writes.length - items.length),
        fix: 'split the principals over more workers in people-import',
      });
    return writes;
  });
}

function itemWrite(meta: CaseMeta, item: CaseItem, phase: StoredItem['phase'], target: Target): Write<'cases:put'> {
  const key = caseKey(meta.caseId, `ITEM#${item.nn}#${item.kind}`);
  const attributes = { item: item as unknown as Value, phase, state: 'PLANNED', target };
  return { kind: 'put', table: 'cases', item: { ...key, v: 1, ...attributes }, if: ITEM_ABSENT };
}

/** In the order of their keys, so that the same people have the same references. */
async function knownPrincipals(workerId: string, deps: PlannerDeps): Promise<readonly Known[]> {
  const rows = await deps.tables.query({ table: 'people', pk: peoplePartition(workerId), prefix: PRINCIPAL_PREFIX });
  return Promise.all(
    rows.map(async (row, index): Promise<Known> => {
      const principal = parsePrincipal(row);
      const ref = `p${index}`;
      if (principal.type === 'subject')
        return { ref: { ref, type: 'subject', ring: principal.ring }, targets: [{ value: principal.sub }] };
      if (principal.type === 'kms-key')
        return { ref: { ref, type: 'kms-key' }, targets: [{ kmsKeyArn: principal.arn }] };

      const userName = userNameOf(principal.arn);
      const exists = (await deps.iam.user(userName)) !== undefined;
      const keys = exists ? await deps.iam.accessKeys(userName) : [];
      const loginProfile = exists && (await deps.iam.hasLoginProfile(userName));
      const targets = keys.map(({ accessKeyId }) => ({ userName, accessKeyId }));
      return {
        ref: { ref, type: 'iam-user', exists, accessKeys: keys.length, loginProfile },
        targets: targets.length > 0 ? targets : [{ userName }],
      };
    }),
  );
}

async function asOfNow(ref: PrincipalRef, userName: string | undefined, { iam }: PlannerDeps): Promise<PrincipalRef> {
  if (ref.type !== 'iam-user' || userName === undefined) return ref;
  return { ...ref, loginProfile: await iam.hasLoginProfile(userName) };
}

async function custody(workerId: string, { tables }: PlannerDeps) {
  const rows = await tables.query({ table: 'people', pk: peoplePartition(workerId), prefix: EXPOSURE_PREFIX });
  const found = rows.map(parseExposure);
  return {
    exposures: found.map((exposure, index) => ({
      ref: `e${index}`,
      ...assetOf(exposure.asset),
      class: exposure.class,
    })),
    how: Object.fromEntries(found.map(({ how, since }, index) => [`e${index}`, { how, since }])),
  };
}

function numbers(items: readonly StoredItem[]): Numbers {
  return items.map(({ item }) => ({ nn: item.nn }));
}

export const handler = entry('planner', planner);
