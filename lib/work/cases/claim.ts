/** A step that cannot be undone is claimed first: one transaction that finds no doubt, and from then on none stops it. */
import { CurfewError } from '../../domain/base/errors';
import { type CaseMeta, type DepartureCase, openQuestion, stopOf } from '../../domain/cases/case';
import { transition } from '../../domain/cases/transitions';
import type { StepRequest } from '../../domain/deployment/messages';
import { CASE } from '../../domain/store/case';
import { CASE_ITEM } from '../../domain/store/case-items';
import type { Write } from '../../domain/store/table';
import type { Deps } from '../../ports';
import { BEGUN, changeCaseWith, loadItems, parentOf, type StoredItem } from './case-store';

type ConductorDeps = Deps<'conductor'>;

/**
 * May this item begin? A key that could have been copied is tainted whatever the doubt: while people make up their minds
 * it would go on signing for whoever has the copy.
 */
export function mayBegin({ item, doneAt }: StoredItem, { meta, parent }: Standing, now: number): boolean {
  if (meta.kind === 'taint') return true;
  if (meta.givenBackAt !== undefined || parent?.givenBackAt !== undefined) return false;
  if (meta.act === 'suspend' && meta.givesBack === undefined) return false;
  if (item.kind === 'taint' && item.class === 'compromise') return true;
  // It was done before, and somebody undid it: what let it begin then, lets it begin again.
  if (doneAt !== undefined) return true;
  return stopOf(meta, now) === undefined && (parent === undefined || openQuestion(parent) === undefined);
}

/** A case, and the one whose second rotation it is: a question about that one is about both. */
interface Standing {
  readonly meta: CaseMeta;
  readonly parent: DepartureCase | undefined;
}

export async function standingOf(meta: CaseMeta, deps: Pick<ConductorDeps, 'tables'>): Promise<Standing> {
  return { meta, parent: await parentOf(meta, deps) };
}

/** Claims those that may begin and have not; answers the items as they stand then. */
export async function claim(
  request: StepRequest,
  which: (stored: StoredItem) => boolean,
  deps: ConductorDeps,
): Promise<readonly StoredItem[]> {
  await changeCaseWith<'cases:update' | 'cases:put' | 'cases:check'>(deps, request, BEGUN, async (meta) => {
    const now = deps.clock.now();
    const open = (await loadItems(deps, request.caseId)).filter(
      (stored) => which(stored) && stored.state === 'PLANNED',
    );
    const standing = await standingOf(meta, deps);
    const claimed = open.filter((stored) => mayBegin(stored, standing, now));
    // The fence of the case moves with the claim: a question that is raised in this moment makes one of the two read again.
    return claimed.length === 0
      ? []
      : [
          ...transition(meta, {}),
          ...claimed.map((stored) => startWrite(meta, stored, now)),
          ...unasked(standing.parent),
        ];
  });
  return (await loadItems(deps, request.caseId)).filter(which);
}

/** The same of one item; `ERR_CASE_STOPPED` where a doubt stands against it. */
export async function claimItem(stored: StoredItem, request: StepRequest, deps: ConductorDeps): Promise<void> {
  const [found] = await claim(request, ({ item }) => item.nn === stored.item.nn, deps);
  if (found?.state !== 'PLANNED') return;
  throw new CurfewError('ERR_CASE_STOPPED', `item ${stored.item.nn} of case ${request.caseId} waits for people`, {
    fix: `see \`curfew case explain ${request.caseId}\``,
  });
}

/** The case that this one follows is as it was read: a question about it, too, makes one of the two read again. */
function unasked(parent: DepartureCase | undefined): Write<'cases:check'>[] {
  if (parent === undefined) return [];
  const test = { attribute: 'fence', is: '=', value: parent.fence } as const;
  return [{ kind: 'check', table: 'cases', key: CASE.key(parent.caseId), if: [test] }];
}

function startWrite({ caseId }: CaseMeta, { item }: StoredItem, now: number): Write<'cases:update'> {
  return {
    kind: 'update',
    table: 'cases',
    key: CASE_ITEM.key(caseId, item),
    set: { state: 'STARTED', startedAt: now },
    if: [{ attribute: 'state', is: '=', value: 'PLANNED' }],
  };
}
