/**
 * A wave: one re-sign run of one tainted kid, over its ledger shards, in at least two passes.
 *
 * Pass 1 does the work. Pass 2 runs after the drain, when no signature under the old key can be in flight any more;
 * only when it finds nothing may the kid be DENIED. Each batch of a pass leaves one item per shard, keyed by kid,
 * pass and shard, so that a batch that runs twice counts once.
 */
import { linesRoot } from '../evidence/token-list';
import type { WaveResult } from '../rings/ring';
import { ordered } from '../store/table';
import type { ShardPass } from '../store/wave';

export type { ResignCounts, ShardPass } from '../store/wave';

/** One unit of a wave's Map: some shards of one tainted kid. */
export interface WaveBatch {
  readonly ring: string;
  readonly fromKid: string;
  readonly shards: readonly number[];
}

/** A token and its re-signed version, by digest. */
export interface ResignedPair {
  readonly jtiH: string;
  readonly oldSha256: string;
  readonly newSha256: string;
}

/** Shards a batch: 64 shards make 8 units of the Map. */
const SHARDS_PER_BATCH = 8;

export function batchesOf(wave: Omit<WaveBatch, 'shards'>, shards: number): WaveBatch[] {
  return Array.from({ length: Math.ceil(shards / SHARDS_PER_BATCH) }, (_, n) => {
    const first = n * SHARDS_PER_BATCH;
    return { ...wave, shards: Array.from({ length: Math.min(SHARDS_PER_BATCH, shards - first) }, (_, i) => first + i) };
  });
}

/** Batches whose shards have not been seen empty by a second or later pass. */
export function pendingBatches(batches: readonly WaveBatch[], passes: readonly ShardPass[]): WaveBatch[] {
  const last = lastPasses(passes);
  return batches.filter(({ shards }) => !shards.every((shard) => isSettled(last.get(shard))));
}

/** Passes towards the key that issues now: what an earlier one was given, it may not have any more to give. */
export function passesTowards(toKid: string | undefined, passes: readonly ShardPass[]): ShardPass[] {
  return passes.filter((pass) => pass.toKid === toKid);
}

/** How many shards a pass went through, and in how many of them nothing is left. */
export function progressOf(passes: readonly ShardPass[]): { readonly passed: number; readonly settled: number } {
  const last = [...lastPasses(passes).values()];
  return { passed: last.length, settled: last.filter(isSettled).length };
}

function isSettled(last: ShardPass | undefined): boolean {
  return last !== undefined && last.pass >= 2 && last.found === 0;
}

/** Sums the last pass of every shard and commits to every pair. */
export function waveResult(passes: readonly ShardPass[]): WaveResult {
  const last = [...lastPasses(passes).values()].sort((a, b) => a.shard - b.shard);
  const excluded: Record<string, number> = {};
  for (const pass of last)
    for (const [why, n] of Object.entries(pass.excluded)) excluded[why] = (excluded[why] ?? 0) + n;
  return {
    passes: Math.max(...last.map(({ pass }) => pass)),
    source: last.reduce((sum, { source }) => sum + source, 0),
    done: last.reduce((sum, { done }) => sum + done, 0),
    excluded,
    root: waveRoot(last),
  };
}

/** RFC 6962 root over lines `H(jti) oldSha256 newSha256`, in order of H(jti). */
export function shardRoot(pairs: readonly ResignedPair[]): string {
  return linesRoot(pairs.map(({ jtiH, oldSha256, newSha256 }) => `${jtiH} ${oldSha256} ${newSha256}`).sort()).toString(
    'base64url',
  );
}

/** RFC 6962 root over lines `shard root`, of the shards that hold a pair: a wave of millions never stands in one item. */
export function waveRoot(shards: readonly Pick<ShardPass, 'shard' | 'done' | 'root'>[]): string {
  const lines = shards.filter(({ done }) => done > 0).map(({ shard, root }) => `${ordered(shard, 2)} ${root}`);
  return linesRoot(lines.sort()).toString('base64url');
}

function lastPasses(passes: readonly ShardPass[]): Map<number, ShardPass> {
  const last = new Map<number, ShardPass>();
  for (const pass of passes) if ((last.get(pass.shard)?.pass ?? 0) < pass.pass) last.set(pass.shard, pass);
  return last;
}
