/**
 * What a run of the tests draws, and that one number decides all of it: TEST_SEED. It comes from the environment, or is
 * drawn when a run starts and printed; `TEST_SEED=123 npm test` draws the same again.
 */
import { createHash, randomInt } from 'node:crypto';

/** fast-check takes 32 bits with a sign: these are the ones without. */
const SEEDS = 2 ** 31;

/** Kept in the environment, so that every process of the run has the same. */
process.env.TEST_SEED ??= String(randomInt(SEEDS));
export const TEST_SEED = parseSeed(process.env.TEST_SEED);

/** A typing error must not look like a repeated run. */
function parseSeed(given: string): number {
  const seed = Number(given);
  if (String(seed) === given && Number.isInteger(seed) && seed >= 0 && seed < SEEDS) return seed;
  throw new Error(`TEST_SEED is ${JSON.stringify(given)}; allowed: a whole number from 0 to ${SEEDS - 1}`);
}

/** A seed of this run for one purpose: what another test draws more, or no more, does not change it. */
export function seedFor(purpose: string): number {
  return createHash('sha256').update(`${TEST_SEED}:${purpose}`).digest().readUInt32BE() % SEEDS;
}

/** Names that nobody else in this run has, for one purpose. */
export function idsFor(purpose: string): () => string {
  const draw = seeded(seedFor(purpose));
  const word = () =>
    Math.floor(draw() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return () => word() + word();
}

/** Numbers that look random and repeat by seed: mulberry32, 32 bits a draw. What counts is that a seed is a run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
