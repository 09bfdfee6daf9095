/**
 * An import may name custody that a departure has not ended. While the case is open its next attempt plans that, and begins at
 * once; a closed case is not opened again, and a case that follows it ends what came too late.
 */
import type { DepartureCase } from '../../domain/cases/case';
import { isTakenOnSince } from '../../domain/cases/departure';
import { lateCaseOf, secondRotationOf, sessionsOverAt } from '../../domain/cases/linked';
import { asksAgain } from '../../domain/cases/plan';
import { bornCase, transition } from '../../domain/cases/transitions';
import { type Exposure, type Imported, PENDING_IMPORT } from '../../domain/store/people';
import type { Deps } from '../../ports';
import { together } from '../together';
import { pepperOf } from '../tokens/pepper';
import { inTurn } from '../transactions';
import { loadLinked, plansAgain, unplanned } from './exposed';
import { openedOf } from './linked';
import { startCase } from './start-case';
import { loadWorker } from './worker';

type FolderDeps = Deps<'case-folder'>;

/** Each worker once, however often they were imported; one who cannot be looked at holds up no other. */
export async function lookAtImports(imports: readonly Imported[], deps: FolderDeps): Promise<void> {
  const workers = [...new Set(imports.map(({ workerId }) => workerId))];
  await together(workers.map((workerId) => lookAt(workerId, imports, deps)));
}

async function lookAt(workerId: string, imports: readonly Imported[], deps: FolderDeps): Promise<void> {
  const started = await inTurn('the cases of this worker', () => takeUp(workerId, deps));
  // If we stop here, the ticker starts a case that was born, by its due marker; and has the worker looked at once more, because
  // the marker of this import stands.
  for (const caseId of started) await startCase(caseId, deps);
  for (const { at } of imports.filter((one) => one.workerId === workerId))
    await deps.tables.transact([{ kind: 'delete', table: 'people', key: PENDING_IMPORT.key(at, workerId) }]);
}

/** Ids of the cases to start. */
async function takeUp(workerId: string, deps: FolderDeps): Promise<readonly string[]> {
  const departed = await departedCase(workerId, deps);
  if (departed === undefined) return [];
  const rows = await unplanned(departed, deps);
  if (rows.length === 0) return [];
  const family = [departed, ...(await loadLinked(departed, deps))];
  const planning = family.filter((one) => one.state !== 'CLOSED' && plansAgain(one));
  const open = planning.find(({ plannedAt }) => plannedAt !== undefined);
  if (open !== undefined) {
    // Under its fence: where it was about to be closed without this, it is not.
    await deps.tables.transact(transition(open, { attempt: open.attempt + 1 }));
    return [open.caseId];
  }
  // One that has planned nothing yet will plan this too; but a second rotation waits until sessions are over.
  const now = deps.clock.now();
  return planning.some(({ dueAt }) => dueAt <= now) ? [] : bear(departed, rows, deps);
}

/** The newest departure that stands, and ends keys; undefined where there is none, or the worker was taken on again since. */
async function departedCase(workerId: string, deps: FolderDeps): Promise<DepartureCase | undefined> {
  const { cases, said } = await loadWorker(deps, workerId);
  const standing = cases.findLast(({ givenBackAt, act }) => givenBackAt === undefined && act !== 'suspend');
  return standing !== undefined && isTakenOnSince(standing, said, deps.clock.now()) ? undefined : standing;
}

/** Once: the closed case names what follows it, under its fence. */
async function bear(meta: DepartureCase, rows: readonly Exposure[], deps: FolderDeps): Promise<readonly string[]> {
  const now = deps.clock.now();
  const pepper = await pepperOf(deps);
  const late = lateCaseOf(meta, now, pepper);
  // The sessions alive at containment may still be, and no second rotation was asked for before.
  const isAgain =
    meta.followUp === undefined && rows.some(asksAgain) && now < sessionsOverAt(meta, deps.config.settings);
  const again = isAgain ? [secondRotationOf(meta, now, pepper, deps.config)] : [];
  const born = await Promise.all([late, ...again].map(async (one) => bornCase(one, [await openedOf(one, deps)])));
  const lateCases = [...(meta.lateCases ?? []), late.caseId];
  const [followUp] = again.map(({ caseId }) => caseId);
  await deps.tables.transact([
    ...transition(meta, { lateCases, ...(followUp !== undefined && { followUp }) }),
    ...born.flat(),
  ]);
  return [late.caseId];
}
