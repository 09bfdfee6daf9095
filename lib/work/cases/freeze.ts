/**
 * How a list, and then a plan, of any length comes to be whole or not at all, though one transaction does not hold it; and
 * how a case comes to have another one, of what those before have not.
 */
import { CurfewError } from '../../domain/base/errors';
import type { CaseMeta, CaseState } from '../../domain/cases/case';
import { FREEZINGS_MAX } from '../../domain/cases/containment';
import { type CaseChange, type Outgoing, transition } from '../../domain/cases/transitions';
import type { StepRequest } from '../../domain/deployment/messages';
import { CASE_ITEM, type CaseItem, type StoredItem, type Target } from '../../domain/store/case-items';
import { put, type Range, type Readable } from '../../domain/store/entity';
import { ROW_ABSENT, type Row, type Write } from '../../domain/store/table';
import type { Deps } from '../../ports';
import { inTurn, tryTransact } from '../transactions';
import { changeCase, loadItems } from './case-store';

type PlannerDeps = Deps<'planner'>;

/** A case that a planner's step may be about. */
export const PLANNABLE: readonly CaseState[] = ['CONTAINING', 'CONTAINED', 'ACTING', 'PROVING', 'CLOSED'];

/** A listing or a plan: written FREEZING, with all that its items are made from. */
interface Frozen {
  readonly state: 'FREEZING' | 'FROZEN';
}

/** What a case has several of, each frozen of what those before have not. */
interface Freezing<V extends Frozen> {
  readonly of: Readable<'cases', [string, number], V> & {
    readonly row: (key: [string, number], members: V) => Row;
    readonly in: (caseId: string) => Range<'cases', V>;
  };
  readonly phase: (item: CaseItem) => StoredItem['phase'];
  readonly may: (n: number) => Promise<boolean>;
  /** From what is so now; undefined where those before have all of it. */
  readonly draft: (n: number, before: readonly V[]) => Promise<V | undefined>;
  readonly items: (frozen: V, n: number) => readonly CaseItem[];
  readonly target: (frozen: V, item: CaseItem) => Target;
  readonly change: (frozen: V, n: number, items: readonly CaseItem[]) => Promise<Change>;
}

/** What else is so from the moment on in which it is FROZEN. */
type Change = (meta: CaseMeta, now: number) => { readonly set: CaseChange; readonly outgoing: readonly Outgoing[] };

/** With room for the other writes of a transaction. */
const ITEMS_AT_ONCE = 90;

/**
 * FREEZING, then the items in as many transactions as they need, then FROZEN together with the records. Stopped anywhere
 * before that, nothing of it has been acted on yet, and the next run goes on with this same document: nothing is read twice.
 */
export async function freezeNext<V extends Frozen>(
  meta: CaseMeta,
  request: StepRequest,
  deps: PlannerDeps,
  freezing: Freezing<V>,
): Promise<void> {
  const all = await deps.tables.query(freezing.of.in(meta.caseId));
  const begun = all.findIndex(({ state }) => state === 'FREEZING');
  const n = begun < 0 ? all.length + 1 : begun + 1;
  if (begun < 0 && !(await freezing.may(n))) return;
  const drafted = all[begun] ?? (await freezing.draft(n, all));
  if (drafted === undefined) return;
  if (n > FREEZINGS_MAX) throw tooMany(meta);
  const frozen = begun < 0 ? await beginFreezing(freezing, [meta.caseId, n], drafted, deps) : drafted;
  const items = freezing.items(frozen, n);
  await putItems(meta.caseId, items, (item) => [freezing.phase(item), freezing.target(frozen, item)], deps);
  const change = await freezing.change(frozen, n, items);
  await changeCase(deps, request, PLANNABLE, async (current) => {
    if ((await deps.tables.get(freezing.of, meta.caseId, n))?.state === 'FROZEN') return [];
    const { set, outgoing } = change(current, deps.clock.now());
    return [
      ...transition(current, set, outgoing),
      {
        kind: 'update',
        table: 'cases',
        key: freezing.of.key(meta.caseId, n),
        set: { state: 'FROZEN' },
        if: [{ attribute: 'state', is: '=', value: 'FREEZING' }],
      },
    ];
  });
}

function tooMany({ caseId }: CaseMeta): CurfewError {
  return new CurfewError(
    'ERR_PLAN_INVALID',
    `case ${caseId} was listed or planned ${FREEZINGS_MAX} times, and there is more`,
    {
      got: FREEZINGS_MAX + 1,
      allowed: FREEZINGS_MAX,
      fix: 'find out who goes on giving the leaver more; the case stays open',
    },
  );
}

/** The document as it was first written, by this run or by one beside us, whose answers are then the ones that count. */
async function beginFreezing<V extends Frozen>(
  { of }: Freezing<V>,
  key: [string, number],
  drafted: V,
  { tables }: PlannerDeps,
): Promise<V> {
  if (await tryTransact(tables, [put(of, key, drafted, ROW_ABSENT)])) return drafted;
  const first = await tables.get(of, ...key);
  if (first) return first;
  throw new CurfewError('ERR_UNAVAILABLE', `the list of case ${key[0]} was written and cannot be read`, {
    fix: 'retry',
  });
}

/** Those that are not there yet: an item may have been acted on by a run that was faster, and is not put back. */
async function putItems(
  caseId: string,
  items: readonly CaseItem[],
  of: (item: CaseItem) => readonly [StoredItem['phase'], Target],
  deps: PlannerDeps,
): Promise<void> {
  const writes = items.map((item): Extract<Write<'cases:put'>, { kind: 'put' }> => {
    const [phase, target] = of(item);
    return put(CASE_ITEM, [caseId, item], { item, phase, state: 'PLANNED', target }, ROW_ABSENT);
  });
  await inTurn(`the items of case ${caseId}`, async () => {
    const there = new Set((await loadItems(deps, caseId)).map(({ item }) => CASE_ITEM.key(caseId, item).sk));
    const missing = writes.filter(({ row }) => !there.has(row.sk));
    for (let n = 0; n < missing.length; n += ITEMS_AT_ONCE)
      await deps.tables.transact(missing.slice(n, n + ITEMS_AT_ONCE));
  });
}
