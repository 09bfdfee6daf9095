/** How the rows of issued tokens are spread: a kid's ledger over 64 partitions, and what waits for a token list likewise. */
import { ordered } from './table';

export const SHARDS = 64;

export const issuedPartition = (shard: number) => `OUT#${ordered(shard, 2)}`;
export const ISSUED_PARTITIONS = Array.from({ length: SHARDS }, (_, shard) => issuedPartition(shard));
