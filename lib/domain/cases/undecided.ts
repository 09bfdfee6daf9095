/**
 * A held case that nobody can decide about: the deployment names no approvers. After 30 days it closes as not decided, still
 * contained. Whatever was begun has ended by then; what was not begun is never done.
 */
import type { Question } from '../store/case';
import type { CaseItem, StoredItem } from '../store/case-items';
import { type CaseMeta, isGivenBack, isWaiting, openQuestion } from './case';

export const UNDECIDED_SECONDS = 30 * 86_400;

interface SetFrom {
  readonly at: number;
  readonly members: readonly unknown[];
}

/** By every set on record that held at some moment of the last 30 days, nobody could approve. */
export function nobodyCould(sets: readonly SetFrom[], now: number): boolean {
  const from = now - UNDECIDED_SECONDS;
  const held = [...sets.filter(({ at }) => at <= from).slice(-1), ...sets.filter(({ at }) => at > from && at <= now)];
  return held.length > 0 && (held[0]?.at ?? now) <= from && held.every(({ members }) => members.length === 0);
}

/** The question that nobody decided; undefined where the case goes on waiting. A suspension never closes by itself. */
export function undecidedQuestion(meta: CaseMeta, sets: readonly SetFrom[], now: number): Question | undefined {
  if (meta.kind === 'taint' || meta.act === 'suspend' || isGivenBack(meta) || isWaiting(meta)) return undefined;
  const { containedAt, plannedAt } = meta;
  const question = openQuestion(meta);
  if (question === undefined || containedAt === undefined || plannedAt === undefined) return undefined;
  const heldAt = Math.max(question.askedAt, containedAt);
  return now >= heldAt + UNDECIDED_SECONDS && nobodyCould(sets, now) ? question : undefined;
}

/** May an item of this kind stay open in a case that nobody decided about? A key that was copied never waits for people. */
export function mayStayOpen(item: CaseItem, isOfPlan: boolean): boolean {
  if (item.kind === 'unplannable') return true;
  return isOfPlan && !(item.kind === 'taint' && item.class === 'compromise');
}

/** Whatever was begun runs to its end first; what was done, and is open again, is done again. */
export function isNeverBegun({ item, phase, state, doneAt }: StoredItem): boolean {
  return state === 'PLANNED' && doneAt === undefined && mayStayOpen(item, phase === 'act');
}
