/**
 * What people decided about a case, as its records tell it (docs/evidence-format.md, "Decisions"): every question of a closed
 * case is over, and where people ended it, two approvers did who could approve at that time, and neither was the leaver.
 */
import type { Json, JsonObject } from '../base/encoding';
import { CurfewError } from '../base/errors';
import { approversDigest, inForce, SECOND_WITHIN_SECONDS, USED_WITHIN_SECONDS } from '../cases/approvals';
import type { EvidenceRecord } from '../evidence/record';
import { ENDED_BY } from '../store/case';
import { acceptanceAbout, acceptancesOf } from './accepted';
import { checkUndecided } from './undecided';

/** Ended by these, people decided; otherwise the sources agreed again. */
const BY_PEOPLE = ['go-on', 'give-back'];

export function checkDecisions(all: readonly EvidenceRecord[], caseId: string): void {
  const own = all.filter((record) => record.case === caseId);
  const ofType = (type: EvidenceRecord['type']) => own.filter((record) => record.type === type);
  const wentOn = ofType('case.went-on');
  const [closed] = ofType('case.closed');
  for (const { id, at, body } of ofType('case.asked')) {
    const over = wentOn.find((record) => record.body.question === body.n);
    // What is asked about a closed case may stay open: it can only be given back.
    if (closed !== undefined && at <= closed.at && over === undefined)
      throw broken(`the case is closed, and nothing ended the question of ${id}`, id);
  }
  const opened = ofType('case.opened')[0];
  for (const over of wentOn) {
    if (!ENDED_BY.some((one) => one === over.body.by))
      throw broken(`${over.id}: neither people nor the sources ended the question`, over.id);
    if (BY_PEOPLE.includes(String(over.body.by))) {
      // A second rotation, and what proves accepted items again, goes with the case that it follows, and rests on the decision about that one.
      const of = opened?.body.followUpOf ?? opened?.body.provesAgain;
      if (of === undefined) checkApproved(over, own, all);
      else checkDecided(over, String(of), all);
    }
  }
  if (opened?.body.readmits !== undefined) checkReadmitted(opened, own, all);
  else if (opened?.body.givesBack !== undefined) checkGivenBack(opened, all);
  checkUndecided(own, setsOnRecord(all));
  for (const accepted of acceptancesOf(own)) checkAccepted(accepted, own, all);
}

function checkApproved(over: EvidenceRecord, own: readonly EvidenceRecord[], all: readonly EvidenceRecord[]): void {
  const { question, by } = over.body;
  // What people accepted at a time when no question was open is another matter.
  const approvals = own.filter(
    ({ type, body }) => type === 'case.approved' && body.question === question && body.accepted === undefined,
  );
  const asked = own.find(({ type, body }) => type === 'case.asked' && body.n === question);
  checkTwo(over, String(by), by === 'go-on' ? { about: asked?.body.about } : {}, approvals, own, all);
}

/** The two had before them the list and the end that stand on record. */
function checkAccepted(record: EvidenceRecord, own: readonly EvidenceRecord[], all: readonly EvidenceRecord[]): void {
  const approvals = own.filter(({ type, body }) => type === 'case.approved' && body.accepted === record.body.n);
  checkTwo(record, 'accept', { about: acceptanceAbout(record) }, approvals, own, all);
}

/** Two people who could approve at that time, neither the leaver, decided this about the same, in time. */
function checkTwo(
  over: EvidenceRecord,
  by: string,
  must: { readonly about?: Json },
  approvals: readonly EvidenceRecord[],
  own: readonly EvidenceRecord[],
  all: readonly EvidenceRecord[],
): void {
  const approvers = new Set(approvals.map(({ body }) => body.approver));
  const [first] = approvals;
  const leaver = own.find(({ type }) => type === 'case.opened')?.body.pseudonym;
  const sets = setsOnRecord(all);
  const standing = inForce(sets, over.at).find(({ digest }) => digest === first?.body.set);
  const couldApprove = ({ approver, approvedAt }: JsonObject) =>
    inForce(sets, Number(approvedAt)).some(({ approvers: then }) => then.includes(approver as string));
  const faults = [
    [approvals.length !== 2 || approvers.size !== 2, 'two different approvers did not decide it'],
    [approvals.some(({ body }) => body.decision !== by), 'an approver decided something else'],
    [approvals.some(({ body }) => body.about !== first?.body.about), 'the two did not see the same statements'],
    ['about' in must && first?.body.about !== must.about, 'they decided about something else than what is on record'],
    [approvals.some(({ body }) => body.set !== first?.body.set), 'the two are of different sets of approvers'],
    [standing === undefined, 'the set of approvers is not the one that held when it was decided'],
    [
      [...approvers].some((approver) => !standing?.approvers.includes(approver as string)),
      'an approver is not of the set on record',
    ],
    [approvals.some(({ body }) => !couldApprove(body)), 'an approver was not yet, or no more, when they approved'],
    [approvers.has(leaver), 'the leaver approved'],
    [approvals.some(({ at }) => at > over.at), 'an approval is dated after what it decided'],
    [
      !isInTime(
        approvals.map(({ body }) => Number(body.approvedAt)),
        over.at,
      ),
      'the approvals are too far apart, or too old',
    ],
  ] as const;
  const fault = faults.find(([isSo]) => isSo);
  if (fault) throw broken(`${over.id}: ${fault[1]}`, over.id);
}

