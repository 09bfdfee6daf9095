/** Opens a case that ends one key, and starts it. Who asked, CloudTrail knows: a Lambda that is invoked is not told. */
import { entry } from '../lib/aws/entry';
import { CurfewError } from '../lib/domain/base/errors';
import { taintIdOf } from '../lib/domain/cases/case';
import { openedTaintRecord } from '../lib/domain/cases/records';
import { bornCase } from '../lib/domain/cases/transitions';
import type { Messages } from '../lib/domain/deployment/messages';
import { parseReason } from '../lib/domain/rings/reason';
import { findKey } from '../lib/domain/rings/ring';
import { hasIssued, parseTaintClass, refuseUnlessTaintable } from '../lib/domain/rings/taint';
import { CASE, DUE_MARKER, type TaintCase } from '../lib/domain/store/case';
import type { Deps } from '../lib/ports';
import { startCase } from '../lib/work/cases/start-case';
import { loadRing } from '../lib/work/rings/load-ring';
import { tryTransact } from '../lib/work/transactions';

type Request = Messages['taint-opener']['request'];
type Response = Messages['taint-opener']['response'];

export async function openTaint(request: Request, deps: Deps<'taint-opener'>): Promise<Response> {
  const meta = await draftCase(request, deps);
  const opened = {
    record: openedTaintRecord(meta, meta.openedAt),
    event: { detailType: 'CaseOpened', detail: { id: meta.caseId } },
  };
  // Refused where it was opened before: then that one, with the reason given then, is looked after.
  const isNew = await tryTransact(deps.tables, bornCase(meta, [opened]));
  const before = isNew ? undefined : await deps.tables.get(CASE, meta.caseId);
  // If we stop here, or the workflow does not answer, the due marker has the ticker start it. Asked again, the next attempt
  // begins at once where one has ended: nobody waits a day for a key that may have been copied.
  const again = before && { attempt: before.attempt, key: DUE_MARKER.key(before.dueAt, before.caseId) };
  await startCase(meta.caseId, deps, again);
  return { caseId: meta.caseId };
}

async function draftCase({ ring: id, kid, ...given }: Request, deps: Deps<'taint-opener'>): Promise<TaintCase> {
  const reason = parseReason(given.reason);
  const taintClass = parseTaintClass(given.class);
  const ring = await loadRing(deps, id);
  const found = findKey(ring, kid);
  refuseUnlessTaintable(ring, found);
  if (!hasIssued(found))
    throw new CurfewError('ERR_KEY_STATE', `key ${kid} of ring ${id} never issued: no case is needed to end it`, {
      got: found.state,
      allowed: 'a key that has issued',
      fix:
        found.state === 'STANDBY'
          ? `\`curfew ring taint ${kid} --class planned --reason TEXT\` retires it`
          : 'nothing to do',
    });
  const key = { ring: id, kid, class: taintClass, reason };
  const now = deps.clock.now();
  const caseId = taintIdOf(deps.config.instance, key);
  return { kind: 'taint', caseId, key, state: 'DUE', version: 1, attempt: 0, fence: 1, dueAt: now, openedAt: now };
}

export const handler = entry('taint-opener', openTaint);
