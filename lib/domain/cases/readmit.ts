/**
 * A worker whom HR has taken on again gets one subject back, by two approvals; whatever else their departure shut stays shut.
 * A rehire opens nothing by itself.
 */
import { canonicalJson, H } from '../base/encoding';
import { instant } from '../base/time';
import type { DepartureCase, Readmission } from '../store/case';
import type { Shut } from '../store/worker';
import { isTakenOnSince } from './departure';
import { digestOfAll } from './questions';
import type { Worker } from './schedule';
import { departsAgain, type ShutThing } from './shut';

/** What an approver has before them: the one thing, and all that HR said by then. */
export function readmissionOf({ key }: ShutThing, { said }: Pick<Worker, 'said'>): Readmission {
  return { thing: key.sk, said: digestOfAll(said) };
}

/** The digest that an approval names, so that two approvals open this thing and no other. */
export function readmitAbout({ thing, said }: Readmission): string {
  return H(canonicalJson({ said, opens: [thing] }));
}

/** The newest departure that wants the thing shut: approvals are given about that case. */
export function newestShutBy({ caseIds }: Shut, cases: readonly DepartureCase[]): DepartureCase | undefined {
  return wanting(caseIds, cases).at(-1);
}

/**
 * Undefined where two approvers may open it: every departure that wants it shut is over and looked after no more, and HR has
 * said since that the worker is taken on again.
 */
export function whyNotReadmitted(thing: ShutThing, worker: Worker, now: number): string | undefined {
  const cases = wanting(thing.caseIds, worker.cases);
  const newest = cases.at(-1);
  if (thing.kind !== 'cut-off') return 'it is no subject: only a subject is readmitted';
  if (newest === undefined) return 'the departure was given back: its give-back opens it';
  const open = cases.find(({ closedAt }) => closedAt === undefined);
  if (open) return `case ${open.caseId} shut it too and is not closed: wait for it, or give it back`;
  // It would be found open, and shut again.
  const watched = cases.find(({ rechecks }) => rechecks?.next !== undefined);
  if (watched)
    return `what case ${watched.caseId} shut is looked at until ${instant(watched.rechecks?.until ?? 0)}: wait for that, or give it back`;
  const gone = cases.find((meta) => !isTakenOnSince(meta, worker.said, now));
  if (gone) return `HR has not said since case ${gone.caseId} that the worker is taken on again (\`rehire\`)`;
  if (departsAgain(worker, { givesBack: newest.caseId, openedAt: now }, now))
    return 'the worker departs again: the newer departure decides';
  return undefined;
}

/** In the order in which they began. */
function wanting(caseIds: readonly string[], cases: readonly DepartureCase[]): readonly DepartureCase[] {
  return cases.filter(({ caseId, givenBackAt }) => caseIds.includes(caseId) && givenBackAt === undefined);
}

/** Two people decided: the row names the case that opens the thing, and the one departure that a transaction can test. */
export function readmittedRow({ key: _key, ...row }: ShutThing, newest: string, readmittedBy: string): Shut {
  const { openingAt: _at, ...rest } = row;
  return { ...rest, caseIds: [newest], soleCase: newest, openingBy: readmittedBy };
}
