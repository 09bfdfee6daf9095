/** The names of all alarms of an instance: what must be there. What each means stands in `lib/constructs/watch/alarms.ts`. */
import { CASE_METRICS, METRICS, type MetricName } from '../deployment/metrics';
import type { FunctionName } from './rights';

/** Nothing stands by in a ring that closes. */
const NOT_WHILE_CLOSING: readonly MetricName[] = ['StandbyKeys'];
/** What depends on the ring's own times, or on how many keys it has, has no worst of all rings. */
const OF_ONE_RING_ONLY: readonly MetricName[] = ['ActiveKeyAge', 'StandbyKeys'];
const RING_ALARMS = Object.keys(METRICS) as readonly MetricName[];
/** The stack that watches all rings together, and their signers. */
const SIGNING = 'signing';
const OFFBOARDING = 'offboarding';
/** The Lambdas that a stream feeds, by stack: each has an alarm on how long its rows wait. */
const STREAM_CONSUMERS: Readonly<Record<string, readonly FunctionName[]>> = {
  signing: ['outbox-signing'],
  offboarding: ['case-folder', 'decider', 'outbox-offboarding'],
};

interface AlarmedRing {
  readonly id: string;
  readonly closing: boolean;
}

/** `stacks`: those that are deployed, without the name of the instance. */
export function alarmNames(instance: string, stacks: readonly string[], rings: readonly AlarmedRing[]): string[] {
  return [
    ...rings.flatMap(({ id, closing }) =>
      RING_ALARMS.filter((name) => !closing || !NOT_WHILE_CLOSING.includes(name)).map((name) => `${id}-${name}`),
    ),
    ...(stacks.includes(SIGNING)
      ? [
          ...RING_ALARMS.filter((name) => !OF_ONE_RING_ONLY.includes(name)),
          'SignErrors',
          'RecordUnreadable',
          'WatchSilent',
        ]
      : []),
    ...(stacks.includes(OFFBOARDING) ? Object.keys(CASE_METRICS) : []),
    ...stacks.flatMap((stack) => STREAM_CONSUMERS[stack] ?? []).map((consumer) => `${consumer}-StreamAge`),
    ...stacks.map((stack) => `${stack}-DeadLetters`),
  ].map((name) => `curfew-${instance}-${name}`);
}
