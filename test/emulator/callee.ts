/** A Lambda made for the contract tests: it answers, refuses or breaks as it is asked, behind the real `entry`. */
import { entry } from '../../lib/aws/entry';
import { CurfewError } from '../../lib/domain/base/errors';

export const handler = entry('latch', async (event: { readonly userName: string; readonly caseId: string }, deps) => {
  if (event.userName === 'refuse')
    throw new CurfewError('ERR_CASE_STATE', 'the case waits for people', { fix: 'approve it', got: 'kept back' });
  if (event.userName === 'break') throw new TypeError('W-1042 is not a function');
  return { applied: deps.config.instance === 'contracts', caseId: event.caseId };
});
