/** Starts the execution of a case that is due: the same few lines for a statement that is due now and for the ticker's catch-up. */

import { CurfewError } from '../../domain/base/errors';
import { type CaseMeta, executionName, isWaiting, openQuestion, stopOf } from '../../domain/cases/case';
import { type CaseChange, transition } from '../../domain/cases/transitions';
import { CASE, DUE_MARKER } from '../../domain/store/case';
import { put } from '../../domain/store/entity';
import { ROW_PRESENT, type RowKey } from '../../domain/store/table';
import type { Clock, Tables, Workflow } from '../../ports';
import { tryTransact } from '../transactions';

/** A due marker's key; with the attempt that it looks after, once one was started. */
interface DueAgain {
  readonly key: RowKey;
  readonly attempt?: number;
}

interface StartDeps {
  readonly clock: Clock;
  readonly tables: Pick<Tables<'cases:get' | 'cases:put' | 'cases:update' | 'cases:delete'>, 'get' | 'transact'>;
  readonly workflow: Workflow;
}

const ROUNDS_MAX = 20;
/** An attempt that left its case open is followed by another after this, twice as long each time, up to a day. */
export const LOOK_AGAIN_SECONDS = 900;
const LOOK_AGAIN_SECONDS_MAX = 86_400;

/**
 * Starts what is due, and looks after what was started: true if an execution runs, or nothing is left to run.
 * `given` is the marker that brought us here, the case's own due marker otherwise. A started case always has one.
 */
export async function startCase(caseId: string, deps: StartDeps, given?: DueAgain): Promise<boolean> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const meta = await deps.tables.get(CASE, caseId);
    if (meta === undefined) throw new CurfewError('ERR_NOT_FOUND', `no case ${caseId}`, { got: caseId });
    const now = deps.clock.now();
    if (meta.dueAt > now) return false;

    const next = nextState(meta);
    if (next) {
      await tryTransact(deps.tables, transition(meta, next));
      continue;
    }
    const { attempt, key: marker }: DueAgain = given ?? { key: DUE_MARKER.key(meta.dueAt, caseId) };
    if (isOver(meta)) {
      // Nothing runs any more. While it asks, its marker stands, and the ticker goes on telling approvers.
      if (openQuestion(meta) === undefined)
        await deps.tables.transact([{ kind: 'delete', table: 'cases', key: marker }]);
      else await lookAgain(meta, marker, now, deps);
      return true;
    }

    // The attempt is counted before it is started: if we stop here, its name is known, and starting it is repeated.
    await deps.workflow.start(executionName(meta), { caseId, attempt: meta.attempt });
    if (attempt === meta.attempt && !(await deps.workflow.isRunning(executionName(meta)))) {
      // It ended and the case is open: every step finds what it did, so the next attempt does the rest.
      await tryTransact(deps.tables, transition(meta, { attempt: meta.attempt + 1 }));
      continue;
    }
    await lookAgain(meta, marker, now, deps);
    return true;
  }
  throw new CurfewError('ERR_UNAVAILABLE', `case ${caseId} changes faster than it can be started`, { fix: 'retry' });
}

/** A closed case whose records are not all in the tree yet is still owed an attempt: it seals, and does nothing else. */
function isOver({ state, sealedAt }: CaseMeta): boolean {
  return state === 'CLOSED' && sealedAt !== undefined;
}

/** The end of a key contains nobody: it begins where a departure is contained. */
function nextState({ state, attempt, kind }: CaseMeta): CaseChange | undefined {
  if (state === 'OPEN') return { state: 'DUE' };
  if (state !== 'DUE') return undefined;
  return { state: kind === 'taint' ? 'CONTAINED' : 'CONTAINING', attempt: attempt + 1 };
}

/** If we stop before this, the marker brings the ticker back to the same attempt: starting it again is harmless. */
async function lookAgain(meta: CaseMeta, marker: RowKey, now: number, { tables }: StartDeps): Promise<void> {
  const { caseId, attempt } = meta;
  const longer = Math.min(LOOK_AGAIN_SECONDS * 2 ** (attempt - 1), LOOK_AGAIN_SECONDS_MAX);
  // An import may come at any time, and somebody is not contained until then.
  const pause = isWaiting(meta) ? LOOK_AGAIN_SECONDS : longer;
  // What waits for an instant goes on at that instant.
  const until = stopOf(meta, now)?.until ?? Number.POSITIVE_INFINITY;
  // Refused where it was replaced already: the case is looked after, and a repeated statement changes nothing.
  await tryTransact(tables, [
    { kind: 'delete', table: 'cases', key: marker, if: ROW_PRESENT },
    put(DUE_MARKER, [Math.min(now + pause, until), caseId], { caseId, attempt }),
  ]);
}
