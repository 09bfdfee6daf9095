/** Taints and denies keys of a ring. Writes the Keys table and has no KMS right at all. */
import { entry } from '../../lib/aws/entry';
import { CurfewError } from '../../lib/domain/errors';
import { findKey, type KeyRecord, type Ring, SHARDS } from '../../lib/domain/keys/ring';
import { deny, taint } from '../../lib/domain/keys/transitions';
import type { Messages, WaveBatch } from '../../lib/domain/messages';
import { batchesOf, pendingBatches, type ShardPass, waveResult } from '../../lib/domain/tokens/wave';
import type { Deps } from '../../lib/ports';
import { loadRing } from './load-ring';

type TaintDeps = Deps<'taint'>;
type Response = Messages['taint']['response'];

export async function taintLambda(request: Messages['taint']['request'], deps: TaintDeps): Promise<Response> {
  return request.op === 'taint' ? taintTargets(request, deps) : denySettled(request, deps);
}

async function taintTargets(
  request: Extract<Messages['taint']['request'], { op: 'taint' }>,
  deps: TaintDeps,
): Promise<Response> {
  const before = await loadRing(deps, request.ring);
  const writes = taint(before, request.targets, request.successor, request.caseId, deps.clock.now());
  // Nothing to write: a replay, every target is SUSPECT for this case already. The answer is the same.
  if (writes.length > 0) await deps.tables.transact(writes);

  const ring = await loadRing(deps, request.ring);
  const kids = request.targets.map(({ kid }) => kid);
  return answer(ring, kids, waveBatches(ring, kids));
}

/** DENIES each kid whose last pass found nothing; a planned one also waits for holders to collect. */
async function denySettled(
  request: Extract<Messages['taint']['request'], { op: 'deny' }>,
  deps: TaintDeps,
): Promise<Response> {
  const pending: WaveBatch[] = [];
  for (const kid of request.kids) {
    const ring = await loadRing(deps, request.ring);
    const key = findKey(ring, kid);
    if (key.state !== 'SUSPECT') continue;
    const passes = await shardPasses(ring, kid, deps);
    const open = pendingBatches(waveBatches(ring, [kid]), passes);
    pending.push(...open);
    if (open.length === 0 && !isCollecting(key, deps))
      await deps.tables.transact(deny(ring, kid, waveResult(passes), deps.clock.now()));
  }
  return answer(await loadRing(deps, request.ring), request.kids, pending);
}

function isCollecting(key: KeyRecord, { clock, config }: TaintDeps): boolean {
  return key.taint?.class === 'planned' && clock.now() < key.taint.at + config.settings.collectGraceSeconds;
}

function waveBatches(ring: Ring, kids: readonly string[]): WaveBatch[] {
  return ring.waves
    .filter(({ fromKid, state }) => kids.includes(fromKid) && state === 'OPEN')
    .flatMap(({ fromKid, toKid }) => batchesOf({ ring: ring.id, wave: fromKid, fromKid, toKid }, SHARDS));
}

async function shardPasses(ring: Ring, fromKid: string, { tables }: TaintDeps): Promise<ShardPass[]> {
  const items = await tables.query({ table: 'keys', pk: `WAVE#${ring.id}#${fromKid}`, prefix: 'PASS#' });
  return items.map((item) => item as unknown as ShardPass);
}

function answer(ring: Ring, kids: readonly string[], batches: readonly WaveBatch[]): Response {
  if (ring.activeKid === undefined) throw new CurfewError('ERR_KEY_STATE', `ring ${ring.id} has no ACTIVE key`);
  return { states: kids.map((kid) => ({ kid, state: findKey(ring, kid).state })), batches, activeKid: ring.activeKid };
}

export const handler = entry('taint', taintLambda);
