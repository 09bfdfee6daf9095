/** A Lambda made for the contract tests: it answers, refuses or breaks as it is asked, behind the real `entry`. */
import { entry } from '../../lib/aws/entry';
import { CurfewError } from '../../lib/domain/base/errors';

export const handler = entry('disabler', async ({ kmsKeyArn }: { readonly kmsKeyArn: string }, deps) => {
  if (kmsKeyArn === 'refuse')
    throw new CurfewError('ERR_CASE_STATE', 'the case waits for people', { fix: 'approve it', got: 'kept back' });
  if (kmsKeyArn === 'break') throw new TypeError('W-1042 is not a function');
  return { state: `${kmsKeyArn} for ${deps.config.instance}`, and: 'what the caller does not know' };
});
