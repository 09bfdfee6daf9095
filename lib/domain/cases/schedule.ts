/**
 * The writes of a statement, and of a departure that begins: each one transaction that also moves the schedule's version
 * from the one that was read. Who loses reads all statements again, so nothing is folded of half of them.
 */
import { type CaseMeta, type DepartureCase, DUE_MARKER } from '../store/case';
import { put } from '../store/entity';
import { ROW_ABSENT, type Test, type Write } from '../store/table';
import { DUE_WORKER, SAID, type Said, SCHEDULE, type Schedule } from '../store/worker';
import { openQuestion } from './case';
import { covers, type Departure, scheduledDepartures } from './departure';
import { askedEvent, digestOf, questionsAfter } from './questions';
import { askedRecord, endedRecord, heldRecord } from './records';
import { bornCase, type Outgoing, transition } from './transitions';

type ScheduleWrite = Write<'cases:put' | 'cases:update' | 'cases:delete'>;

/** All that is known of a worker, as one reading of the table. */
export interface Worker {
  readonly workerId: string;
  readonly said: readonly Said[];
  /** Undefined: nothing was ever said. */
  readonly schedule: Schedule | undefined;
  /** The cases begun, the first first, without their follow-ups. */
  readonly cases: readonly DepartureCase[];
}

/** None where every one of them is known: a repetition changes nothing. */
export function foldStatements(worker: Worker, told: readonly Said[], now: number): readonly ScheduleWrite[] {
  const known = new Set(worker.said.map(digestOf));
  const fresh = [...new Map(told.map((said) => [digestOf(said), said])).entries()].filter(([id]) => !known.has(id));
  if (fresh.length === 0) return [];
  const said = [...worker.said, ...fresh.map(([, one]) => one)];
  return [
    ...fresh.map(([digest, one]) => put(SAID, [worker.workerId, one.saidAt, digest], one, ROW_ABSENT)),
    ...scheduleWrites({ ...worker, said }, worker.cases),
    ...worker.cases.flatMap((meta) => askWrites(meta, said, worker.cases, now)),
  ];
}

/** Of those that are due, the one that covers the others; undefined where none is. */
export function dueDeparture({ said, cases }: Worker, now: number): Departure | undefined {
  const due = scheduledDepartures(said, cases).filter(({ effectiveAt }) => effectiveAt <= now);
  return due.reduce<Departure | undefined>(
    (found, one) => (found === undefined || (covers(one.act, found.act) && one.act !== found.act) ? one : found),
    undefined,
  );
}

/** `meta` is the case as it begins. */
export function beginWrites(
  worker: Worker,
  meta: DepartureCase,
  opened: readonly Outgoing[],
): readonly ScheduleWrite[] {
  const cases = [...worker.cases, meta];
  return [
    ...scheduleWrites(worker, cases),
    ...bornCase(meta, opened),
    // What spoke against an older case may now be what this one is about.
    ...worker.cases.flatMap((older) => askWrites(older, worker.said, cases, meta.openedAt)),
  ];
}

/**
 * Two people gave the case back: it takes the statements of its departure with it, and the cases that follow it. `giveBack` is the
 * case that opens again what was shut.
 */
export function giveBackWrites(
  worker: Worker,
  given: { readonly meta: DepartureCase; readonly beside: readonly DepartureCase[]; readonly question: number },
  giveBack: DepartureCase,
  outgoing: { readonly given: readonly Outgoing[]; readonly giveBack: readonly Outgoing[] },
): readonly ScheduleWrite[] {
  const { meta, beside, question } = given;
  const now = giveBack.openedAt;
  const questions = meta.questions.map((one) =>
    one.endedAt === undefined ? { ...one, endedAt: now, endedBy: 'give-back' as const } : one,
  );
  const cases = worker.cases.map((one) => (one.caseId === meta.caseId ? { ...one, givenBackAt: now } : one));
  const ended = { n: question, endedBy: 'give-back' } as const;
  return [
    ...scheduleWrites({ ...worker, cases }, cases),
    ...transition(meta, { questions, givenBackAt: now, attempt: meta.attempt + 1 }, [
      ...outgoing.given,
      { record: endedRecord(meta, ended, now, giveBack.caseId) },
    ]),
    ...beside
      .filter(({ state }) => state !== 'CLOSED')
      .flatMap((one) =>
        transition(one, { givenBackAt: now }, [
          { record: endedRecord(one, { n: 0, endedBy: 'give-back' }, now, giveBack.caseId) },
        ]),
      ),
    ...bornCase(giveBack, outgoing.giveBack),
  ];
}

