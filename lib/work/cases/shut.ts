/** Before a thing is shut it is written down for which case, and how it was found: without that nobody could give it back. */
import { CurfewError, isCurfewError } from '../../domain/base/errors';
import { type CaseMeta, type DepartureCase, departureOnly, isGivenBack } from '../../domain/cases/case';
import { proveItem } from '../../domain/cases/proof';
import { shutKindOf, shutWrites, thingDigest } from '../../domain/cases/shut';
import type { StepRequest } from '../../domain/deployment/messages';
import { CASE } from '../../domain/store/case';
import { ROW_PRESENT, type Write } from '../../domain/store/table';
import { SHUT } from '../../domain/store/worker';
import type { Deps } from '../../ports';
import { inTurn } from '../transactions';
import { BEGUN, loadCase, needed, parentOf, type StoredItem, type Target } from './case-store';
import { OBSERVE_IAM } from './observe';
import { loadWorker } from './worker';

type ConductorDeps = Deps<'conductor'>;

export async function noteShut(
  stored: StoredItem,
  meta: DepartureCase,
  request: StepRequest,
  deps: ConductorDeps,
): Promise<void> {
  const { item, target } = stored;
  const kind = shutKindOf(item);
  if (kind === undefined) return;
  const ring = 'ring' in item ? item.ring : undefined;
  const found = (await isShut(stored, deps)) ? 'shut' : 'open';
  // Given back is the departure, and with it whatever a case shut that proves its accepted items again.
  const caseId = (await parentOf(meta, deps))?.caseId ?? meta.caseId;
  await inTurn(`item ${item.nn} of case ${meta.caseId}`, async () => {
    const { cases } = await loadWorker(deps, meta.workerId);
    const before = await deps.tables.get(SHUT, meta.workerId, kind, thingDigest(ring, target));
    const current = await loadCase(deps, request, BEGUN);
    if (isGivenBack(current))
      throw new CurfewError('ERR_CASE_STOPPED', `case ${meta.caseId} was given back: it shuts nothing more`);
    const thing = { kind, ...(ring !== undefined && { ring }), target };
    await deps.tables.transact([
      ...shutWrites({ workerId: meta.workerId, caseId }, thing, before, { found, cases, now: deps.clock.now() }),
      // Given back in this moment, or taken over by another attempt: nothing is shut after everything was opened.
      {
        kind: 'check',
        table: 'cases',
        key: CASE.key(meta.caseId),
        if: [
          { attribute: 'attempt', is: '=', value: request.attempt },
          { attribute: 'givenBackAt', is: 'absent' },
        ],
      },
    ]);
  });
  // If we stop here, it is written down and still open: the replay shuts it.
}

/** It is shut, and read back: whoever opens it need not wait for us. None where nobody wrote it down. */
export async function shutDone(
  { item, target }: StoredItem,
  meta: CaseMeta,
  { tables, functions }: ConductorDeps,
): Promise<Write<'cases:update'>[]> {
  const kind = shutKindOf(item);
  if (kind === undefined) return [];
  const { workerId } = departureOnly(meta);
  const ring = 'ring' in item ? item.ring : undefined;
  const id = [workerId, kind, thingDigest(ring, target)] as const;
  if ((await tables.get(SHUT, ...id)) === undefined) return [];
  const set = kind === 'personal-key' && (await isByHand(target, functions)) ? { byHand: true } : undefined;
  return [{ kind: 'update', table: 'cases', key: SHUT.key(...id), set, remove: ['shuttingAt'], if: ROW_PRESENT }];
}

/** Looked at once it is shut: containment does not wait for who opens. Who cannot look now leaves it for the give-back to try. */
async function isByHand({ kmsKeyArn }: Target, functions: ConductorDeps['functions']): Promise<boolean> {
  if (kmsKeyArn === undefined) return false;
  try {
    return (await functions.invoke('key-enabler', { op: 'look', kmsKeyArn })).mayEnable === false;
  } catch (error) {
    if (!isCurfewError(error)) throw error;
    return false;
  }
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
