/** Taints and denies keys of a ring. Writes the table `keys` and has no KMS right at all. */

import { entry } from '../lib/aws/entry';
import { CurfewError } from '../lib/domain/base/errors';
import { parseCaseId } from '../lib/domain/cases/case';
import type { Messages } from '../lib/domain/deployment/messages';
import { parseReason } from '../lib/domain/rings/reason';
import { findKey, type KeyRecord, type Ring } from '../lib/domain/rings/ring';
import { deny, parseTaintClass, taint } from '../lib/domain/rings/taint';
import { SHARDS } from '../lib/domain/store/ledger';
import { SHARD_PASS } from '../lib/domain/store/wave';
import {
  batchesOf,
  passesTowards,
  pendingBatches,
  type ShardPass,
  type WaveBatch,
  waveResult,
} from '../lib/domain/tokens/wave';
import type { Deps } from '../lib/ports';
import { loadRing } from '../lib/work/rings/load-ring';
import { inTurn } from '../lib/work/transactions';

type TaintDeps = Deps<'taint'>;
type TaintRequest = Extract<Messages['taint']['request'], { op: 'taint' }>;
type Response = Messages['taint']['response'];

export async function taintOrDeny(request: Messages['taint']['request'], deps: TaintDeps): Promise<Response> {
  switch (request.op) {
    case 'taint':
      return taintTargets(request, deps);
    case 'deny':
      return denySettled(request, deps);
    default: {
      // From outside of TypeScript: anybody who may invoke may ask for anything.
      const { op }: { readonly op?: unknown } = request;
      throw new CurfewError('ERR_INPUT_INVALID', 'the operation is not taint or deny', {
        got: op,
        allowed: ['taint', 'deny'],
      });
    }
  }
}

async function taintTargets(request: TaintRequest, deps: TaintDeps): Promise<Response> {
  // Before anything is read or changed: the record of the taint must be one that the log takes.
  if (request.caseId !== undefined) parseCaseId(request.caseId);
  for (const { class: taintClass, reason } of request.targets) {
    parseReason(reason);
    parseTaintClass(taintClass);
  }
  const ring = await inTurn(`ring ${request.ring}`, () => writeTaint(request, deps));
  const kids = request.targets.map(({ kid }) => kid);
  return answer(ring, kids, waveBatches(ring, kids));
}

async function writeTaint(request: TaintRequest, deps: TaintDeps): Promise<Ring> {
  const ring = await loadRing(deps, request.ring);
  // A rotator or another departure may be faster, and move the fence: then the next turn reads and decides again.
  const writes = taint(ring, request.targets, request.successor, request.caseId, deps.clock.now());
  // Nothing to write: a replay, every target is SUSPECT for this case already. The answer is the same.
  if (writes.length > 0) await deps.tables.transact(writes);
  return loadRing(deps, request.ring);
}

/** DENIES each kid whose last pass found nothing; a planned one also waits for holders to collect. */
async function denySettled(
  request: Extract<Messages['taint']['request'], { op: 'deny' }>,
  deps: TaintDeps,
): Promise<Response> {
  const pending: WaveBatch[] = [];
  for (const kid of request.kids) {
    pending.push(...(await inTurn(`ring ${request.ring}`, () => denyIfSettled(request.ring, kid, deps))));
  }
  return answer(await loadRing(deps, request.ring), request.kids, pending);
}

/** The batches that are still to do; none where the kid is DENIED, or only waits for holders. */
async function denyIfSettled(ringId: string, kid: string, deps: TaintDeps): Promise<WaveBatch[]> {
  const ring = await loadRing(deps, ringId);
  const key = findKey(ring, kid);
  if (key.state !== 'SUSPECT') return [];
  const passes = await shardPasses(ring, kid, deps);
  const open = pendingBatches(waveBatches(ring, [kid]), passes);
  if (open.length === 0 && !isCollecting(key, deps))
    await deps.tables.transact(deny(ring, kid, waveResult(passes), deps.clock.now()));
  // If we stop here, the kid is DENIED: asked again, it has nothing left to do.
  return open;
}

function isCollecting(key: KeyRecord, { clock, config }: TaintDeps): boolean {
  return key.taint?.class === 'planned' && clock.now() < key.taint.at + config.settings.collectGraceSeconds;
}

function waveBatches(ring: Ring, kids: readonly string[]): WaveBatch[] {
  return ring.waves
    .filter(({ fromKid, state }) => kids.includes(fromKid) && state === 'OPEN')
    .flatMap(({ fromKid }) => batchesOf({ ring: ring.id, fromKid }, SHARDS));
}

async function shardPasses(ring: Ring, fromKid: string, { tables }: TaintDeps): Promise<ShardPass[]> {
  const toKid = ring.waves.find((wave) => wave.fromKid === fromKid)?.toKid;
  return passesTowards(toKid, await tables.query(SHARD_PASS.in(ring.id, fromKid)));
}

function answer(ring: Ring, kids: readonly string[], batches: readonly WaveBatch[]): Response {
  return { states: kids.map((kid) => ({ kid, state: findKey(ring, kid).state })), batches };
}

export const handler = entry('taint', taintOrDeny);
