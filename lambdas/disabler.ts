/**
 * Disables one KMS key whose policy lets it, reads it back, and cannot enable it again. A key that waits for deletion or
 * is gone is refused by DisableKey and cannot be used either: its owner must not stop a departure with that.
 */
import { entry } from '../lib/aws/entry';
import { isCurfewError } from '../lib/domain/base/errors';
import type { Messages } from '../lib/domain/deployment/messages';
import { cannotSign } from '../lib/domain/rings/ending';
import type { Deps, KeyDisabler } from '../lib/ports';
import { agreed } from '../lib/work/rings/patience';

export async function disableKey(
  { kmsKeyArn, op = 'disable' }: Messages['disabler']['request'],
  { keyDisabler, clock }: Deps<'disabler'>,
): Promise<Messages['disabler']['response']> {
  // One host may not have heard of a key that was made a moment ago: it is gone when so many in a row say so.
  const before = await agreed(
    () => stateOf(kmsKeyArn, keyDisabler),
    (state) => !isOver(state),
    { clock },
  );
  if (op === 'look' || isOver(before)) return { state: before };
  await keyDisabler.disable(kmsKeyArn);
  // Read back from a host that knows; what none knows in ten seconds is answered as it is, and the step is tried again.
  return { state: await agreed(() => stateOf(kmsKeyArn, keyDisabler), cannotSign, { clock }) };
}

function isOver(state: string): boolean {
  return state === 'PendingDeletion' || state === 'NotFound';
}

async function stateOf(kmsKeyArn: string, keyDisabler: KeyDisabler): Promise<string> {
  try {
    return (await keyDisabler.describe(kmsKeyArn)).state;
  } catch (error) {
    if (isCurfewError(error, 'ERR_NOT_FOUND')) return 'NotFound';
    throw error;
  }
}

export const handler = entry('disabler', disableKey);
