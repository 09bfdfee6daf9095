/** A refused condition is an answer, not an error: another writer was faster, or the thing is done already. */
import { CurfewError, isCurfewError } from '../domain/base/errors';

/** True where everything was written; false where a condition did not hold, and then nothing was. */
export async function tryTransact<W>(
  tables: { readonly transact: (writes: readonly W[]) => Promise<void> },
  writes: readonly W[],
): Promise<boolean> {
  return succeeds(() => tables.transact(writes));
}

/** The same of any effect under a condition, such as a conditional put of an object. */
export async function succeeds(effect: () => Promise<unknown>): Promise<boolean> {
  try {
    await effect();
    return true;
  } catch (error) {
    if (!isCurfewError(error, 'ERR_CONDITION_FAILED')) throw error;
    return false;
  }
}

const TURNS_MAX = 20;

/**
 * Read, decide, write: again and again, until no other writer came in between. Each turn reads anew. `what` is the thing
 * that changes, for the error after the last turn.
 */
export async function inTurn<T>(what: string, attempt: () => Promise<T>, turnsMax = TURNS_MAX): Promise<T> {
  for (let turn = 1; ; turn++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isCurfewError(error, 'ERR_CONDITION_FAILED')) throw error;
      if (turn < turnsMax) continue;
      throw new CurfewError('ERR_UNAVAILABLE', `${what} changed ${turnsMax} times before it could be written`, {
        got: turnsMax,
        fix: 'ask again',
        cause: error,
      });
    }
  }
}
