/** How a list, and then a plan, of any length comes to be whole or not at all, though one transaction does not hold it. */
import { CurfewError } from '../../domain/base/errors';
import type { CaseMeta, CaseState } from '../../domain/cases/case';
import { type Outgoing, transition } from '../../domain/cases/transitions';
import type { StepRequest } from '../../domain/deployment/messages';
import { CASE_ITEM, type CaseItem, type StoredItem, type Target } from '../../domain/store/case-items';
import { put, type Readable } from '../../domain/store/entity';
import { ROW_ABSENT, type Row, type Write } from '../../domain/store/table';
import type { Deps } from '../../ports';
import { inTurn, tryTransact } from '../transactions';
import { changeCase, loadItems } from './case-store';

type PlannerDeps = Deps<'planner'>;

/** A case that a planner's step may be about. */
export const PLANNABLE: readonly CaseState[] = ['CONTAINING', 'CONTAINED', 'ACTING', 'PROVING', 'CLOSED'];

/** The two lists of a case that are frozen; `E` is the entity of one of them. */
type Freezable<V, A extends readonly unknown[]> = Readable<'cases', A, V> & {
  readonly row: (key: A, members: V) => Row;
};

/** With room for the other writes of a transaction. */
const ITEMS_AT_ONCE = 90;

type ItemPut = Extract<Write<'cases:put'>, { kind: 'put' }>;

/**
 * The document as it was first written, by this run or by one before: FREEZING, with all that the items are made from.
 * Then the items follow in as many transactions as they need, then FROZEN together with the records. Stopped anywhere
 * before that, nothing has been acted on yet, and the next run goes on with this same document: nothing is read twice.
 */
export async function beginFreezing<
  V extends { readonly state: 'FREEZING' | 'FROZEN' },
  A extends readonly [string, ...unknown[]],
>(of: Freezable<V, A>, key: A, draft: () => Promise<V>, { tables }: PlannerDeps): Promise<V> {
  const begun = await tables.get(of, ...key);
  if (begun) return begun;
  const drafted = await draft();
  // A run beside us may have been first: its answers are the ones that count.
  if (await tryTransact(tables, [put(of, key, drafted, ROW_ABSENT)])) return drafted;
  const first = await tables.get(of, ...key);
  if (first) return first;
  throw new CurfewError('ERR_UNAVAILABLE', `the list of case ${key[0]} was written and cannot be read`, {
    fix: 'retry',
  });
}

/** Those that are not there yet: an item may have been acted on by a run that was faster, and is not put back. */
export async function putItems(caseId: string, writes: readonly ItemPut[], deps: PlannerDeps): Promise<void> {
  await inTurn(`the items of case ${caseId}`, async () => {
    const there = new Set((await loadItems(deps, caseId)).map(({ item }) => CASE_ITEM.key(caseId, item).sk));
    const missing = writes.filter(({ row }) => !there.has(row.sk));
    for (let n = 0; n < missing.length; n += ITEMS_AT_ONCE)
      await deps.tables.transact(missing.slice(n, n + ITEMS_AT_ONCE));
  });
}

export function itemPut(meta: CaseMeta, item: CaseItem, phase: StoredItem['phase'], target: Target): ItemPut {
  return put(CASE_ITEM, [meta.caseId, item], { item, phase, state: 'PLANNED', target }, ROW_ABSENT);
}

export async function freeze<
  V extends { readonly state: 'FREEZING' | 'FROZEN' },
  A extends readonly [string, ...unknown[]],
>(
  request: StepRequest,
  deps: PlannerDeps,
  of: Freezable<V, A>,
  key: A,
  change: (meta: CaseMeta, now: number) => { readonly set: Partial<CaseMeta>; readonly outgoing: readonly Outgoing[] },
): Promise<void> {
  await changeCase(deps, request, PLANNABLE, async (meta) => {
    if ((await deps.tables.get(of, ...key))?.state === 'FROZEN') return [];
    const { set, outgoing } = change(meta, deps.clock.now());
    return [
      ...transition(meta, set, outgoing),
      {
        kind: 'update',
        table: 'cases',
        key: of.key(...key),
        set: { state: 'FROZEN' },
        if: [{ attribute: 'state', is: '=', value: 'FREEZING' }],
      },
    ];
  });
}
