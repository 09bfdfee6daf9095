/** The system's clock, in whole epoch seconds. */
import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../ports';

export const systemClock: Clock = {
  now: () => Math.floor(Date.now() / 1000),
  sleep: (seconds) => setTimeout(seconds * 1000),
};
