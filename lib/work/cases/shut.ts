/** Before a thing is shut it is written down for which case, and how it was found: without that nobody could give it back. */
import { CurfewError } from '../../domain/base/errors';
import type { CaseMeta } from '../../domain/cases/case';
import { proveItem } from '../../domain/cases/proof';
import { isOpening, shutKindOf, shutWrites, thingDigest } from '../../domain/cases/shut';
import { SHUT } from '../../domain/store/worker';
import type { Deps } from '../../ports';
import { inTurn } from '../transactions';
import { needed, type StoredItem } from './case-store';
import { OBSERVE_IAM } from './observe';

type ConductorDeps = Deps<'conductor'>;

export async function noteShut(stored: StoredItem, meta: CaseMeta, deps: ConductorDeps): Promise<void> {
  const { item, target } = stored;
  const kind = shutKindOf(item);
  if (kind === undefined) return;
  const ring = 'ring' in item ? item.ring : undefined;
  await inTurn(`item ${item.nn} of case ${meta.caseId}`, async () => {
    const [before] = (await deps.tables.query(SHUT.in(meta.workerId))).filter(
      ({ key }) => key.sk === SHUT.key(meta.workerId, kind, thingDigest(ring, target)).sk,
    );
    if (before && isOpening(before, deps.clock.now()))
      throw new CurfewError('ERR_UNAVAILABLE', 'a give-back opens this thing at this moment', { fix: 'retry' });
    const found = before?.found ?? ((await isShut(stored, deps)) ? 'shut' : 'open');
    const writes = shutWrites(meta, { kind, ...(ring !== undefined && { ring }), target }, before, found);
    if (writes.length > 0) await deps.tables.transact(writes);
  });
  // If we stop here, it is written down and still open: the replay shuts it.
}

/** As it is before this case touches it. Only cases block subjects, and each of them is written down. */
async function isShut(stored: StoredItem, deps: ConductorDeps): Promise<boolean> {
  const { kind, nn } = stored.item;
  switch (kind) {
    case 'latch':
      return proveItem(kind, await OBSERVE_IAM.latch(stored, deps)).ok;
    case 'access-key':
      return proveItem(kind, await OBSERVE_IAM['access-key'](stored, deps)).ok;
    case 'personal-key': {
      const kmsKeyArn = needed(stored.target.kmsKeyArn, 'kmsKeyArn', nn);
      const { state } = await deps.functions.invoke('disabler', { op: 'look', kmsKeyArn });
      return state !== 'Enabled';
    }
    default:
      return false;
  }
}
