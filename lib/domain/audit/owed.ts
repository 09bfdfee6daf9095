/** Which records a case owes, recomputed from what was recorded as input, never from the plan. */
import type { EvidenceRecord, RecordType } from '../evidence/record';
import { acceptedNumbers, owedByAcceptances } from './accepted';
import {
  caseOf,
  endsKey,
  findKeyRecord,
  inputsOf,
  inventoriesOf,
  isGivenBack,
  laterListings,
  numberOf,
  ownRecord,
  recordsOfCase,
} from './case-records';
import { leftUndecided } from './undecided';

/** Stages of a case in their order; `case.followed-up` only where a second rotation is owed. */
export const STAGES: readonly RecordType[] = [
  'case.opened',
  'case.listed',
  'case.contained',
  'case.inventory',
  'case.planned',
  'case.followed-up',
  'case.closed',
];
/** Of a case that ends a key: there is nobody to contain. */
const OF_PEOPLE: readonly RecordType[] = ['case.listed', 'case.contained'];
/** What each kid tainted by the plan owes, in the order in which it happens. The ring's fence is in their ids. */
export const KEY_RECORDS = ['key.tainted', 'wave.completed', 'key.denied'] as const satisfies readonly RecordType[];

/** Ids of the records that this case owes, as far as its recorded inputs tell by now. */
export function expectedRecords(records: readonly EvidenceRecord[]): string[] {
  const caseId = caseOf(records);
  if (isGivenBack(records)) {
    // One that waited for an import was given back before anything was listed.
    const wasContained = ownRecord(records, 'closed')?.body.containedAt !== undefined;
    return ['opened', ...(wasContained ? ['listed'] : []), 'closed'].map((name) => `${caseId}/${name}`);
  }
  // Of a give-back that another departure overtook.
  const isGiveBack = records.find(({ type, case: of }) => type === 'case.opened' && of === caseId)?.body.givesBack;
  const left = isGiveBack && records.find(({ type, case: of }) => type === 'case.closed' && of === caseId)?.body.open;
  // What two people accepted stays open: it owes their word, and no proof.
  const accepted = acceptedNumbers(records);
  const undecided = leftUndecided(records);
  const isLeft = (nn: string) =>
    accepted.has(nn) || undecided.includes(nn) || (Array.isArray(left) && left.includes(nn));
  const containment = inputsOf(records).containment ?? [];
  const plan = inputsOf(records).plan ?? [];
  const followUp = plan.some(({ nn, kind }) => kind === 'rotate-again' && !undecided.includes(nn));
  const stages = STAGES.filter(
    (type) => (type !== 'case.followed-up' || followUp) && !(endsKey(records) && OF_PEOPLE.includes(type)),
  );
  return [
    ...stages.map((type) => `${caseId}/${type.slice('case.'.length)}`),
    ...laterListings(records).map(({ n }) => `${caseId}/listed/${n}`),
    ...laterPlans(records).flatMap((n) => [`${caseId}/inventory/${n}`, `${caseId}/planned/${n}`]),
    ...owedByAcceptances(records),
    ...containment.flatMap(({ nn, kind }) =>
      isLeft(nn)
        ? []
        : [
            // A console login cannot be given back: removed, and not contained.
            `${caseId}/item/${nn}/${kind === 'login-profile' ? 'done' : 'contained'}`,
            `${caseId}/item/${nn}/proved`,
          ],
    ),
    ...plan.flatMap(({ nn }) => (isLeft(nn) ? [] : [`${caseId}/item/${nn}/done`, `${caseId}/item/${nn}/proved`])),
  ];
}

/** Nothing says that there had to be one; where there is one, it has both of its records. */
function laterPlans(records: readonly EvidenceRecord[]): readonly number[] {
  return inventoriesOf(records)
    .map(numberOf)
    .filter((n) => n !== 1);
}

interface ExpectedKeyRecord {
  readonly type: (typeof KEY_RECORDS)[number] | 'key.retired';
  readonly kid: string;
}

/**
 * Records of the rings that this case owes: by type and kid, among those that name the case. A key whose last token ran out
 * while the case was open was not tainted any more: its retirement is owed, which names no case.
 */
export function expectedKeyRecords(
  records: readonly EvidenceRecord[],
  ofRings: readonly EvidenceRecord[],
): ExpectedKeyRecord[] {
  const plan = inputsOf(records).plan ?? [];
  // What was never begun in a case that nobody decided about is no more than a plan.
  const undecided = leftUndecided(records);
  const planned = plan.flatMap((item) => (item.kind === 'taint' && !undecided.includes(item.nn) ? [item.kid] : []));
  const kids = [...new Set(planned)];
  // Of a departure that was given back, what was begun has to have ended.
  const owed = isGivenBack(records)
    ? kids.filter((kid) => findKeyRecord(records, { type: 'key.tainted', kid }) !== undefined)
    : kids;
  const opened = ownRecord(records, 'opened')?.at ?? Number.POSITIVE_INFINITY;
  const own = recordsOfCase([...records, ...ofRings], caseOf(records));
  const isTainted = (kid: string) => findKeyRecord(own, { type: 'key.tainted', kid }) !== undefined;
  const wasRetired = (kid: string) =>
    ofRings.some(({ type, body, at }) => type === 'key.retired' && body.kid === kid && at >= opened);
  return owed.flatMap((kid): ExpectedKeyRecord[] =>
    wasRetired(kid) && !isTainted(kid) ? [{ type: 'key.retired', kid }] : KEY_RECORDS.map((type) => ({ type, kid })),
  );
}