/** The schedule after the statements and cases given, under the version that was read. */
function scheduleWrites(
  { workerId, said, schedule }: Worker,
  cases: readonly DepartureCase[],
): readonly ScheduleWrite[] {
  const dueAt = scheduledDepartures(said, cases)[0]?.effectiveAt;
  const caseIds = cases.map(({ caseId }) => caseId);
  const next: Schedule = { version: (schedule?.version ?? 0) + 1, caseIds, ...(dueAt !== undefined && { dueAt }) };
  const unchanged: readonly Test[] =
    schedule === undefined ? ROW_ABSENT : [{ attribute: 'version', is: '=', value: schedule.version }];
  return [
    put(SCHEDULE, [workerId], next, unchanged),
    ...(schedule?.dueAt !== undefined && schedule.dueAt !== dueAt
      ? [{ kind: 'delete' as const, table: 'cases' as const, key: DUE_WORKER.key(schedule.dueAt, workerId) }]
      : []),
    ...(dueAt !== undefined && schedule?.dueAt !== dueAt ? [put(DUE_WORKER, [dueAt, workerId], { workerId })] : []),
  ];
}

/** What the statements now say against a case that has begun, or no more. */
function askWrites(
  meta: DepartureCase,
  said: readonly Said[],
  cases: readonly DepartureCase[],
  now: number,
): readonly ScheduleWrite[] {
  const questions = questionsAfter(meta, said, cases, now);
  if (questions === meta.questions) return [];
  const outgoing = questionOutgoing(meta, questions, now);
  // Where nothing speaks against it any more the next attempt begins at once.
  const goesOn = openQuestion({ questions }) === undefined && meta.state !== 'CLOSED' && meta.attempt > 0;
  return [
    ...transition(meta, { questions, ...(goesOn && { attempt: meta.attempt + 1 }) }, outgoing),
    ...asksAgain(meta, questions, now),
  ];
}

/** A sealed case is looked after no more: while it asks, it is. */
export function asksAgain(
  meta: DepartureCase,
  questions: DepartureCase['questions'],
  now: number,
): readonly Write<'cases:put'>[] {
  const isAsking = openQuestion({ questions }) !== undefined && openQuestion(meta) === undefined;
  if (meta.sealedAt === undefined || !isAsking) return [];
  return [put(DUE_MARKER, [now, meta.caseId], { caseId: meta.caseId, attempt: meta.attempt })];
}

/** Records of the questions that ended and of the one that was raised, in the transaction that changes them. */
export function questionOutgoing(
  meta: DepartureCase,
  questions: DepartureCase['questions'],
  now: number,
): readonly Outgoing[] {
  const before = openQuestion(meta);
  const after = openQuestion({ questions });
  const settled = before && questions.find(({ n, endedAt }) => n === before.n && endedAt !== undefined);
  return [
    ...(settled ? [{ record: endedRecord(meta, settled, now) }] : []),
    ...(after && after.n !== before?.n
      ? [
          { record: askedRecord(meta, after, now), event: askedEvent(meta.caseId, after, 1) },
          ...(meta.containedAt !== undefined && meta.state !== 'CLOSED' ? [heldOutgoing(meta, after.n, now)] : []),
        ]
      : []),
  ];
}

export function heldOutgoing(meta: CaseMeta, question: number, now: number): Outgoing {
  return {
    record: heldRecord(meta, question, now),
    event: { detailType: 'CaseHeld', detail: { id: meta.caseId, question } },
  };
}
