/** Where a digest waits for the committer: grows with time, never met twice. */
import { ordered } from '../../domain/store/table';
import type { Random } from '../../ports';

export function outIdAt(now: number, random: Random): string {
  return `${ordered(now, 10)}-${random.bytes(10).toString('hex')}`;
}
