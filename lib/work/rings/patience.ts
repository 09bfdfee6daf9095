/**
 * Waiting for what AWS makes true a moment after it said so. KMS is eventually consistent: for seconds after a change,
 * minutes at worst, a host may answer as before it
 * (https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency).
 */
import { type ErrorCode, isCurfewError } from '../../domain/base/errors';
import type { Clock, KeyDisabler, KmsKeyDescription } from '../../ports';

/** One good answer proves one host: so many in a row, so far apart, are taken for all of them. */
export const ANSWERS_IN_ROW = 5;
export const ANSWER_EVERY_SECONDS = 2.5;
/** How long one thing is waited for. A rotator has two minutes for all of its own. */
const PATIENCE_SECONDS = 30;
const PAUSE_SECONDS = 2;

/** What a configuration, or a row, is wrong about is wrong in a minute too. Everything else may be over by then. */
const FINAL: readonly ErrorCode[] = [
  'ERR_CONFIG_INVALID',
  'ERR_INPUT_INVALID',
  'ERR_ITEM_INVALID',
  'ERR_RIGHT_MISSING',
  'ERR_RING_LIMIT',
  'ERR_RING_IMMUTABLE',
  'ERR_RING_STANDBY_AGE',
  'ERR_RING_SCHEDULE',
  'ERR_EXEMPTION',
];

function isPassing(error: unknown): boolean {
  return isCurfewError(error) && !FINAL.includes(error.code);
}

type Waiting = { readonly clock: Clock };

interface Waits {
  readonly seconds?: number;
  readonly pause?: number;
  /** Whether what is wrong may be right in a moment. */
  readonly passes?: (error: unknown) => boolean;
}

/** Attempts, and again after a pause while what is wrong may pass and `seconds` are not over; then throws what was wrong last. */
export async function patiently<T>(
  attempt: () => Promise<T>,
  { clock }: Waiting,
  { seconds = PATIENCE_SECONDS, pause = PAUSE_SECONDS, passes = isPassing }: Waits = {},
): Promise<T> {
  const end = clock.now() + seconds;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!passes(error) || clock.now() + pause > end) throw error;
      await clock.sleep(pause);
    }
  }
}

/** What is asked, as soon as an answer is usual; else what the last of so many hosts said. */
export async function agreed<T>(
  ask: () => Promise<T>,
  isUsual: (answer: T) => boolean,
  { clock }: Waiting,
): Promise<T> {
  for (let n = 1; ; n++) {
    const answer = await ask();
    if (isUsual(answer) || n === ANSWERS_IN_ROW) return answer;
    await clock.sleep(ANSWER_EVERY_SECONDS);
  }
}

/** KMS's word on a key, once it is one of these; or its last word, when patience is over. */
export async function settledState(
  kmsKeyArn: string,
  wanted: (state: KmsKeyDescription['state']) => boolean,
  keys: Pick<KeyDisabler, 'describe'>,
  { clock }: Waiting,
): Promise<KmsKeyDescription> {
  const end = clock.now() + PATIENCE_SECONDS;
  for (;;) {
    const found = await patiently(() => keys.describe(kmsKeyArn), { clock }, { passes: isNotYet });
    if (wanted(found.state) || clock.now() + PAUSE_SECONDS > end) return found;
    await clock.sleep(PAUSE_SECONDS);
  }
}

/** A host that has not heard of the key, or none that answers. */
export function isNotYet(error: unknown): boolean {
  return isCurfewError(error, 'ERR_NOT_FOUND') || isCurfewError(error, 'ERR_UNAVAILABLE');
}
