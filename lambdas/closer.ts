/** Closes a case when every item is proved, and seals it when every expected record has its place in the tree. */

import { entry } from '../lib/aws/entry';
import { linkedOpenings } from '../lib/domain/audit/accepted';
import { findKeyRecord, recordsOfCase } from '../lib/domain/audit/case-records';
import { expectedKeyRecords, expectedRecords } from '../lib/domain/audit/owed';
import { CurfewError } from '../lib/domain/base/errors';
import {
  type CaseMeta,
  type CaseState,
  type DepartureCase,
  departureOnly,
  isGivenBack,
  openQuestion,
  type Question,
  stopOf,
} from '../lib/domain/cases/case';
import { closedRecord, endedRecord } from '../lib/domain/cases/records';
import { departsAgain } from '../lib/domain/cases/shut';
import { transition } from '../lib/domain/cases/transitions';
import { isNeverBegun, undecidedQuestion } from '../lib/domain/cases/undecided';
import type { StepRequest } from '../lib/domain/deployment/messages';
import { type EvidenceRecord, recordFrom } from '../lib/domain/evidence/record';
import { CASE_LIST } from '../lib/domain/store/case-items';
import { LOG_RECORD } from '../lib/domain/store/log';
import { CASE_OUT, RING_OUT } from '../lib/domain/store/outbox';
import { APPROVERS } from '../lib/domain/store/worker';
import type { Deps } from '../lib/ports';
import { changeCase, loadCase, loadItems, parentOf, type StoredItem } from '../lib/work/cases/case-store';
import { plansAgain, unplanned } from '../lib/work/cases/exposed';
import { loadWorker } from '../lib/work/cases/worker';

type CloserDeps = Deps<'closer'>;

/** A suspension stays CONTAINED; a case with nothing to do has nothing to prove either, and goes from ACTING. */
const CLOSING: readonly CaseState[] = ['CONTAINED', 'ACTING', 'PROVING', 'CLOSED'];

/** The youngest: a case writes a handful, and other cases and rotations only few in the meantime. */
const RING_RECORDS_LOOKED_AT = 500;

export async function closer(
  request: StepRequest,
  deps: CloserDeps,
): Promise<{ readonly closed?: boolean; readonly held?: boolean; readonly sealed?: number }> {
  if (request.step === 'close') return close(request, deps);
  if (request.step === 'seal') return seal(request, deps);
  throw new CurfewError('ERR_INPUT_INVALID', 'the closer does not know this step', {
    got: request.step,
    allowed: ['close', 'seal'],
  });
}

/** `held`: nothing is left to do but what people, or an instant, have to let go on. */
async function close(
  request: StepRequest,
  deps: CloserDeps,
): Promise<{ readonly closed: boolean; readonly held: boolean }> {
  const items = await loadItems(deps, request.caseId);
  const isOpen = items.some(isOpenStill);
  // One that waits for an import is not contained, and says so by its stop.
  const meta = await loadCase(deps, request, ['CONTAINING', ...CLOSING]);
  if (isGivenBack(meta)) return closeGivenBack(items, request, deps);
  const parent = await parentOf(meta, deps);
  const stop = stopOf(meta, deps.clock.now()) ?? (parent && openQuestion(parent));
  if (stop !== undefined) return closeUndecided(request, deps);
  // Closed by a run before this one, which died before it answered: what it left open is on record.
  if (meta.state === 'CLOSED') return { closed: true, held: false };
  if (isOpen && meta.kind === 'departure' && meta.givesBack !== undefined && (await isOvertaken(meta, deps)))
    return closeOvertaken(items, request, deps);

  // Asked in this moment: the case is held, and not closed over a doubt, over what a recheck has listed or found open, or over
  // custody that nobody planned for. An import that comes after this either moves the fence of the open case, or finds it closed.
  const closed = await changeCase(deps, request, CLOSING, async (meta) => {
    if (stopOf(meta, deps.clock.now()) !== undefined) return [];
    requireProved(request.caseId, await loadItems(deps, request.caseId));
    await requirePlanned(meta, deps);
    return closeWrites(meta, deps);
  });
  return { closed: closed.state === 'CLOSED', held: closed.state !== 'CLOSED' };
}

/** Neither proved nor accepted. */
function isOpenStill({ state }: StoredItem): boolean {
  return state !== 'PROVED' && state !== 'ACCEPTED';
}