/**
 * A readmission rests on two approvals of its own: the departure that shut the subject stays as it is. It is of a closed one of
 * the same person, and opens one subject and nothing else.
 */
function checkReadmitted(opened: EvidenceRecord, own: readonly EvidenceRecord[], all: readonly EvidenceRecord[]): void {
  const { id, at, body } = opened;
  const ofIt = (type: EvidenceRecord['type']) =>
    all.find((record) => record.type === type && record.case === body.givesBack);
  const things = own.flatMap(({ type, body: { things: listed } }) =>
    type === 'case.inventory' && Array.isArray(listed) ? (listed as readonly JsonObject[]) : [],
  );
  const closed = ofIt('case.closed');
  const faults = [
    [ofIt('case.opened')?.body.pseudonym !== body.pseudonym, 'it is of a departure of somebody else, or of none'],
    [closed === undefined || closed.at > at, 'the departure that shut it was not closed'],
    [
      Number(ofIt('case.contained')?.body.recheckUntil ?? 0) > at,
      'what the departure shut was to be looked at again after that',
    ],
    [things.length > 1 || things.some(({ thing }) => thing !== 'cut-off'), 'it opens more than one subject'],
  ] as const;
  const fault = faults.find(([isSo]) => isSo);
  if (fault) throw broken(`${id}: ${fault[1]}`, id);
  const question = own.find(({ type }) => type === 'case.approved')?.body.question ?? 0;
  checkApproved({ ...opened, body: { question, by: 'readmit' } }, own, all);
}

/** Who could approve, and from when on: every set of the log, by its number, none left out between two of them. */
function setsOnRecord(all: readonly EvidenceRecord[]) {
  const sets = all
    .filter(({ type }) => type === 'approvers.set')
    .map(({ id, at, body }) => ({
      id,
      at,
      n: Number(body.n),
      digest: body.set,
      approvers: Array.isArray(body.approvers) ? body.approvers.map(String) : [],
    }))
    .sort((a, b) => a.n - b.n);
  for (const [i, { id, at, n, digest, approvers }] of sets.entries()) {
    if (n !== i + 1 || id !== `approvers/${n}`)
      throw broken(`${id}: the log has no approvers/${i + 1} before it, or has it twice`, id);
    if (at < (sets[i - 1]?.at ?? 0)) throw broken(`${id} is dated before the set that it replaces`, id);
    if (digest !== approversDigest(approvers)) throw broken(`${id}: the set of approvers has other members`, id);
  }
  return sets;
}

/** The second within a week of the first, used within a day of the second; NaN is never in time. */
function isInTime(approvedAt: readonly number[], usedAt: number): boolean {
  const [first = Number.NaN, second = Number.NaN] = [...approvedAt].sort((a, b) => a - b);
  return second - first <= SECOND_WITHIN_SECONDS && usedAt - second <= USED_WITHIN_SECONDS;
}

/** Up to the case of the departure, where two people decided. */
function checkDecided(
  over: EvidenceRecord,
  of: string,
  all: readonly EvidenceRecord[],
  below: readonly string[] = [],
): void {
  const decided = all.find(
    ({ type, case: given, body }) =>
      type === 'case.went-on' && given === of && body.by === 'give-back' && body.giveBack === over.body.giveBack,
  );
  if (decided === undefined || below.includes(of))
    throw broken(`${over.id}: no record says that people gave ${of} back`, over.id);
  const own = all.filter((record) => record.case === of);
  const { followUpOf, provesAgain } = own.find(({ type }) => type === 'case.opened')?.body ?? {};
  const above = followUpOf ?? provesAgain;
  if (above === undefined) checkApproved(decided, own, all);
  else checkDecided(decided, String(above), all, [...below, of]);
}

/** A give-back opens what another case shut, and rests on the decision that stands there. */
function checkGivenBack({ id, case: of, body }: EvidenceRecord, all: readonly EvidenceRecord[]): void {
  const decided = all.find(
    ({ type, case: given, body: said }) =>
      type === 'case.went-on' && given === body.givesBack && said.by === 'give-back' && said.giveBack === of,
  );
  if (decided === undefined)
    throw broken(`${id} gives back ${String(body.givesBack)}, and no record says that people decided so`, id);
  const own = all.filter((record) => record.case === decided.case);
  checkApproved(decided, own, all);
}

function broken(message: string, got: string): CurfewError {
  return new CurfewError('ERR_EVIDENCE_RECORD', message, { got });
}
