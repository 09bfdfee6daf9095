/** The one sentence the page begins with. It follows the offline verification, and is never better than that. */

import type { Check, IndexedRecord, Verdict } from '../domain/audit/bundle';
import { canonicalJson, type Json } from '../domain/base/encoding';
import { instant } from '../domain/base/time';
import { listContainment, type PrincipalRef } from '../domain/cases/containment';
import { type Inventory, planCase } from '../domain/cases/plan';
import { type CaseFacts, endsAKey, type ItemFacts, isExposureOnly } from './facts';
import { whole } from './fields';
import type { Summary } from './summary';

/** `accepted`: closed, with items that two people accepted and nobody proved. */
export type Outcome = 'proved' | 'accepted' | 'open' | 'unverified';

export interface Judgement {
  readonly outcome: Outcome;
  readonly sentence: string;
  /** What keeps it from being proved, one clause each. */
  readonly because: readonly string[];
}

export function judge(verdict: Verdict, facts: CaseFacts, summary: Summary | undefined): Judgement {
  const failed = verdict.checks.filter(({ ok }) => !ok);
  const holds = verdict.ok && failed.length === 0 && verdict.checks.length > 0;
  if (!holds && (verdict.checks.length === 0 || !isMerelyUnfinished(failed, facts)))
    return {
      outcome: 'unverified',
      sentence: 'This evidence does not verify',
      because: failed.map(({ claim, detail }) => `Not so: ${claim}${detail === undefined ? '' : ` (${detail})`}.`),
    };

  const because = openReasons(facts, summary, failed);
  const nothing = holds && facts.stages['case.closed'] !== undefined && facts.items.length === 0;
  if (nothing)
    return {
      outcome: 'open',
      sentence: endsAKey(facts)
        ? 'Nothing was done: no token of the key counted any more'
        : 'Nothing was on record that this person could use',
      because,
    };
  if (because.length > 0) return { outcome: 'open', sentence: 'Open items remain', because };
  const accepted = facts.items.filter(isAccepted);
  if (accepted.length > 0)
    return {
      outcome: 'accepted',
      sentence: `Closed with exceptions: ${facts.items.length - accepted.length} items are proved, and ${accepted.length} are not`,
      because: accepted.map(
        ({ nn, accepted: by }) => `Item ${nn} is not proved: two people accepted it ${untilOf(by)}.`,
      ),
    };
  return { outcome: 'proved', sentence: proved(facts), because };
}

/** What is proved needs nobody's word. */
export function isAccepted({ proved, accepted }: ItemFacts): boolean {
  return !proved && accepted !== undefined;
}

export function untilOf(accepted: IndexedRecord | undefined): string {
  const until = whole(accepted?.record.body, 'until');
  return until === undefined ? 'without an end' : `until ${instant(until)}`;
}

function proved(facts: CaseFacts): string {
  if (endsAKey(facts)) return 'The key was ended, and is proved refused';
  return isExposureOnly(facts)
    ? 'Every key this person had custody of was replaced, and the old ones are proved refused'
    : 'Everything on record that this person could use was cut off and proved refused';
}

function openReasons(
  { stages, items, openQuestions }: CaseFacts,
  summary: Summary | undefined,
  failed: readonly Check[],
): string[] {
  const unproved = items.filter((item) => !item.proved && !isAccepted(item));
  const refuted = summary?.checks.filter(({ ok }) => !ok) ?? [];
  return [
    ...(stages['case.closed'] === undefined ? ['The case is not closed.'] : []),
    ...(stages['case.closed']?.record.body.notDecided === undefined
      ? []
      : ['Nobody could decide whether it goes on, and after 30 days it was closed as it stood, still contained.']),
    ...(openQuestions > 0 ? ['The case is on hold until people decide.'] : []),
    ...(items.length === 0 ? ['No item is on record, so nothing was cut off and nothing is proved.'] : []),
    ...unproved.map(({ nn }) => `Item ${nn} has not been observed as it should be.`),
    ...refuted.map(({ id }) => `The observed check ${id} did not hold.`),
    ...failed.flatMap(({ id, detail }) =>
      id === 'manifest'
        ? `The evidence is intact as far as it goes, but not complete: ${detail ?? 'records are missing'}.`
        : [],
    ),
  ];
}

/**
 * A case that still runs owes records by design, and their order is looked at when they are there. A closed case that
 * owes records, or a plan that is not what its inputs ask for, is no evidence.
 */
function isMerelyUnfinished(failed: readonly Check[], facts: CaseFacts): boolean {
  const { stages, plans } = facts;
  const onlyMissing = failed.every(
    ({ id, code }) => (id === 'manifest' || id === 'order') && code === 'ERR_EVIDENCE_INCOMPLETE',
  );
  return (
    onlyMissing &&
    stages['case.opened'] !== undefined &&
    stages['case.closed'] === undefined &&
    isPlannedAsAsked(stages, plans)
  );
}

function isPlannedAsAsked(stages: CaseFacts['stages'], plans: CaseFacts['plans']): boolean {
  const listed = stages['case.listed']?.record.body;
  const containment = listed && listContainment(listed.principals as unknown as readonly PrincipalRef[]);
  return (
    isSame(listed?.items, containment) &&
    plans.every(({ inventory, planned }) => {
      const plan = inventory && planned && planCase(inventory.record.body as unknown as Inventory);
      return isSame(plan && planned?.record.body.items, plan);
    })
  );
}

function isSame(frozen: Json | undefined, asked: readonly object[] | undefined): boolean {
  return canonicalJson(frozen ?? null) === canonicalJson((asked ?? null) as unknown as Json);
}
