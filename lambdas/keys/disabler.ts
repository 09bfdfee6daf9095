/** Disables one KMS key whose policy lets it, reads it back, and cannot enable it again. */
import { entry } from '../../lib/aws/entry';
import type { Messages } from '../../lib/domain/messages';
import type { Deps } from '../../lib/ports';

export async function disableKey(
  { kmsKeyArn }: Messages['disabler']['request'],
  { keyDisabler }: Deps<'disabler'>,
): Promise<Messages['disabler']['response']> {
  await keyDisabler.disable(kmsKeyArn);
  return { state: (await keyDisabler.describe(kmsKeyArn)).state };
}

export const handler = entry('disabler', disableKey);
