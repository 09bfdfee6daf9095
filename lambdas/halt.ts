/**
 * Halts the issuing of a ring, and resumes it. Waves go on: they only re-sign what was issued.
 *
 * A function of its own beside `taint`: people who may stop a ring need not be able to end its keys.
 */
import { entry } from '../lib/aws/entry';
import { CurfewError } from '../lib/domain/base/errors';
import type { Messages } from '../lib/domain/deployment/messages';
import { halt } from '../lib/domain/rings/life';
import { parseReason } from '../lib/domain/rings/reason';
import type { Deps } from '../lib/ports';
import { loadRing } from '../lib/work/rings/load-ring';
import { inTurn } from '../lib/work/transactions';

/** The switch is one transaction: no token is handed out after it, whatever was under way. */
export async function haltOrResume(
  { op, ring: id, reason: given }: Messages['halt']['request'],
  deps: Deps<'halt'>,
): Promise<Messages['halt']['response']> {
  if (op !== 'halt' && op !== 'resume')
    throw new CurfewError('ERR_INPUT_INVALID', 'the operation is not halt or resume', {
      got: op,
      allowed: ['halt', 'resume'],
    });
  const reason = parseReason(given);
  const { halted, activeKid } = await inTurn(`ring ${id}`, async () => {
    const writes = halt(await loadRing(deps, id), op === 'halt', reason, deps.clock.now());
    if (writes.length > 0) await deps.tables.transact(writes);
    return loadRing(deps, id);
  });
  return { halted, activeKid };
}

export const handler = entry('halt', haltOrResume);
