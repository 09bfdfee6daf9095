/** How every step changes a case: load, decide, one transaction; the second writer reads and decides again. */

import { CurfewError } from '../../domain/base/errors';
import { type CaseMeta, type CaseState, checkAttempt, parseCaseId } from '../../domain/cases/case';
import { CASE } from '../../domain/store/case';
import { CASE_ITEM, type StoredItem } from '../../domain/store/case-items';
import type { Write } from '../../domain/store/table';
import type { Tables } from '../../ports';
import { inTurn } from '../transactions';

type Reader = { readonly tables: Pick<Tables<'cases:get'>, 'get'> };
type ItemReader = { readonly tables: Pick<Tables<'cases:query'>, 'query'> };
type Writer = { readonly tables: Pick<Tables<'cases:get' | 'cases:put' | 'cases:update'>, 'get' | 'transact'> };

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

/** Applies what `decide` makes of the case as it stands; no writes mean that it is so already. Answers the case after. */
export async function changeCase(
  deps: Writer,
  request: { readonly caseId: string; readonly attempt: number },
  states: readonly CaseState[],
  decide: (
    meta: CaseMeta,
  ) => readonly Write<'cases:put' | 'cases:update'>[] | Promise<readonly Write<'cases:put' | 'cases:update'>[]>,
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

export async function loadItems({ tables }: ItemReader, caseId: string, nn?: string): Promise<readonly StoredItem[]> {
  return tables.query(CASE_ITEM.in(caseId, nn));
}

export async function loadItem(deps: ItemReader, caseId: string, nn: string | undefined): Promise<StoredItem> {
  const [item] = nn === undefined ? [] : await loadItems(deps, caseId, nn);
  if (item) return item;
  throw new CurfewError('ERR_NOT_FOUND', `case ${caseId} has no item ${nn}`, { got: nn });
}

export function needed(value: string | undefined, name: string, nn: string): string {
  if (value !== undefined) return value;
  throw new CurfewError('ERR_PLAN_INVALID', `item ${nn} has no ${name}`, {
    fix: 'find out who wrote the item: the planner did not',
  });
}
