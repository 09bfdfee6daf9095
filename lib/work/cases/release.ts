/** Opens one thing again, newest first: claimed while nobody else wants it shut, opened, read back. */
import { CurfewError } from '../../domain/base/errors';
import type { DepartureCase } from '../../domain/cases/case';
import type { Observations } from '../../domain/cases/proof';
import { departsAgain, isBeingShut, thingDigest } from '../../domain/cases/shut';
import type { PlannedItem } from '../../domain/store/case-items';
import type { Write } from '../../domain/store/table';
import { SCHEDULE, SHUT } from '../../domain/store/worker';
import type { Deps } from '../../ports';
import { inTurn } from '../transactions';
import { needed, type StoredItem } from './case-store';
import { leaverAs } from './leaver-as';
import { OBSERVE_IAM, userOf } from './observe';
import { loadWorker } from './worker';

type ConductorDeps = Deps<'conductor'>;
type ReleaseItem = Extract<PlannedItem, { kind: 'release' }>;

export async function release(
  item: ReleaseItem,
  stored: StoredItem,
  meta: DepartureCase,
  deps: ConductorDeps,
): Promise<Observations['release']> {
  // A user who was deleted, or a key that is no more, cannot be given back; another user of that name is not touched.
  if (await isGone(item, stored, deps)) return { open: false, gone: true };
  await claimOpening(item, stored, meta, deps);
  if (item.byHand === true) return seenOpen(await observeOpen(item, stored, deps), item, meta);
  const opened = await openThing(item, stored, meta, deps);
  // If we stop here, it is open and unrecorded: the replay opens it once more, and records it.
  return opened ?? observeOpen(item, stored, deps);
}

/** It stays open, and waits for people, as they were told before they approved. */
function seenOpen(observed: Observations['release'], { nn }: ReleaseItem, { caseId }: DepartureCase) {
  if (observed.open) return observed;
  throw new CurfewError('ERR_NOT_PROVED', `item ${nn} of case ${caseId} is a key that people have to enable by hand`, {
    fix: 'whoever administers the key runs `aws kms enable-key`; the next attempt of the case sees it',
  });
}

const shutKey = (item: ReleaseItem, { target }: StoredItem, { workerId }: DepartureCase) =>
  SHUT.key(workerId, item.thing, thingDigest(item.ring, target));

async function isGone(item: ReleaseItem, stored: StoredItem, deps: ConductorDeps): Promise<boolean> {
  if (item.thing !== 'latch' && item.thing !== 'access-key') return false;
  if ((await userOf(stored, deps)) === undefined) return true;
  return item.thing === 'access-key' && (await OBSERVE_IAM['access-key'](stored, deps)).status === 'none';
}

/** One transaction that finds no other case and no other departure: a departure that begins now waits for us, or we for it. */
async function claimOpening(
  item: ReleaseItem,
  stored: StoredItem,
  meta: DepartureCase,
  deps: ConductorDeps,
): Promise<void> {
  await inTurn(`item ${item.nn} of case ${meta.caseId}`, async () => {
    const worker = await loadWorker(deps, meta.workerId);
    const now = deps.clock.now();
    if (departsAgain(worker, meta, now))
      throw new CurfewError('ERR_CASE_STOPPED', `case ${meta.caseId} opens nothing more: the worker departs again`, {
        fix: 'nothing to do: the newer departure decides',
      });
    const key = shutKey(item, stored, meta);
    const thing = await deps.tables.get(SHUT, meta.workerId, item.thing, thingDigest(item.ring, stored.target));
    if (thing && isBeingShut(thing, now))
      throw new CurfewError('ERR_UNAVAILABLE', 'a step that shuts this thing may still be under way', { fix: 'retry' });
    await deps.tables.transact([
      {
        kind: 'update',
        table: 'cases',
        key,
        set: { openingBy: meta.caseId, openingAt: now },
        if: [{ attribute: 'soleCase', is: '=', value: meta.givesBack ?? '' }],
      },
      {
        kind: 'check',
        table: 'cases',
        key: SCHEDULE.key(meta.workerId),
        if: [{ attribute: 'version', is: '=', value: worker.schedule?.version ?? 0 }],
      },
    ]);
  });
}

/** Answers what the opener read back itself, where we could not. */
async function openThing(
  item: ReleaseItem,
  { target }: StoredItem,
  { caseId }: DepartureCase,
  deps: ConductorDeps,
): Promise<Observations['release'] | undefined> {
  const { functions } = deps;
  const named = (member: 'userName' | 'accessKeyId' | 'kmsKeyArn' | 'value') => needed(target[member], member, item.nn);
  switch (item.thing) {
    case 'cut-off': {
      const ring = needed(item.ring, 'ring', item.nn);
      const { cutOffs } = await functions.invoke('subject-release', {
        ring,
        subjects: leaverAs(named('value')),
        caseId,
      });
      // Verifiers learn of it from the feed alone; without this they would at the next heartbeat.
      await functions.invoke('publisher', { ring });
      return {
        // None lifted is nothing opened.
        open: cutOffs.length > 0 && cutOffs.every(({ blocked }) => !blocked),
        notBefore: Math.max(...cutOffs.map(({ notBefore }) => notBefore)),
      };
    }
    case 'latch':
      await functions.invoke('latch-release', { userName: named('userName'), caseId });
      return undefined;
    case 'access-key': {
      const [userName, accessKeyId] = [named('userName'), named('accessKeyId')];
      await functions.invoke('key-enabler', { op: 'activate-access-key', userName, accessKeyId, caseId });
      return undefined;
    }
    case 'personal-key':
      await functions.invoke('key-enabler', { op: 'enable-kms-key', kmsKeyArn: named('kmsKeyArn'), caseId });
      return undefined;
  }
}

async function observeOpen(
  item: ReleaseItem,
  stored: StoredItem,
  deps: ConductorDeps,
): Promise<Observations['release']> {
  switch (item.thing) {
    case 'latch': {
      const { exists, tagged, denied } = await OBSERVE_IAM.latch(stored, deps);
      return { open: exists && !tagged && !denied };
    }
    case 'access-key':
      return { open: (await OBSERVE_IAM['access-key'](stored, deps)).status === 'Active' };
    case 'personal-key': {
      const kmsKeyArn = needed(stored.target.kmsKeyArn, 'kmsKeyArn', item.nn);
      return { open: (await deps.functions.invoke('disabler', { op: 'look', kmsKeyArn })).state === 'Enabled' };
    }
    case 'cut-off':
      throw new CurfewError('ERR_PLAN_INVALID', 'a cut-off is read back by who lifts it', { got: item.nn });
  }
}

/** What is open again is nobody's any more: the next departure finds it as it is then. */
export function forgetShut(item: ReleaseItem, stored: StoredItem, meta: DepartureCase): Write<'cases:delete'> {
  return { kind: 'delete', table: 'cases', key: shutKey(item, stored, meta) };
}
