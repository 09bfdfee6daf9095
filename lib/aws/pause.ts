/** How we wait between two tries of our own: full jitter, so that those who met do not meet again. */
import { randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

export type Pause = (milliseconds: number) => Promise<unknown>;
export const pause: Pause = (milliseconds) => setTimeout(milliseconds);

/** Before try `n + 1`: anything from nothing to `base` doubled `n` times, and at most `longest`. */
export function jitter(n: number, base: number, longest: number): number {
  return randomInt(0, Math.min(longest, base * 2 ** n) + 1);
}
