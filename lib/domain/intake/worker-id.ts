/** A worker id as HR systems have them: `W-1042`, `1042`, `kim@example.com`, `김 민준`. */
import { CurfewError } from '../base/errors';

const LENGTH_MAX = 128;
/** No control or formatting character, no lone half of a pair: two ids that look the same would be two people. */
const VISIBLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u;
const ALLOWED = `1 to ${LENGTH_MAX} letters, digits, signs and single spaces between them`;

/**
 * A number is its decimal spelling. Composed characters are in one form (Unicode NFC), so that an id is the same wherever
 * it was typed. The value is not quoted: it may be a person's.
 */
export function parseWorkerId(given: unknown, name: string): string {
  const written = typeof given === 'number' && Number.isSafeInteger(given) && given >= 0 ? String(given) : given;
  if (typeof written === 'string') {
    const id = written.normalize('NFC');
    const fits = id.length <= LENGTH_MAX && VISIBLE.test(id) && id.trim() === id && !id.includes('  ');
    if (fits) return id;
  }
  throw new CurfewError('ERR_WEBHOOK_STATEMENT', `${name} is not a worker id`, { allowed: ALLOWED });
}
