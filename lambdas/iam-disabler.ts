/** Ends what an IAM user can authenticate with. IAM has no condition for "Inactive only": who invokes it could set Active. */
import { entry } from '../lib/aws/entry';
import type { Messages } from '../lib/domain/deployment/messages';
import type { Deps } from '../lib/ports';

export async function disableInIam(
  request: Messages['iam-disabler']['request'],
  { iamDisabler }: Deps<'iam-disabler'>,
): Promise<Messages['iam-disabler']['response']> {
  if (request.op === 'deactivate-access-key')
    await iamDisabler.deactivateAccessKey(request.userName, request.accessKeyId);
  else await iamDisabler.deleteLoginProfile(request.userName);
  return {};
}

export const handler = entry('iam-disabler', disableInIam);
