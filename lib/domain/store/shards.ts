/** How the rows of issued tokens are spread: a kid's ledger over 64 partitions, and what waits for a token list likewise. */
import { ordered } from './table';

export const SHARDS = 64;

export const markerPartition = (shard: number) => `OUT#${ordered(shard, 2)}`;
export const MARKER_PARTITIONS = Array.from({ length: SHARDS }, (_, shard) => markerPartition(shard));
