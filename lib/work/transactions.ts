/** A refused condition is an answer, not an error: somebody else was faster, or the thing is done already. */
import { isCurfewError } from '../domain/base/errors';

/** True where everything was written; false where a condition did not hold, and then nothing was. */
export async function tryTransact<W>(
  tables: { readonly transact: (writes: readonly W[]) => Promise<void> },
  writes: readonly W[],
): Promise<boolean> {
  return succeeds(() => tables.transact(writes));
}

/** The same of any effect under a condition: a conditional put of an object, a change that several writes make up. */
export async function succeeds(effect: () => Promise<unknown>): Promise<boolean> {
  try {
    await effect();
    return true;
  } catch (error) {
    if (!isCurfewError(error, 'ERR_CONDITION_FAILED')) throw error;
    return false;
  }
}

const TURNS_MAX = 5;

/**
 * Reads, decides and writes, again and again, until nobody came in between: each turn reads anew. After the last turn the
 * refusal itself is thrown, which tells a caller, or a person, to ask again.
 */
export async function inTurn<T>(attempt: () => Promise<T>, turnsMax = TURNS_MAX): Promise<T> {
  for (let turn = 1; ; turn++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isCurfewError(error, 'ERR_CONDITION_FAILED') || turn >= turnsMax) throw error;
    }
  }
}
