/**
 * Looks again at what containment shut, and has shut what is open: five seconds after it, after a minute, after a quarter of an
 * hour, then every hour until no session of the leaver can be alive. Of every case that is due, once a minute; and of one
 * case, as a step of its execution.
 */
import { entry } from '../lib/aws/entry';
import { type ErrorCode, isCurfewError } from '../lib/domain/base/errors';
import { isGivenBack, parseCaseId } from '../lib/domain/cases/case';
import { FIRST_LOOK_SECONDS, isLookedAt, lookWrites } from '../lib/domain/cases/recheck';
import type { StepRequest } from '../lib/domain/deployment/messages';
import { CASE, type DepartureCase, RECHECK_MARKER } from '../lib/domain/store/case';
import { CASE_LIST } from '../lib/domain/store/case-items';
import type { Deps } from '../lib/ports';
import { loadItems } from '../lib/work/cases/case-store';
import { fewAtOnce } from '../lib/work/together';
import { inTurn } from '../lib/work/transactions';

type RecheckerDeps = Deps<'rechecker'>;

/** What could be neither seen nor shut: the number of an item, or `listing`; and why. */
type Unseen = readonly { readonly what: string; readonly code: ErrorCode }[];
interface Answer {
  readonly cases: number;
  readonly unseen: Unseen;
}

/** A run begins with no further case or item after this: the next run is a minute behind it. */
const BEGIN_WITHIN_SECONDS = 45;
const CASES_AT_ONCE = 5;
const ITEMS_AT_ONCE = 5;

/** The cases that are due, the longest due first. Each on its own: one that cannot be looked at keeps no other from it. */
export async function recheckDue(deps: RecheckerDeps): Promise<Answer> {
  const begunAt = deps.clock.now();
  const due = (await deps.tables.query(RECHECK_MARKER.in())).filter(({ at }) => at <= begunAt);
  const unseen: Unseen[] = [];
  await fewAtOnce(due, CASES_AT_ONCE, async ({ caseId }) => {
    if (isInTime(begunAt, deps)) unseen.push(await look(caseId, begunAt, deps));
  });
  return { cases: unseen.length, unseen: unseen.flat() };
}

function isInTime(begunAt: number, { clock }: RecheckerDeps): boolean {
  return clock.now() - begunAt < BEGIN_WITHIN_SECONDS;
}

/** The step: the first look, whether or not the clock strikes in time. */
export async function recheck({ caseId }: Pick<StepRequest, 'caseId'>, deps: RecheckerDeps): Promise<Answer> {
  const meta = await loadRechecked(caseId, deps);
  if (meta?.containedAt === undefined || meta.rechecks?.at !== undefined) return { cases: 0, unseen: [] };
  const early = meta.containedAt + FIRST_LOOK_SECONDS - deps.clock.now();
  if (early > 0) await deps.clock.sleep(early);
  return { cases: 1, unseen: await look(caseId, deps.clock.now(), deps) };
}

async function look(caseId: string, begunAt: number, deps: RecheckerDeps): Promise<Unseen> {
  const meta = await loadRechecked(caseId, deps);
  if (meta === undefined) return [];
  const unseen = isGivenBack(meta) ? [] : await lookAtAll(meta, begunAt, deps);
  // If we stop here, the marker stands: the next minute looks once more, and finds shut what was shut.
  await inTurn(`case ${caseId}`, async () => {
    const current = await loadRechecked(caseId, deps);
    // Another run has looked since this one began, and has written so.
    if (current === undefined || (current.rechecks?.at ?? 0) > begunAt) return;
    const lists = await deps.tables.query(CASE_LIST.in(caseId));
    const found = {
      items: await loadItems(deps, caseId),
      listings: lists.filter((list) => list.state === 'FROZEN').length,
      unseen: unseen.map(({ what }) => what).sort(),
    };
    await deps.tables.transact(lookWrites(current, found, deps.clock.now()));
  });
  return unseen;
}

/** What came to be since is listed, what is open is shut. Answers what of that could not be done. */
async function lookAtAll(
  { caseId, attempt, state }: DepartureCase,
  begunAt: number,
  deps: RecheckerDeps,
): Promise<Unseen> {
  const { functions } = deps;
  const request = (step: string, nn: string): StepRequest => ({ caseId, attempt, step, nn });
  const unseen: { what: string; code: ErrorCode }[] = [];
  // An odd item, or an IAM that does not answer, delays no other: it is looked at again in minutes, and alarmed if it stays so.
  const each = async (what: string, work: () => Promise<unknown>) => {
    // Where items hang, those behind them are said not to be seen, and the run ends before it is stopped.
    if (!isInTime(begunAt, deps)) return unseen.push({ what, code: 'ERR_UNAVAILABLE' });
    try {
      await work();
    } catch (error) {
      if (!isCurfewError(error)) throw error;
      unseen.push({ what, code: error.code });
    }
    return undefined;
  };
  await each('listing', () => functions.invoke('planner', { caseId, attempt, step: 'list' }));
  const items = (await loadItems(deps, caseId)).filter(isLookedAt);
  await fewAtOnce(items, ITEMS_AT_ONCE, ({ item: { nn }, state: was }) =>
    each(nn, async () => {
      const { open } = await functions.invoke('prover', request('look', nn));
      if (open) await functions.invoke('conductor', request('item', nn));
      // Of an open case the last step proves it; a closed one has no step left.
      if (state === 'CLOSED' && (open || was !== 'PROVED')) await functions.invoke('prover', request('prove', nn));
    }),
  );
  return unseen;
}

/** Contained, with a look still to come. */
async function loadRechecked(caseId: string, { tables }: RecheckerDeps): Promise<DepartureCase | undefined> {
  const meta = await tables.get(CASE, caseId);
  return meta?.kind === 'departure' && meta.rechecks?.next !== undefined ? meta : undefined;
}

export const handler = entry('rechecker', ({ caseId }: { readonly caseId?: string }, deps: RecheckerDeps) =>
  caseId === undefined ? recheckDue(deps) : recheck({ caseId: parseCaseId(caseId) }, deps),
);
