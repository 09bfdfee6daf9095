/** One whole row of every entity. Everything else that the tests of the store try is derived from these. */
import { CASES } from './cases';
import { LOG } from './log';
import { RINGS } from './rings';
import type { Sample } from './sample';
import { TOKENS } from './tokens';

export { KID, type Sample, WORKER } from './sample';

export const SAMPLES: readonly Sample[] = [...RINGS, ...TOKENS, ...CASES, ...LOG];

/** By the name of its entity. */
export function sampleOf(name: string): Sample {
  const found = SAMPLES.find(({ entity }) => entity.name === name);
  if (found) return found;
  throw new Error(`there is no sample of ${name}: add one to SAMPLES`);
}
