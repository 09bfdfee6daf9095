/** The latch: one tag and one pre-provisioned deny policy on one user. It can put both on, and take neither off. */
import { entry } from '../lib/aws/entry';
import { parseCaseId } from '../lib/domain/cases/case';
import type { Messages } from '../lib/domain/deployment/messages';
import type { Deps } from '../lib/ports';

export async function applyLatch(
  { userName, caseId: given }: Messages['latch']['request'],
  { latch }: Deps<'latch'>,
): Promise<Messages['latch']['response']> {
  const caseId = parseCaseId(given);
  await latch.attachDenyPolicy(userName);
  // If we stop here, the policy is on and denies nothing: it looks for the tag. The replay tags.
  await latch.tagLeaver(userName, caseId);
  return {};
}

export const handler = entry('latch', applyLatch);
