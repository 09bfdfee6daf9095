/** How a list, and then a plan, of any length comes to be whole or not at all, though one transaction does not hold it. */
import { CurfewError, isCurfewError } from '../../domain/base/errors';
import type { CaseMeta, CaseState } from '../../domain/cases/case';
import type { PrincipalRef } from '../../domain/cases/containment';
import type { Inventory } from '../../domain/cases/plan';
import { type Outgoing, transition } from '../../domain/cases/transitions';
import type { StepRequest } from '../../domain/deployment/messages';
import { ROW_ABSENT, type Row, type RowKey, type Value, type Write } from '../../domain/store/table';
import type { Deps } from '../../ports';
import { changeCase, loadItems, type Target } from './case-store';

type PlannerDeps = Deps<'planner'>;

/** A case that a planner's step may be about: HELD waits for people, and is not planned. */
export const PLANNABLE: readonly CaseState[] = ['CONTAINING', 'CONTAINED', 'ACTING', 'PROVING', 'CLOSED'];
const ROUNDS_MAX = 20;

/**
 * What a case acts on: written FREEZING with all that its items are made from, then the items in as many transactions
 * as they need, then FROZEN together with the records. Stopped anywhere before that, nothing has been acted on yet, and
 * the next run goes on with this same document: nobody's answers are asked for twice.
 */
type Frozen<T> = T & { readonly state: 'FREEZING' | 'FROZEN' };
export type List = Frozen<{
  readonly principals: readonly PrincipalRef[];
  readonly targets: Readonly<Record<string, readonly Target[]>>;
}>;
export type Plan = Frozen<{
  readonly inventory: Inventory;
  readonly how: Readonly<Record<string, Value>>;
  /** When it was read: by then the keys were in the states it says, however long the freezing takes. */
  readonly readAt: number;
}>;

/** With room for the other writes of a transaction. */
const ITEMS_AT_ONCE = 90;

export type ItemPut = Extract<Write<'cases:put'>, { kind: 'put' }>;

/** The document as it was first written, by this run or by one before. */
export async function beginFreezing<T extends List | Plan>(
  key: RowKey,
  draft: () => Promise<Omit<T, 'state'>>,
  { tables }: PlannerDeps,
): Promise<T> {
  const begun = await tables.get('cases', key);
  if (begun) return begun as unknown as T;
  const drafted = { ...(await draft()), state: 'FREEZING' };
  try {
    const item = { ...key, v: 1, ...drafted } as unknown as Row;
    await tables.transact([{ kind: 'put', table: 'cases', row: item, if: ROW_ABSENT }]);
  } catch (error) {
    // A run beside us was first: its answers are the ones that count.
    if (!isCurfewError(error, 'ERR_CONDITION_FAILED')) throw error;
  }
  return (await tables.get('cases', key)) as unknown as T;
}

/** Those that are not there yet: an item may have been acted on by a run that was faster, and is not put back. */
export async function putItems(caseId: string, writes: readonly ItemPut[], deps: PlannerDeps): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const there = new Set((await loadItems(deps, caseId)).map(({ sk }) => sk));
    const missing = writes.filter(({ row }) => !there.has(row.sk));
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

export async function freeze(
  request: StepRequest,
  deps: PlannerDeps,
  key: RowKey,
  change: (meta: CaseMeta, now: number) => { readonly set: Partial<CaseMeta>; readonly outgoing: readonly Outgoing[] },
): Promise<void> {
  await changeCase(deps, request, PLANNABLE, async (meta) => {
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