function requireProved(caseId: string, items: readonly StoredItem[]): void {
  const open = items
    .filter(isOpenStill)
    .map(({ item, state }) => `${item.nn} ${item.kind} ${item.kind === 'unplannable' ? item.reason : state}`);
  if (open.length === 0) return;
  throw new CurfewError('ERR_NOT_PROVED', `case ${caseId} has items that are not proved; it stays open`, {
    got: open,
    fix: `see the errors of these items in the execution; what nobody can act on, two people accept: \`curfew case accept ${caseId}\``,
  });
}

/** Held until people decide; where nobody may, and that for 30 days, it closes with what was never begun on record. */
async function closeUndecided(
  request: StepRequest,
  deps: CloserDeps,
): Promise<{ readonly closed: boolean; readonly held: boolean }> {
  const sets = await deps.tables.query(APPROVERS.in());
  const closed = await changeCase(deps, request, ['CONTAINING', ...CLOSING], async (current) => {
    const now = deps.clock.now();
    const question = undecidedQuestion(current, sets, now);
    if (question === undefined || current.state === 'CLOSED') return [];
    // Read after the case was: a claim moves its fence, so what begins in this moment keeps it open.
    const open = (await loadItems(deps, current.caseId)).filter(isOpenStill);
    if (!open.every(isNeverBegun)) return [];
    return undecidedWrites(departureOnly(current), question, await countItems(current.caseId, deps), now);
  });
  return { closed: closed.state === 'CLOSED', held: closed.state !== 'CLOSED' };
}

function undecidedWrites(meta: DepartureCase, { n }: Question, counted: Counted, now: number) {
  const questions = meta.questions.map((one) =>
    one.n === n ? { ...one, endedAt: now, endedBy: 'not-decided' as const } : one,
  );
  return transition(meta, { state: 'CLOSED', closedAt: now, questions }, [
    { record: endedRecord(meta, { n, endedBy: 'not-decided' }, now) },
    {
      record: closedRecord(meta, counted, now, { open: counted.neverBegun, notDecided: n }),
      event: { detailType: 'CaseClosed', detail: { id: meta.caseId } },
    },
  ]);
}

async function requirePlanned(meta: CaseMeta, deps: CloserDeps): Promise<void> {
  if (!plansAgain(meta) || meta.state === 'CLOSED') return;
  const late = await unplanned(departureOnly(meta), deps);
  if (late.length === 0) return;
  throw new CurfewError('ERR_NOT_PROVED', `case ${meta.caseId} has exposures that no plan covers; it stays open`, {
    got: late.map(({ asset, class: of }) => `${asset} ${of}`),
    fix: 'nothing to do: they were imported after the plan was frozen, and the next attempt plans them',
  });
}

/**
 * Nothing of it is done any more, but what was claimed runs to its end: a key that is SUSPECT has to become DENIED. It closes
 * as given back, and says so.
 */
async function closeGivenBack(
  items: readonly StoredItem[],
  request: StepRequest,
  deps: CloserDeps,
): Promise<{ readonly closed: boolean; readonly held: boolean }> {
  // A second rotation that was about to be planned is not: the departure was given back.
  const running = items.filter(
    ({ item, phase, state }) =>
      phase === 'act' && (state === 'STARTED' || state === 'DONE') && item.kind !== 'rotate-again',
  );
  if (running.length > 0)
    throw new CurfewError('ERR_NOT_PROVED', `case ${request.caseId} has items that were begun and are not proved`, {
      got: running.map(({ item, state }) => `${item.nn} ${item.kind} ${state}`),
      fix: 'see the errors of these items in the execution',
    });
  // One that waited for an import was never contained.
  await changeCase(deps, request, ['CONTAINING', ...CLOSING], (meta) => closeWrites(meta, deps));
  return { closed: true, held: false };
}

/** The worker departs again: what this give-back has not opened stays shut, and it closes with that on record. */
async function closeOvertaken(
  items: readonly StoredItem[],
  request: StepRequest,
  deps: CloserDeps,
): Promise<{ readonly closed: boolean; readonly held: boolean }> {
  const open = items.filter(({ state }) => state !== 'PROVED').map(({ item }) => item.nn);
  await changeCase(deps, request, CLOSING, (meta) => closeWrites(meta, deps, open));
  return { closed: true, held: false };
}

