/** Takes the latch off one IAM user, for a departure that two approvers gave back. It can put none on. */
import { entry } from '../lib/aws/entry';
import type { Messages } from '../lib/domain/deployment/messages';
import type { Deps } from '../lib/ports';
import { requireApproved, requireOpening } from '../lib/work/cases/approved';

export async function releaseLatch(
  { userName, caseId }: Messages['latch-release']['request'],
  deps: Deps<'latch-release'>,
): Promise<Messages['latch-release']['response']> {
  const giveBack = await requireApproved(caseId, deps);
  await requireOpening(giveBack, ({ kind, target }) => kind === 'latch' && target.userName === userName, deps);
  await deps.latchRelease.untagLeaver(userName);
  // If we stop here, the policy denies nothing any more: it looks for the tag. The replay detaches it.
  await deps.latchRelease.detachDenyPolicy(userName);
  return {};
}

export const handler = entry('latch-release', releaseLatch);
