/** A worker's statements and cases: read as one, folded, and begun when their date has come. */
import { CurfewError } from '../../domain/base/errors';
import { caseIdOf, type DepartureCase } from '../../domain/cases/case';
import { type Departure, voices } from '../../domain/cases/departure';
import { questionsAfter } from '../../domain/cases/questions';
import { openedRecord, sealContext } from '../../domain/cases/records';
import { beginWrites, dueDeparture, foldStatements, questionOutgoing, type Worker } from '../../domain/cases/schedule';
import { SAID, type Said, SCHEDULE } from '../../domain/store/worker';
import type { Deps, Tables } from '../../ports';
import { pepperOf } from '../tokens/pepper';
import { inTurn } from '../transactions';
import { loadNamed } from './case-store';
import { pseudonymOf } from './pseudonym';
import { startCase } from './start-case';

type FolderDeps = Deps<'case-folder'>;
type Reader = { readonly tables: Pick<Tables<'cases:get' | 'cases:query'>, 'get' | 'query'> };

/**
 * The schedule is read first: whatever is written meanwhile moves its version, and a write that rests on this reading is
 * refused.
 */
export async function loadWorker({ tables }: Reader, workerId: string): Promise<Worker> {
  const schedule = await tables.get(SCHEDULE, workerId);
  const [said, cases] = await Promise.all([
    tables.query(SAID.in(workerId)),
    Promise.all((schedule?.caseIds ?? []).map((caseId) => loadNamed({ tables }, caseId))),
  ]);
  return { workerId, said, schedule, cases };
}

export async function foldSaid(workerId: string, told: readonly Said[], deps: FolderDeps): Promise<void> {
  await inTurn('the schedule of this worker', async () => {
    const writes = foldStatements(await loadWorker(deps, workerId), told, deps.clock.now());
    if (writes.length > 0) await deps.tables.transact(writes);
  });
  // If we stop here, the due markers stand: the ticker begins what is due, and looks after what has begun.
  const { cases } = await loadWorker(deps, workerId);
  const settled = cases.filter(({ state, questions }) => state !== 'CLOSED' && questions.at(-1)?.endedBy === 'sources');
  for (const { caseId } of settled) await startCase(caseId, deps);
  await beginDue(workerId, deps);
}

/** Begins and starts every departure whose date has come; none where another run was faster. */
export async function beginDue(workerId: string, deps: FolderDeps): Promise<void> {
  const begun = await inTurn('the schedule of this worker', async () => {
    const found: string[] = [];
    for (;;) {
      const worker = await loadWorker(deps, workerId);
      const departure = dueDeparture(worker, deps.clock.now());
      if (departure === undefined) return [...found, ...unstarted(worker)];
      const meta = await caseOf(worker, departure, deps);
      await deps.tables.transact(await opening(worker, meta, departure, deps));
      found.push(meta.caseId);
    }
  });
  // If we stop here, the case has a due marker of its own: the ticker starts it.
  for (const caseId of new Set(begun)) await startCase(caseId, deps);
}

function unstarted({ cases }: Worker): readonly string[] {
  return cases.filter(({ state }) => state === 'DUE').map(({ caseId }) => caseId);
}

/** The snapshot: who, which act, as of when. Nothing that HR says later changes it. */
async function caseOf(worker: Worker, departure: Departure, deps: FolderDeps): Promise<DepartureCase> {
  const { workerId, said, cases } = worker;
  const { act, effectiveAt, finalAt, statements } = departure;
  const [first] = [...statements].sort((a, b) => a.receivedAt - b.receivedAt || a.saidAt - b.saidAt);
  if (first === undefined) throw new CurfewError('ERR_PLAN_INVALID', 'a departure rests on no statement');
  const now = deps.clock.now();
  const number = cases.length + 1;
  const pepper = await pepperOf(deps);
  const meta: DepartureCase = {
    kind: 'departure',
    caseId: caseIdOf(pepper, { instance: deps.config.instance, workerId, number, kind: 'departure' }),
    workerId,
    pseudonym: await pseudonymOf(workerId, deps),
    state: 'DUE',
    version: 1,
    attempt: 0,
    fence: 1,
    act,
    number,
    effectiveAt,
    finalAt,
    dueAt: effectiveAt,
    voices: voices(statements),
    source: first.source,
    corroboration: statements.some(({ corroboration }) => corroboration === 'signed-fact')
      ? 'signed-fact'
      : 'confirmed',
    questions: [],
    hrEventAt: Math.min(...statements.map(({ saidAt }) => saidAt)),
    acceptedAt: first.receivedAt,
    openedAt: now,
  };
  return { ...meta, questions: questionsAfter(meta, said, [...cases, meta], now) };
}

async function opening(worker: Worker, meta: DepartureCase, { statements }: Departure, deps: FolderDeps) {
  const { caseId, pseudonym, openedAt } = meta;
  const about = statements.map(({ workerId, initiator, source, sourceEventId, bodySha256 }) => ({
    workerId,
    initiator,
    source,
    sourceEventId,
    // The digest of the body too: a reader who guesses what HR says could try worker ids against it.
    bodySha256,
  }));
  const sealed = await deps.sealer.seal(pseudonym, sealContext(caseId, 'opened'), JSON.stringify(about));
  const zone = statements.find(({ effectiveAt }) => effectiveAt === meta.effectiveAt)?.zone;
  const record = openedRecord(meta, { zone }, sealed, openedAt);
  return beginWrites(worker, meta, [
    { record, event: { detailType: 'CaseOpened', detail: { id: caseId } } },
    ...questionOutgoing({ ...meta, questions: [] }, meta.questions, openedAt),
  ]);
}
