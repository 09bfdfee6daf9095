/** How every step reads and changes a case: load, decide, one transaction; whoever was second reads and decides again. */
import { CurfewError, isCurfewError } from '../../domain/base/errors';
import {
  type CaseMeta,
  type CaseState,
  caseKey,
  checkAttempt,
  itemPrefix,
  metaKey,
  parseMeta,
} from '../../domain/cases/case';
import type { CaseItem } from '../../domain/cases/proof';
import type { Row, Write } from '../../domain/store/table';
import type { Tables } from '../../ports';

type Reader = { readonly tables: Pick<Tables<'cases:get'>, 'get'> };
type ItemReader = { readonly tables: Pick<Tables<'cases:query'>, 'query'> };
type Writer = { readonly tables: Pick<Tables<'cases:get' | 'cases:put' | 'cases:update'>, 'get' | 'transact'> };

/** Items of one case run beside each other: each round one of them gets through. */
const ROUNDS_MAX = 40;

/** The clear details of an item stand here and nowhere else: in the case's own row, not in records, logs or payloads. */
export type StoredItem = Row & {
  readonly item: CaseItem;
  readonly phase: 'contain' | 'act';
  readonly state: 'PLANNED' | 'DONE' | 'PROVED';
  readonly target: Target;
};

export type Target = {
  readonly value?: string;
  readonly arn?: string;
  readonly userName?: string;
  readonly accessKeyId?: string;
  readonly kmsKeyArn?: string;
};

export async function loadCase(
  { tables }: Reader,
  { caseId, attempt }: { readonly caseId: string; readonly attempt: number },
  states: readonly CaseState[],
): Promise<CaseMeta> {
  return checkAttempt(parseMeta(await tables.get('cases', metaKey(caseId))), caseId, attempt, states);
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
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const meta = await loadCase(deps, request, states);
    const writes = await decide(meta);
    if (writes.length === 0) return meta;
    try {
      await deps.tables.transact(writes);
      return await loadCase(deps, request, states);
    } catch (error) {
      if (!isCurfewError(error, 'ERR_CONDITION_FAILED')) throw error;
    }
  }
  throw new CurfewError('ERR_UNAVAILABLE', `case ${request.caseId} changes faster than it can be written`, {
    fix: 'retry',
  });
}

export async function loadItems({ tables }: ItemReader, caseId: string, nn?: string): Promise<readonly StoredItem[]> {
  const prefix = nn === undefined ? 'ITEM#' : itemPrefix(nn);
  return (await tables.query({ table: 'cases', pk: caseKey(caseId, 'META').pk, prefix })) as unknown as StoredItem[];
}

export async function loadItem(deps: ItemReader, caseId: string, nn: string | undefined): Promise<StoredItem> {
  const [item] = nn === undefined ? [] : await loadItems(deps, caseId, nn);
  if (item) return item;
  throw new CurfewError('ERR_NOT_FOUND', `case ${caseId} has no item ${nn}`, { got: nn });
}

export function needed(value: string | undefined, name: string, nn: string): string {
  if (value !== undefined) return value;
  throw new CurfewError('ERR_PLAN_INVALID', `item ${nn} has no ${name}`, {
    fix: 'the item was not written by the planner',
  });
}
