/** Starts the execution of a case that is due: the same few lines for a fact that is due now and for the ticker's catch-up. */
import { CurfewError, isCurfewError } from '../../lib/domain/errors';
import { dueKey, executionName, metaKey, parseMeta } from '../../lib/domain/offboarding/case';
import { transition } from '../../lib/domain/offboarding/case-transitions';
import type { Clock, Tables, Workflow } from '../../lib/ports';

interface StartDeps {
  readonly clock: Clock;
  readonly tables: Pick<Tables<'cases:get' | 'cases:put' | 'cases:update' | 'cases:delete'>, 'get' | 'transact'>;
  readonly workflow: Workflow;
}

const ROUNDS_MAX = 20;

/** True if an execution runs, or ran, for the case. The due marker goes last: until then somebody comes back. */
export async function startCase(caseId: string, deps: StartDeps): Promise<boolean> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const meta = parseMeta(await deps.tables.get('cases', metaKey(caseId)));
    if (meta === undefined) throw new CurfewError('ERR_NOT_FOUND', `there is no case ${caseId}`, { got: caseId });
    if (meta.dueAt > deps.clock.now()) return false;

    if (meta.state === 'OPEN' || meta.state === 'DUE') {
      const writes =
        meta.state === 'OPEN'
          ? transition(meta, { state: 'DUE' })
          : transition(meta, { state: 'CONTAINING', attempt: meta.attempt + 1 });
      try {
        await deps.tables.transact(writes);
      } catch (error) {
        if (!isCurfewError(error, 'ERR_CONDITION_FAILED')) throw error;
      }
      continue;
    }

    // The attempt is counted before it is started: if we stop here, its name is known, and starting it is repeated.
    await deps.workflow.start(executionName(meta), { caseId, attempt: meta.attempt });
    await deps.tables.transact([{ kind: 'delete', table: 'cases', key: dueKey(meta.dueAt, caseId) }]);
    return true;
  }
  throw new CurfewError('ERR_UNAVAILABLE', `case ${caseId} changes faster than it can be started`, { fix: 'retry' });
}
