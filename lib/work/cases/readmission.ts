/** Two approvers give one subject back to a worker whom HR has taken on again: decided here, opened by a case of its own. */
import { type GivenApproval, judgeApprovals } from '../../domain/cases/approvals';
import { type DepartureCase, readmissionIdOf } from '../../domain/cases/case';
import { newestShutBy, readmissionOf, readmitAbout, readmittedRow, whyNotReadmitted } from '../../domain/cases/readmit';
import { type ShutThing, sole, thingDigest } from '../../domain/cases/shut';
import { bornCase } from '../../domain/cases/transitions';
import { CASE } from '../../domain/store/case';
import { put } from '../../domain/store/entity';
import type { RowKey, Write } from '../../domain/store/table';
import { SHUT } from '../../domain/store/worker';
import type { Deps } from '../../ports';
import { pepperOf } from '../tokens/pepper';
import { loadNamed } from './case-store';
import { approvedBy, type Decided, giveBackOf, mark } from './decided';
import { openedOf } from './linked';
import { startCase } from './start-case';

type DeciderDeps = Deps<'decider'>;
type Given = GivenApproval & { readonly key: RowKey };

/** Started again is started once: its name is that of its attempt. */
export async function startReadmissions(caseId: string, deps: DeciderDeps): Promise<void> {
  const { workerId } = await loadNamed(deps, caseId);
  const shut = await deps.tables.query(SHUT.in(workerId));
  for (const { openingBy, caseIds } of shut)
    if (openingBy !== undefined && caseIds.includes(caseId)) await startCase(openingBy, deps);
}

/**
 * Each subject is a matter of its own: what an approver says of one is no later word about another. True where two decided
 * about one just now; whoever asks starts what that began.
 */
export async function decideReadmissions(
  given: readonly Given[],
  of: Omit<Decided, 'judged'>,
  matter: Pick<Parameters<typeof judgeApprovals>[1], 'approvers' | 'sets' | 'barred' | 'now'>,
  deps: DeciderDeps,
): Promise<boolean> {
  for (const about of new Set(given.map((one) => one.about))) {
    const ofThing = given.filter((one) => one.about === about);
    const thing = of.shut.find(
      (one) => one.kind === 'cut-off' && readmitAbout(readmissionOf(one, of.worker)) === about,
    );
    if (thing === undefined || newestShutBy(thing, of.worker.cases)?.caseId !== of.meta.caseId) {
      // What was decided about is open by now, and its approvals keep what they were told.
      const unread = ofThing.filter(({ counts }) => counts === undefined);
      await mark(unread, () => 'it is about nothing that is shut today: look again, then approve', deps);
      continue;
    }
    const judged = judgeApprovals(ofThing, { ...matter, decision: 'readmit', about });
    const why = whyNotReadmitted(thing, of.worker, matter.now);
    const refused = new Map(judged.refused.map((one) => [one.approver, one.why]));
    await mark(ofThing, (approver) => why ?? refused.get(approver), deps);
    if (why !== undefined || !judged.isDecided) continue;
    const readmitted = await readmissionCase(of, thing, deps);
    // Decided before: its case has a due marker, and the ticker starts it where we died before we could.
    if (thing.openingBy === readmitted.caseId) continue;
    await deps.tables.transact(await readmitWrites({ ...of, judged }, thing, readmitted, deps));
    return true;
  }
  return false;
}

/** Both would open one thing: a give-back waits. */
export async function readmissionUnderWay(
  caseId: string,
  shut: readonly ShutThing[],
  { tables }: DeciderDeps,
): Promise<string | undefined> {
  const ids = shut.flatMap(({ openingBy, caseIds }) => (openingBy && caseIds.includes(caseId) ? [openingBy] : []));
  const cases = await Promise.all(ids.map((id) => tables.get(CASE, id)));
  const open = cases.find((meta) => meta !== undefined && meta.state !== 'CLOSED');
  return open && `case ${open.caseId} opens a subject of it: approve again once that is closed`;
}

async function readmissionCase(
  { meta, question, worker }: Omit<Decided, 'judged'>,
  thing: ShutThing,
  deps: DeciderDeps,
): Promise<DepartureCase> {
  const of = { caseId: meta.caseId, question, thing: thing.key.sk, departures: worker.cases.length };
  return {
    ...(await giveBackOf(meta, question, deps)),
    caseId: readmissionIdOf(await pepperOf(deps), of),
    readmits: readmissionOf(thing, worker),
  };
}

/** The case that opens it, with the approvals that it rests on; the departure itself stays as it is. */
async function readmitWrites(
  decided: Decided,
  thing: ShutThing,
  readmitted: DepartureCase,
  deps: DeciderDeps,
): Promise<Write<'cases:put' | 'cases:update'>[]> {
  const id = [readmitted.workerId, thing.kind, thingDigest(thing.ring, thing.target)] satisfies Parameters<
    typeof SHUT.key
  >;
  const row = readmittedRow(thing, decided.meta.caseId, readmitted.caseId);
  return [
    ...bornCase(readmitted, [
      ...(await approvedBy({ ...decided, meta: readmitted }, deps)),
      await openedOf(readmitted, deps),
    ]),
    put(SHUT, id, row, [sole(thing)]),
  ];
}
