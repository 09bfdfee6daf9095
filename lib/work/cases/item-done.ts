/** An item is done: its state, what was read back and the record of it, in one transaction. */

import { type CaseMeta, departureOnly } from '../../domain/cases/case';
import type { ItemKind, Observations } from '../../domain/cases/proof';
import { itemRecord, recheckRecord, sealContext } from '../../domain/cases/records';
import { transition } from '../../domain/cases/transitions';
import type { StepRequest } from '../../domain/deployment/messages';
import { CASE_ITEM } from '../../domain/store/case-items';
import type { Write } from '../../domain/store/table';
import type { Deps } from '../../ports';
import { BEGUN, changeCaseWith, isOpen, loadItem, type StoredItem } from './case-store';
import { forgetShut } from './release';
import { shutDone } from './shut';

/** Nothing where another run of the same item was faster. */
export async function markDone(
  stored: StoredItem,
  observed: Observations[ItemKind],
  request: StepRequest,
  deps: Deps<'conductor'>,
): Promise<void> {
  await changeCaseWith<'cases:put' | 'cases:update' | 'cases:delete'>(deps, request, BEGUN, async (meta) => {
    const current = await loadItem(deps, request.caseId, stored.item.nn);
    if (!isOpen(current)) return [];
    const now = deps.clock.now();
    const phase = stored.phase === 'contain' ? 'contained' : 'done';
    const sealed = await sealTarget(meta, stored, `item/${stored.item.nn}/${phase}`, deps);
    const { foundOpen, foundOpenAt } = current;
    const records = [
      // Done anew: that it was is on record already.
      ...(current.doneAt === undefined
        ? [{ record: itemRecord(meta, phase, stored.item, observed, now, sealed) }]
        : []),
      ...(foundOpen !== undefined && foundOpenAt !== undefined
        ? [{ record: recheckRecord(meta, 'shut-again', stored.item, foundOpen, observed, now) }]
        : []),
    ];
    return [
      ...transition(meta, {}, records),
      doneWrite(meta.caseId, stored, observed, now),
      ...(stored.item.kind === 'release' ? [forgetShut(stored.item, stored, departureOnly(meta))] : []),
      ...(await shutDone(stored, meta, deps)),
    ];
  });
}

/** Of whom it was done: in the record of the item and not in that of the list, which has to stay small enough. */
async function sealTarget(
  meta: CaseMeta,
  { target }: StoredItem,
  name: string,
  { sealer }: Deps<'conductor'>,
): Promise<string | undefined> {
  if (Object.keys(target).length === 0) return undefined;
  const { pseudonym, caseId } = departureOnly(meta);
  return sealer.seal(pseudonym, sealContext(caseId, name), JSON.stringify(target));
}

export function doneWrite(
  caseId: string,
  { item }: StoredItem,
  observed: Observations[ItemKind],
  now: number,
): Write<'cases:update'> {
  return {
    kind: 'update',
    table: 'cases',
    key: CASE_ITEM.key(caseId, item),
    set: { state: 'DONE', after: observed, doneAt: now },
    remove: ['foundOpenAt'],
    if: [{ attribute: 'state', is: 'in', values: ['PLANNED', 'STARTED'] }],
  };
}
