/** Two approvers accept what nobody can act on: decided here, and tried again by a case of its own. */
import {
  acceptanceDigest,
  acceptedItem,
  acceptedNow,
  acceptsNothing,
  acceptWrites,
  linkedCase,
} from '../../domain/cases/accepted';
import { type GivenApproval, judgeApprovals } from '../../domain/cases/approvals';
import { type DepartureCase, linkedIdOf, openQuestion } from '../../domain/cases/case';
import type { Approval } from '../../domain/store/approval';
import { CASE_PLAN, type StoredItem } from '../../domain/store/case-items';
import type { RowKey } from '../../domain/store/table';
import type { Deps } from '../../ports';
import { pepperOf } from '../tokens/pepper';
import { loadItems, parentOf } from './case-store';
import { approvedBy, type Decided, mark } from './decided';
import { openedOf } from './linked';

type DeciderDeps = Deps<'decider'>;
type Given = GivenApproval & { readonly key: RowKey };
type Found = { readonly items: readonly StoredItem[] } | { readonly why: string };

/**
 * Each approval names its own items and end, and two that name the same decide. `now`: they were accepted in this moment.
 * `before`: by a run before this one, which may have died before it started the next attempt.
 */
export async function decideAcceptance(
  given: readonly Given[],
  of: Omit<Decided, 'judged'>,
  matter: Pick<Parameters<typeof judgeApprovals>[1], 'approvers' | 'sets' | 'barred' | 'now'>,
  deps: DeciderDeps,
): Promise<'now' | 'before' | undefined> {
  if (given.length === 0) return undefined;
  const used = (of.meta.accepted ?? []).map(({ about }) => about);
  const isUsed = ({ about }: Approval) => used.includes(about);
  const find = await finder(of.meta, matter.now, deps);
  const about = (one: Approval) => {
    const found: Found = isUsed(one) ? { why: 'its items are accepted already' } : find(one);
    if ('why' in found) return found;
    const items = found.items.map(({ item }) => acceptedItem(item));
    return { about: acceptanceDigest(items, one.accepts?.until ?? 0) };
  };
  const judged = judgeApprovals(given, { ...matter, decision: 'accept', about });
  const refused = new Map(judged.refused.map(({ approver, why }) => [approver, why]));
  // Those that were used keep what they were told.
  const unused = given.filter((one) => !isUsed(one));
  await mark(unused, (approver) => refused.get(approver), deps);
  const [first] = judged.counted;
  const found = first && find(first);
  if (!judged.isDecided || first?.accepts === undefined || found === undefined || 'why' in found)
    return given.some(isUsed) && of.meta.state !== 'CLOSED' ? 'before' : undefined;
  await deps.tables.transact(
    await writesOf({ ...of, judged }, found.items, { ...first, accepts: first.accepts }, deps),
  );
  return 'now';
}

/** Of an approval, the items that it names as they stand now; or why it can have no effect. */
async function finder(meta: DepartureCase, now: number, deps: DeciderDeps): Promise<(given: Approval) => Found> {
  const items = await loadItems(deps, meta.caseId);
  const inventories = (await deps.tables.query(CASE_PLAN.in(meta.caseId))).map(({ inventory }) => inventory);
  const parent = await parentOf(meta, deps);
  const isAsked = parent !== undefined && openQuestion(parent) !== undefined;
  const stop = acceptsNothing(meta, now) ?? (isAsked ? `decide about case ${parent.caseId} first` : undefined);
  return ({ accepts }) => {
    if (accepts === undefined) return { why: 'it names no items' };
    return stop === undefined ? acceptedNow(accepts, meta, items, inventories, now) : { why: stop };
  };
}

/** The next attempt closes the case, where nothing else is open; the linked case is born in the same transaction. */
async function writesOf(
  decided: Decided,
  items: readonly StoredItem[],
  { accepts, about }: Required<Pick<Approval, 'accepts' | 'about'>>,
  deps: DeciderDeps,
) {
  const { meta } = decided;
  const n = (meta.accepted?.length ?? 0) + 1;
  const linkedId = linkedIdOf(await pepperOf(deps), meta.caseId, `accepted ${n}`);
  const accepted = { ...accepts, linked: linkedId, about };
  const linked = linkedCase(meta, accepted, deps.clock.now());
  const approved = await approvedBy(decided, deps, n);
  return acceptWrites(meta, accepted, items, linked, { approved, opened: await openedOf(linked, deps) });
}
