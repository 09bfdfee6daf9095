/**
 * What was shut was looked at again (docs/evidence-format.md, "Rechecks"): whatever was found open was shut once more, people
 * were asked where it happened three times, and the last look came after every session that was alive at containment.
 */
import { CurfewError } from '../base/errors';
import { FOUND_OPEN, FOUND_OPEN_MAX } from '../cases/questions';
import type { EvidenceRecord } from '../evidence/record';
import { caseOf, givenBackBy, ownRecord } from './case-records';

/** A log that goes on for so long after the last look was due, without it, has no look. */
const LAST_LOOK_WITHIN_SECONDS = 7200;

/** `records`: of the case; `all`: of the log, for how far it goes. */
export function checkRechecks(records: readonly EvidenceRecord[], all: readonly EvidenceRecord[]): void {
  const own = withItems(records);
  const givenBack = givenBackBy(records);
  checkShutAgain(own, givenBack);
  checkAsked(own);
  // What was given back is open, and nobody looks after it any more.
  if (givenBack === undefined) checkLastLook(records, all);
  checkRechecked(records, own);
}

/** Records of items may carry the ring that a subject is of. */
function withItems(records: readonly EvidenceRecord[]): readonly EvidenceRecord[] {
  const caseId = caseOf(records);
  return records.filter(({ case: of }) => of === caseId);
}

/** Each time is numbered, and was shut again afterwards; but for the last one before two people gave the departure back. */
function checkShutAgain(own: readonly EvidenceRecord[], givenBack: EvidenceRecord | undefined): void {
  const [found, again] = [own.filter(isFoundOpen), own.filter(({ type }) => type === 'item.shut-again')];
  for (const { id, at, body } of found) {
    const times = found.filter((one) => one.body.nn === body.nn).map((one) => Number(one.body.n));
    if (times.filter((n) => n <= Number(body.n)).length !== body.n)
      throw incomplete(`${id}: the times before it are not all on record`, id);
    const shut = again.find((one) => one.body.nn === body.nn && one.body.n === body.n);
    const isLast = Math.max(...times) === body.n;
    const wasLeft = givenBack !== undefined && isLast && at <= givenBack.at;
    if (shut === undefined && !wasLeft) throw incomplete(`${id}: no record says that it was shut again`, id);
    if (shut !== undefined && shut.at < at) throw broken(`${shut.id} is dated before ${id}, which it follows`, shut.id);
  }
}

/** Three times one thing: people were asked at that moment, or had been; and no source can answer that. */
function checkAsked(own: readonly EvidenceRecord[]): void {
  const asked = own.filter(({ type, body }) => type === 'case.asked' && reasonsOf(body).includes(FOUND_OPEN));
  for (const { id, at, body } of own.filter(isFoundOpen))
    if (body.n === FOUND_OPEN_MAX && !asked.some((one) => one.at <= at))
      throw incomplete(`${id}: it was found open ${FOUND_OPEN_MAX} times, and nobody was asked`, id);
  for (const { id, body } of asked) {
    const over = own.find(({ type, body: { question } }) => type === 'case.went-on' && question === body.n);
    const goesOn = asked.some((later) => Number(later.body.n) > Number(body.n));
    if (over?.body.by === 'sources' && !goesOn)
      throw broken(`${over.id}: no source can settle what ${id} asks: something was found open`, over.id);
  }
}

const isFoundOpen = ({ type }: EvidenceRecord) => type === 'item.found-open';

function checkLastLook(records: readonly EvidenceRecord[], all: readonly EvidenceRecord[]): void {
  const until = ownRecord(records, 'contained')?.body.recheckUntil;
  if (typeof until !== 'number' || ownRecord(records, 'rechecked') !== undefined) return;
  const last = all.reduce((latest, { at }) => Math.max(latest, at), 0);
  if (last < until + LAST_LOOK_WITHIN_SECONDS) return;
  throw incomplete(
    'what was shut was to be looked at again until every session was over, and no record says that it was',
    until,
  );
}

function checkRechecked(records: readonly EvidenceRecord[], own: readonly EvidenceRecord[]): void {
  const [contained, rechecked] = [ownRecord(records, 'contained'), ownRecord(records, 'rechecked')];
  if (rechecked === undefined) return;
  const { until, times, foundOpen, listings } = rechecked.body;
  const byThen = (of: EvidenceRecord['type']) => own.filter(({ type, at }) => type === of && at <= rechecked.at).length;
  const faults = [
    [until !== contained?.body.recheckUntil, 'it is about another end than the containment says'],
    [rechecked.at < Number(until), 'the last look came before every session was over'],
    [foundOpen !== byThen('item.found-open'), 'it counts other findings than are on record'],
    [listings !== byThen('case.listed'), 'it counts other listings than are on record'],
    [typeof times !== 'number' || times < 1, 'nobody looked'],
  ] as const;
  const fault = faults.find(([isSo]) => isSo);
  if (fault) throw broken(`${rechecked.id}: ${fault[1]}`, rechecked.id);
}

function reasonsOf({ reasons }: EvidenceRecord['body']): readonly unknown[] {
  return Array.isArray(reasons) ? reasons : [];
}

function broken(message: string, got: string): CurfewError {
  return new CurfewError('ERR_EVIDENCE_RECORD', message, { got });
}

function incomplete(message: string, got: string | number): CurfewError {
  return new CurfewError('ERR_EVIDENCE_INCOMPLETE', message, { got });
}
