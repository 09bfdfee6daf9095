/**
 * Looking again, by a clock, at what containment shut: what a leaver, or somebody who means well, opens again is shut again, and
 * people hear of it when it happens three times.
 */
import { RECHECK_MARKER, type Rechecks } from '../store/case';
import type { StoredItem } from '../store/case-items';
import { put } from '../store/entity';
import type { Write } from '../store/table';
import { type CaseMeta, type DepartureCase, exposureOnly, isGivenBack } from './case';
import { isListedLater } from './containment';
import { recheckedRecord } from './records';
import { transition } from './transitions';

/** After containment: what takes its seconds to spread, and what a script of the leaver does at once. Then every hour. */
export const FIRST_LOOK_SECONDS = 5;
const AFTER_SECONDS = [FIRST_LOOK_SECONDS, 60, 900] as const;
const HOUR_SECONDS = 3600;
/** After a look that did not see everything: one odd item is not asked about every minute, and none waits for an hour. */
const UNSEEN_AGAIN_SECONDS = 300;

/**
 * An answer so soon after the shutting may be of a host that had not heard of it yet: what it says is open is shut once more,
 * and nobody is said to have opened it.
 */
const SPREAD_SECONDS = 60;

/** None for a case in which access stays. */
export function firstRecheck(
  meta: CaseMeta,
  containedAt: number,
  { sessionSecondsMax }: { readonly sessionSecondsMax: number },
): Rechecks | undefined {
  if (meta.kind === 'taint' || exposureOnly(meta)) return undefined;
  const until = containedAt + sessionSecondsMax;
  const next = Math.min(containedAt + FIRST_LOOK_SECONDS, until);
  return { until, next, dueSince: next, times: 0, longestGap: 0 };
}

export function recheckMarker(caseId: string, rechecks: Rechecks | undefined): readonly Write<'cases:put'>[] {
  const { next, dueSince = next } = rechecks ?? {};
  if (next === undefined || dueSince === undefined) return [];
  return [put(RECHECK_MARKER, [next, caseId], { caseId, dueSince })];
}

/** The instant of the next look; undefined after the last one. */
function nextLook(containedAt: number, until: number, lookedAt: number, isWhole: boolean): number | undefined {
  if (lookedAt >= until) return undefined;
  const early = AFTER_SECONDS.map((after) => containedAt + after).find((at) => at > lookedAt);
  const hours = Math.floor((lookedAt - containedAt) / HOUR_SECONDS) + 1;
  const next = Math.min(early ?? containedAt + hours * HOUR_SECONDS, until);
  return isWhole ? next : Math.min(next, lookedAt + UNSEEN_AGAIN_SECONDS);
}

/** What was done for good is not looked at; what the plan will do, and has not, is not the rechecker's to do. */
export function isLookedAt(stored: Pick<StoredItem, 'phase' | 'item' | 'state' | 'doneAt'>): boolean {
  // Two people accepted that it is open: the linked case tries it again.
  if (stored.state === 'ACCEPTED') return false;
  return (
    mayOpenAgain(stored) && (stored.phase === 'contain' || isListedLater(stored.item) || stored.doneAt !== undefined)
  );
}

export function mayOpenAgain({ phase, item }: Pick<StoredItem, 'phase' | 'item'>): boolean {
  return item.kind !== 'unplannable' && (phase === 'contain' || item.kind === 'login-profile');
}

/** Whether somebody opened it, or the one who was asked had not heard yet that it is shut. */
export function wasOpened({ doneAt }: Pick<StoredItem, 'doneAt'>, now: number): boolean {
  return doneAt !== undefined && now - doneAt >= SPREAD_SECONDS;
}

/** A look was made. A case that was given back is left. */
export function lookWrites(
  meta: DepartureCase,
  { items, listings, unseen }: Look,
  now: number,
): readonly Write<'cases:put' | 'cases:update' | 'cases:delete'>[] {
  const { caseId, rechecks, containedAt } = meta;
  if (rechecks?.next === undefined || containedAt === undefined) return [];
  const { next: marked, dueSince = marked, ...before } = rechecks;
  const isWhole = unseen.length === 0;
  const done: Rechecks = isGivenBack(meta) ? before : lookedOnce(before, containedAt, now);
  const next = isGivenBack(meta) ? undefined : nextLook(containedAt, done.until, now, isWhole);
  const after: Rechecks = { ...done, ...(next !== undefined && { next, dueSince: isWhole ? next : dueSince }) };
  const foundOpen = items.reduce((sum, { foundOpen: times = 0 }) => sum + times, 0);
  const isOver = next === undefined && !isGivenBack(meta);
  return [
    ...transition(
      meta,
      { rechecks: after },
      isOver ? [{ record: recheckedRecord(meta, after, { foundOpen, listings, unseen }, now) }] : [],
    ),
    { kind: 'delete', table: 'cases', key: RECHECK_MARKER.key(marked, caseId) },
    ...recheckMarker(caseId, after),
  ];
}

interface Look {
  readonly items: readonly Pick<StoredItem, 'foundOpen'>[];
  /** How often the case is listed by now. */
  readonly listings: number;
  /** Numbers of the items that could not be seen, or could not be shut; `listing` where it could not be looked what is new. */
  readonly unseen: readonly string[];
}

function lookedOnce(before: Rechecks, containedAt: number, now: number): Rechecks {
  const gap = now - (before.at ?? containedAt);
  return { ...before, at: now, times: before.times + 1, longestGap: Math.max(before.longestGap, gap) };
}
