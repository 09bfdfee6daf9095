/** How every step changes a case: load, decide, one transaction; the second writer reads and decides again. */

import { CurfewError } from '../../domain/base/errors';
import {
  type CaseMeta,
  type CaseState,
  checkAttempt,
  type DepartureCase,
  departureOnly,
  parseCaseId,
} from '../../domain/cases/case';
import { CASE } from '../../domain/store/case';
import { CASE_ITEM, type StoredItem } from '../../domain/store/case-items';
import type { Write } from '../../domain/store/table';
import type { Tables } from '../../ports';
import { inTurn } from '../transactions';

type Reader = { readonly tables: Pick<Tables<'cases:get'>, 'get'> };
type ItemReader = { readonly tables: Pick<Tables<'cases:query'>, 'query'> };
interface Writer<R extends CaseRight> {
  readonly tables: Reader['tables'] & { readonly transact: (writes: readonly Write<R>[]) => Promise<void> };
}
/** What a step may do to the tables of its case, beside reading. */
type CaseRight = 'cases:put' | 'cases:update' | 'cases:delete' | 'cases:check';

/** A case that a replayed step may still be about. */
export const BEGUN: readonly CaseState[] = ['CONTAINING', 'CONTAINED', 'ACTING', 'PROVING', 'CLOSED'];

/** Items of one case run beside each other: each round one of them gets through. */
const ROUNDS_MAX = 40;

export type { StoredItem, Target } from '../../domain/store/case-items';

export async function loadCase(
  { tables }: Reader,
  { caseId, attempt }: { readonly caseId: string; readonly attempt: number },
  states: readonly CaseState[],
): Promise<CaseMeta> {
  return checkAttempt(await tables.get(CASE, parseCaseId(caseId)), caseId, attempt, states);
}

/**
 * A case that another row names: both were put in one transaction, so where it is missing somebody took it away, and
 * nothing that rests on it goes on.
 */
export async function loadNamed({ tables }: Reader, caseId: string): Promise<DepartureCase> {
  const meta = await tables.get(CASE, caseId);
  if (meta) return departureOnly(meta);
  throw new CurfewError('ERR_NOT_FOUND', 'a case that another row names is missing from the table `cases`', {
    got: caseId,
    fix: 'restore the table to a point in time when the case was there',
  });
}

/** The case of the departure itself, of a second rotation or of one that proves items again; undefined where it is that. */
export async function parentOf(meta: CaseMeta, deps: Reader): Promise<DepartureCase | undefined> {
  const of = meta.kind === 'departure' ? (meta.followUpOf ?? meta.provesAgain) : undefined;
  if (of === undefined) return undefined;
  const parent = await loadNamed(deps, of);
  return (await parentOf(parent, deps)) ?? parent;
}

/** Applies what `decide` makes of the case as it stands; no writes mean that it is so already. Answers the case after. */
export function changeCase(
  deps: Writer<'cases:put' | 'cases:update'>,
  request: { readonly caseId: string; readonly attempt: number },
  states: readonly CaseState[],
  decide: Decide<'cases:put' | 'cases:update'>,
): Promise<CaseMeta> {
  return changeCaseWith(deps, request, states, decide);
}

type Decide<R extends CaseRight> = (meta: CaseMeta) => readonly Write<R>[] | Promise<readonly Write<R>[]>;

/** The same with further rights. */
export async function changeCaseWith<R extends CaseRight>(
  deps: Writer<R>,
  request: { readonly caseId: string; readonly attempt: number },
  states: readonly CaseState[],
  decide: Decide<R>,
): Promise<CaseMeta> {
  return inTurn(
    `case ${request.caseId}`,
    async () => {
      const meta = await loadCase(deps, request, states);
      const writes = await decide(meta);
      if (writes.length === 0) return meta;
      await deps.tables.transact(writes);
      return loadCase(deps, request, states);
    },
    ROUNDS_MAX,
  );
}

/** In the order of their numbers. The table has them in that of its keys, where 100 stands before 11. */
export async function loadItems({ tables }: ItemReader, caseId: string, nn?: string): Promise<readonly StoredItem[]> {
  const items = await tables.query(CASE_ITEM.in(caseId, nn));
  return [...items].sort((a, b) => Number(a.item.nn) - Number(b.item.nn));
}

export async function loadItem(deps: ItemReader, caseId: string, nn: string | undefined): Promise<StoredItem> {
  const [item] = nn === undefined ? [] : await loadItems(deps, caseId, nn);
  if (item) return item;
  throw new CurfewError('ERR_NOT_FOUND', `case ${caseId} has no item ${nn}`, { got: nn });
}

/** It is not done yet. */
export function isOpen({ state }: StoredItem): boolean {
  return state === 'PLANNED' || state === 'STARTED';
}

export function needed(value: string | undefined, name: string, nn: string): string {
  if (value !== undefined) return value;
  throw new CurfewError('ERR_PLAN_INVALID', `item ${nn} has no ${name}`, {
    fix: 'find out who wrote the item: the planner did not',
  });
}
