/**
 * Each minute: starts the cases that are due, and has departures begun, deliveries folded that a stream or a crash left in the
 * inbox, imports looked at, and the approvers put on record.
 */
import { entry } from '../lib/aws/entry';
import { type CaseMeta, isWaiting, openQuestion, stopOf } from '../lib/domain/cases/case';
import { askedEvent, remindersDue } from '../lib/domain/cases/questions';
import { transition } from '../lib/domain/cases/transitions';
import { PENDING_APPROVAL } from '../lib/domain/store/approval';
import { CASE, DUE_MARKER, RECHECK_MARKER } from '../lib/domain/store/case';
import { PENDING_DELIVERY } from '../lib/domain/store/inbox';
import { type Imported, PENDING_IMPORT } from '../lib/domain/store/people';
import { DUE_WORKER } from '../lib/domain/store/worker';
import type { Deps } from '../lib/ports';
import { recordApprovers } from '../lib/work/cases/approver-set';
import { startCase } from '../lib/work/cases/start-case';
import { together } from '../lib/work/together';
import { tryTransact } from '../lib/work/transactions';

/** The stream folds within a second or two; what is older than this was missed. */
const MISSED_AFTER_SECONDS = 60;
/** The oldest first; the others wait for the next minute. */
const IMPORTS_MAX = 1000;
/** As many as one run of the folder looks at side by side. */
const IMPORTS_AT_ONCE = 100;

export async function tick(
  deps: Deps<'ticker'>,
): Promise<{ readonly started: number; readonly begun: number; readonly folded: number }> {
  const now = deps.clock.now();
  const [due, workers, approvals, pending, looks, imports] = await Promise.all([
    deps.tables.query(DUE_MARKER.in()),
    deps.tables.query(DUE_WORKER.in()),
    deps.tables.query(PENDING_APPROVAL.in()),
    deps.tables.query(PENDING_DELIVERY.in()),
    deps.tables.query(RECHECK_MARKER.in()),
    deps.tables.query(PENDING_IMPORT.in(), { limit: IMPORTS_MAX }),
  ]);
  const dueNow = due.filter(({ dueAt }) => dueAt <= now);
  const leaving = workers.filter(({ dueAt }) => dueAt <= now);
  const missed = pending.filter(({ receivedAt }) => receivedAt < now - MISSED_AFTER_SECONDS);

  // Another import of this second would have the same marker: none is looked at before that is over.
  const imported = imports.filter(({ at }) => at < now);
  const unseen = approvals.filter(({ at }) => at < now - MISSED_AFTER_SECONDS);

  // Each on its own: a case that cannot be started is not allowed to keep the next worker's access alive.
  await together<unknown>([
    recordApprovers(deps),
    lookAfter(due, looks, now, deps),
    ...dueNow.map(({ caseId, attempt, key }) => startCase(caseId, deps, { key, attempt })),
    ...leaving.map(({ workerId }) => deps.functions.invoke('case-folder', { workerId })),
    ...unseen.map(({ caseId, question }) => deps.functions.invoke('decider', { caseId, question })),
    ...batches(imported).map((some) => deps.functions.invoke('case-folder', { imports: some })),
    ...missed.map(({ source, delivery }) => deps.functions.invoke('case-folder', { source, delivery })),
  ]);
  return { started: dueNow.length, begun: leaving.length, folded: missed.length };
}

/** A company imports everybody at once, and few of them have left: one after another they would take the tick's whole minute. */
function batches(imports: readonly Imported[]): readonly (readonly Imported[])[] {
  const starts = Array.from({ length: Math.ceil(imports.length / IMPORTS_AT_ONCE) }, (_, n) => n * IMPORTS_AT_ONCE);
  return starts.map((start) => imports.slice(start, start + IMPORTS_AT_ONCE));
}

/** Of the cases that were started: what they wait for is counted, and asked again. */
async function lookAfter(
  markers: readonly { readonly caseId: string; readonly attempt?: number }[],
  looks: readonly { readonly dueSince: number }[],
  now: number,
  deps: Deps<'ticker'>,
): Promise<void> {
  const started = [...new Set(markers.filter(({ attempt }) => attempt !== undefined).map(({ caseId }) => caseId))];
  const found = await Promise.all(started.map((caseId) => deps.tables.get(CASE, caseId)));
  const metas = found.filter((meta) => meta !== undefined);
  await together([putFigures(metas, looks, now, deps), ...metas.map((meta) => remind(meta, now, deps))]);
}

/** A question that nobody answers is asked again. */
async function remind(meta: CaseMeta, now: number, { tables, events }: Deps<'ticker'>): Promise<void> {
  const question = openQuestion(meta);
  if (meta.kind === 'taint' || question === undefined) return;
  const due = remindersDue(question, now);
  if (due <= (question.reminders ?? 0)) return;
  const { detailType, detail } = askedEvent(meta.caseId, question, due + 1);
  await events.put(detailType, detail);
  // If we stop here, they are told once more in a minute: better than not at all.
  const questions = meta.questions.map((one) => (one === question ? { ...one, reminders: due } : one));
  // Refused where the case has changed meanwhile: the next minute finds whether it still asks.
  await tryTransact(tables, transition(meta, { questions }));
}

/** What people are told of by alarms: cases that wait for them, cases that take too long by themselves, and looks that were not made. */
async function putFigures(
  metas: readonly CaseMeta[],
  looks: readonly { readonly dueSince: number }[],
  now: number,
  { metrics }: Deps<'ticker'>,
): Promise<void> {
  const open = metas.filter(({ state }) => state !== 'CLOSED');
  // Of a closed case too: its second rotation waits for the answer.
  const asking = metas.filter((meta) => openQuestion(meta) !== undefined);
  const ages = open
    .filter((meta) => stopOf(meta, now) === undefined)
    .map(({ dueAt, openedAt }) => now - Math.max(dueAt, openedAt));
  await metrics.put([
    { name: 'HeldCases', value: asking.length },
    { name: 'WaitingCases', value: open.filter(isWaiting).length },
    { name: 'OpenCaseAge', value: Math.max(0, ...ages) },
    { name: 'RecheckAge', value: Math.max(0, ...looks.map(({ dueSince }) => now - dueSince)) },
  ]);
}

export const handler = entry('ticker', (_event: unknown, deps: Deps<'ticker'>) => tick(deps));
