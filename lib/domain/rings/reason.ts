/** Why people did something to a ring, in their words: stands in evidence in clear, so it is one line of text. */
import { CurfewError } from '../base/errors';

const REASON_PATTERN = /^[^\p{C}]{1,200}$/u;

export function isReason(given: unknown): given is string {
  return typeof given === 'string' && REASON_PATTERN.test(given);
}

/** Whoever may invoke us may write a record: it says what it says in words that evidence can hold. */
export function parseReason(given: unknown): string {
  if (isReason(given)) return given;
  throw new CurfewError('ERR_INPUT_INVALID', 'the reason is not one line of text', {
    got: typeof given === 'string' ? given.slice(0, 200) : typeof given,
    allowed: String(REASON_PATTERN),
  });
}