/** The state and its record in one transaction; no write where the case is closed already. `open`: items that stay undone. */
async function closeWrites(meta: CaseMeta, deps: CloserDeps, open?: readonly string[]) {
  if (meta.state === 'CLOSED') return [];
  const counted = await countItems(meta.caseId, deps);
  const now = deps.clock.now();
  const event = { detailType: 'CaseClosed', detail: { id: meta.caseId } };
  return transition(meta, { state: 'CLOSED', closedAt: now }, [
    { record: closedRecord(meta, counted, now, { open }), event },
  ]);
}

interface Counted {
  readonly listings: number;
  readonly items: number;
  readonly accepted?: number;
  readonly neverBegun: readonly string[];
}

/** Read after the case was, whose fence moves with every listing that is frozen: one of these two reads again. */
async function countItems(caseId: string, { tables }: CloserDeps): Promise<Counted> {
  const [lists, items] = [await tables.query(CASE_LIST.in(caseId)), await loadItems({ tables }, caseId)];
  const freezing = lists.find(({ state }) => state === 'FREEZING');
  const accepted = items.filter(({ state }) => state === 'ACCEPTED').length;
  const neverBegun = items.filter(isNeverBegun).map(({ item }) => item.nn);
  if (freezing === undefined)
    return { listings: lists.length, items: items.length, ...(accepted > 0 && { accepted }), neverBegun };
  throw new CurfewError('ERR_UNAVAILABLE', `listing ${freezing.n} of case ${caseId} is being written`, {
    fix: 'retry',
  });
}

async function isOvertaken(meta: DepartureCase, deps: CloserDeps): Promise<boolean> {
  return departsAgain(await loadWorker(deps, meta.workerId), meta, deps.clock.now());
}

/** Records leave through the outbox within seconds of their transaction; the state machine asks again until all are in. */
async function seal(request: StepRequest, deps: CloserDeps): Promise<{ readonly sealed: number }> {
  const meta = await loadCase(deps, request, ['CLOSED']);
  // What was re-signed is committed by now: the step before the proofs did that.
  await deps.functions.invoke('sequencer', {});
  // If we stop here, the case is as it was: the sequencer does again only what is new.

  // By the same functions as the offline verifier: what the inventory asks for, not what happens to be there.
  const [own, all] = [await ownRecords(meta.caseId, deps), await ringRecords(meta.caseId, deps)];
  const ofRings = recordsOfCase(all, meta.caseId);
  const unwritten = expectedKeyRecords(own, all)
    .filter((owed) => !findKeyRecord(owed.type === 'key.retired' ? all : ofRings, owed))
    .map(({ type, kid }) => `${type} of ${kid}`);
  const ids = [...expectedRecords(own), ...linkedOpenings(own), ...ofRings.map(({ id }) => id)];
  // Whether a record arrived, only the log can say.
  const rows = await Promise.all(ids.map(async (id) => ({ id, row: await deps.tables.get(LOG_RECORD, id) })));
  const missing = [...unwritten, ...rows.filter(({ row }) => row?.index === undefined).map(({ id }) => id)];
  if (missing.length === 0) {
    await changeCase(deps, request, ['CLOSED'], (current) =>
      current.sealedAt === undefined ? transition(current, { sealedAt: deps.clock.now() }) : [],
    );
    return { sealed: ids.length };
  }
  throw new CurfewError('ERR_EVIDENCE_INCOMPLETE', `case ${meta.caseId} has records that are not in the tree yet`, {
    got: missing,
    fix: 'retry: the outbox delivers them',
  });
}

async function ownRecords(caseId: string, { tables }: CloserDeps): Promise<readonly EvidenceRecord[]> {
  const out = await tables.query(CASE_OUT.in(caseId));
  return out.map(({ record }) => recordFrom(record));
}

/** What the rings of its taints have on record, the taints, waves and denials of this case among it. */
async function ringRecords(caseId: string, deps: CloserDeps): Promise<readonly EvidenceRecord[]> {
  const items = await loadItems(deps, caseId);
  const rings = [...new Set(items.flatMap(({ item }) => (item.kind === 'taint' ? [item.ring] : [])))];
  const out = await Promise.all(
    rings.map((ring) => deps.tables.query(RING_OUT.in(ring), { descending: true, limit: RING_RECORDS_LOOKED_AT })),
  );
  return out.flat().map(({ record }) => recordFrom(record));
}

export const handler = entry('closer', closer);
