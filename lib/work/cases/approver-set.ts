/** Who may approve is on record from the minute in which a deployment said it, and not from the first decision that needs it. */
import { approversDigest, isSet } from '../../domain/cases/approvals';
import { approverSetWrites } from '../../domain/cases/decisions';
import { APPROVERS, type ApproverSet } from '../../domain/store/worker';
import type { Deps } from '../../ports';
import { tryTransact } from '../transactions';
import { pseudonymOf } from './pseudonym';

export async function recordApprovers(deps: Deps<'ticker'>): Promise<void> {
  const { tables, config, clock } = deps;
  const approvers = config.approvers ?? [];
  const last = (await tables.query(APPROVERS.in())).at(-1);
  if (last !== undefined && isSet(last, approvers)) return;
  const members = await Promise.all(
    approvers.map(async ({ workerId }) => ({ workerId, pseudonym: await pseudonymOf(workerId, deps) })),
  );
  const set: ApproverSet = {
    n: (last?.n ?? 0) + 1,
    digest: approversDigest(members.map(({ pseudonym }) => pseudonym)),
    members,
    // Never before the one that it replaces, whatever the clocks of two hosts say.
    at: Math.max(clock.now(), last?.at ?? 0),
  };
  // If we stop before this, nobody decides: the decider waits for the set, and the next minute writes it.
  await tryTransact(tables, approverSetWrites(set));
}
