/**
 * A wave, in table `keys`, and what each of its passes saw, in table `markers`, so that the resigner need not write keys.
 *
 *     RING#{ring} | WAVE#{fromKid}                         fromKid toKid state openedAt cases result?
 *     WAVE#{ring}#{fromKid} | PASS#{002}#{shard}           pass shard toKid source found resigned done excluded root
 */
import * as z from 'zod/mini';
import { entity, type Schema, shape } from './entity';
import { ringPartition } from './ring-head';
import { counts, digest, kid, text, whole } from './shapes';
import { ordered } from './table';

/** What the last pass of a wave came to; the root commits to every (H(jti), old digest, new digest). */
export interface WaveResult {
  readonly passes: number;
  readonly source: number;
  readonly done: number;
  readonly excluded: Readonly<Record<string, number>>;
  readonly root: string;
}

export interface Wave {
  /** The tainted kid: one wave each, however many cases join it. */
  readonly fromKid: string;
  readonly toKid: string;
  readonly state: 'OPEN' | 'DONE';
  readonly openedAt: number;
  readonly cases: readonly string[];
  /** Of a wave that is DONE. */
  readonly result?: WaveResult;
}

const result: Schema<WaveResult> = z.strictObject({
  passes: whole,
  source: whole,
  done: whole,
  excluded: counts,
  root: digest,
});

export const WAVE = entity({
  name: 'wave of a ring',
  table: 'keys',
  key: (ring: string, fromKid: string) => ({ pk: ringPartition(ring), sk: `WAVE#${fromKid}` }),
  owns: ({ pk, sk }) => pk.startsWith('RING#') && sk.startsWith('WAVE#'),
  part: (ring: string) => ({ pk: ringPartition(ring), prefix: 'WAVE#' }),
  schema: shape<Wave>(
    z.strictObject({
      fromKid: kid,
      toKid: kid,
      state: z.enum(['OPEN', 'DONE']),
      openedAt: whole,
      cases: z.array(text),
      result: z.optional(result),
    }),
  ),
});

/** What one batch of a pass saw. `found` counts rows that were eligible and had no re-signed version yet. */
export interface ResignCounts {
  readonly found: number;
  readonly resigned: number;
  readonly excluded: Readonly<Record<string, number>>;
}

/** One shard as a pass left it. */
export interface ShardPass extends ResignCounts {
  readonly pass: number;
  readonly shard: number;
  /** Where it re-signed to: an activation moves an open wave on, and then the passes begin anew. */
  readonly toKid: string;
  /** Rows of the source in this shard. */
  readonly source: number;
  /** Rows that have a re-signed version by now, and the Merkle root of their pairs. */
  readonly done: number;
  readonly root: string;
}

const passPartition = (ring: string, fromKid: string) => `WAVE#${ring}#${fromKid}`;

export const SHARD_PASS = entity({
  name: 'pass of a wave over a shard',
  table: 'markers',
  key: (ring: string, fromKid: string, pass: number, shard: number) => ({
    pk: passPartition(ring, fromKid),
    sk: `PASS#${ordered(pass, 3)}#${ordered(shard, 2)}`,
  }),
  owns: ({ pk, sk }) => pk.startsWith('WAVE#') && sk.startsWith('PASS#'),
  part: (ring: string, fromKid: string) => ({ pk: passPartition(ring, fromKid), prefix: 'PASS#' }),
  schema: shape<ShardPass>(
    z.strictObject({
      found: whole,
      resigned: whole,
      excluded: counts,
      pass: whole,
      shard: whole,
      toKid: kid,
      source: whole,
      done: whole,
      root: digest,
    }),
  ),
});
