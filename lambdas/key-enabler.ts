/** Makes an access key, or a personal KMS key, usable again, for a departure that two approvers gave back. */
import { entry } from '../lib/aws/entry';
import type { Messages } from '../lib/domain/deployment/messages';
import type { Deps } from '../lib/ports';
import { requireApproved } from '../lib/work/cases/approved';

export async function enableKey(
  request: Messages['key-enabler']['request'],
  deps: Deps<'key-enabler'>,
): Promise<Messages['key-enabler']['response']> {
  await requireApproved(request.caseId, deps);
  if (request.op === 'activate-access-key')
    await deps.iamEnabler.activateAccessKey(request.userName, request.accessKeyId);
  // A key whose policy does not name our role is refused by KMS: people enable it by hand, and the case sees it.
  else await deps.keyEnabler.enable(request.kmsKeyArn);
  return {};
}

export const handler = entry('key-enabler', enableKey);
