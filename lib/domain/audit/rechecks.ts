/**
 * What was shut was looked at again (docs/evidence-format.md, "Rechecks"): whatever was found open was shut once more, people
 * were asked where it happened three times, and the last look came after every session that was alive at containment.
 */
import { CurfewError } from '../base/errors';
import { FOUND_OPEN, FOUND_OPEN_MAX } from '../cases/questions';
import type { EvidenceRecord } from '../evidence/record';
import { ownRecord } from './case-records';

/** A log that goes on for so long after the last look was due, without it, has no look. */
const LAST_LOOK_WITHIN_SECONDS = 7200;

/** `records`: of the case; `all`: of the log, for how far it goes. */
export function checkRechecks(records: readonly EvidenceRecord[], all: readonly EvidenceRecord[]): void {
  const given = records.find(({ type, body }) => type === 'case.went-on' && body.by === 'give-back');
  // What was given back is open, and nobody looks after it any more.
  if (given === undefined) {
    checkShutAgain(records);
    checkAsked(records);
    checkLastLook(records, all);
  }
  checkRechecked(records);
}

/** Each time is numbered, and each was shut again afterwards. */
function checkShutAgain(records: readonly EvidenceRecord[]): void {
  const ofType = (type: EvidenceRecord['type']) => records.filter((record) => record.type === type);
  const again = ofType('item.shut-again');
  for (const { id, at, body } of ofType('item.found-open')) {
    const shut = again.find((one) => one.body.nn === body.nn && one.body.n === body.n);
    if (shut === undefined) throw incomplete(`${id}: no record says that it was shut again`, id);
    if (shut.at < at) throw broken(`${shut.id} is dated before ${id}, which it follows`, shut.id);
    const before = ofType('item.found-open').filter(
      (one) => one.body.nn === body.nn && Number(one.body.n) <= Number(body.n),
    );
    if (before.length !== body.n) throw incomplete(`${id}: the times before it are not all on record`, id);
  }
}

/** Three times one thing: people were asked, and no source can answer that. */
function checkAsked(records: readonly EvidenceRecord[]): void {
  const third = records.find(({ type, body }) => type === 'item.found-open' && body.n === FOUND_OPEN_MAX);
  const asked = records.filter(({ type, body }) => type === 'case.asked' && reasonsOf(body).includes(FOUND_OPEN));
  if (third !== undefined && asked.length === 0)
    throw incomplete(`${third.id}: it was found open ${FOUND_OPEN_MAX} times, and nobody was asked`, third.id);
  for (const { id, body } of asked) {
    const over = records.find((record) => record.type === 'case.went-on' && record.body.question === body.n);
    const goesOn = asked.some((later) => Number(later.body.n) > Number(body.n));
    if (over?.body.by === 'sources' && !goesOn)
      throw broken(`${over.id}: no source can settle what ${id} asks: something was found open`, over.id);
  }
}

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

function checkRechecked(records: readonly EvidenceRecord[]): void {
  const [contained, rechecked] = [ownRecord(records, 'contained'), ownRecord(records, 'rechecked')];
  if (rechecked === undefined) return;
  const { until, times, foundOpen, listings } = rechecked.body;
  const byThen = (of: EvidenceRecord['type']) =>
    records.filter(({ type, at }) => type === of && at <= rechecked.at).length;
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
