/** Cuts subjects off: no token issued until now counts, no new one is issued. Never moves a cut-off back. */

import { entry } from '../lib/aws/entry';
import { CurfewError } from '../lib/domain/base/errors';
import { parseCaseId } from '../lib/domain/cases/case';
import type { Messages } from '../lib/domain/deployment/messages';
import { CUT_OFF } from '../lib/domain/store/cut-off';
import { blind } from '../lib/domain/tokens/cut-off';
import { setCutOff } from '../lib/domain/tokens/cut-off-transitions';
import type { Deps } from '../lib/ports';
import { pepperOf } from '../lib/work/tokens/pepper';
import { tryTransact } from '../lib/work/transactions';

type CutterDeps = Deps<'cutter'>;

export async function cutOff(
  request: Messages['cutter']['request'],
  deps: CutterDeps,
): Promise<Messages['cutter']['response']> {
  // Before the first subject: the record of a cut-off must be one that the log takes.
  parseCaseId(request.caseId);
  parseNotBefore(request.notBefore);
  const pepper = await pepperOf(deps);
  const cutOffs = [];
  // If we stop between two subjects, those before are cut off; the replay moves them a little later, and does the rest.
  for (const subject of request.subjects) cutOffs.push(await cutOffOne(blind(pepper, subject), request, deps));
  return { cutOffs };
}

function parseNotBefore(given: unknown): void {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 0) return;
  throw new CurfewError('ERR_INPUT_INVALID', 'the cut-off is not an instant', {
    got: given,
    allowed: 'whole epoch seconds',
  });
}

async function cutOffOne(blinded: string, request: Messages['cutter']['request'], { tables, clock }: CutterDeps) {
  const { ring, caseId, notBefore } = request;
  const before = await tables.get(CUT_OFF, ring, blinded);
  // A block that a give-back lifted a moment ago left a cut-off that is still to come: the new one comes after it.
  const at = before?.blocked === false ? Math.max(notBefore, before.notBefore + 1) : notBefore;
  // Refused where the cut-off in place is as late or later: a replay, or another case. It stands.
  await tryTransact(tables, setCutOff({ ring, blinded, caseId }, at, clock.now()));
  const stored = await tables.get(CUT_OFF, ring, blinded);
  if (!stored) throw new CurfewError('ERR_UNAVAILABLE', 'the cut-off was written and cannot be read', { fix: 'retry' });
  return { notBefore: stored.notBefore, blocked: stored.blocked };
}

export const handler = entry('cutter', cutOff);
