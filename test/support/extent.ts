/**
 * How often a test repeats what it repeats. `npm test` takes few, for whoever waits for it; `npm run verify:all` sets
 * CURFEW_THOROUGH=1 and takes many. What is asserted is the same.
 */
export const THOROUGH = process.env.CURFEW_THOROUGH === '1';

export function extent(few: number, many: number): number {
  return THOROUGH ? many : few;
}

/** As a person reads it: 10,000. */
export const counted = (n: number): string => n.toLocaleString('en-GB');
