/** Makes an access key, or a personal KMS key, usable again, for a departure that two approvers gave back. */
import { entry } from '../lib/aws/entry';
import type { Messages } from '../lib/domain/deployment/messages';
import type { Shut } from '../lib/domain/store/worker';
import type { Deps } from '../lib/ports';
import { requireApproved, requireOpening } from '../lib/work/cases/approved';

export async function enableKey(
  request: Messages['key-enabler']['request'],
  deps: Deps<'key-enabler'>,
): Promise<Messages['key-enabler']['response']> {
  const giveBack = await requireApproved(request.caseId, deps);
  await requireOpening(giveBack, (thing) => isMeant(thing, request), deps);
  if (request.op === 'activate-access-key')
    await deps.iamEnabler.activateAccessKey(request.userName, request.accessKeyId);
  // A key whose policy does not name our role is refused by KMS: people enable it by hand, and the case sees it.
  else await deps.keyEnabler.enable(request.kmsKeyArn);
  return {};
}

function isMeant({ kind, target }: Shut, request: Messages['key-enabler']['request']): boolean {
  return request.op === 'activate-access-key'
    ? kind === 'access-key' && target.userName === request.userName && target.accessKeyId === request.accessKeyId
    : kind === 'personal-key' && target.kmsKeyArn === request.kmsKeyArn;
}

export const handler = entry('key-enabler', enableKey);
