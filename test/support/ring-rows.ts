/**
 * A ring out of the rows of table `keys`; what waits for the outbox is not part of it. The rows are a test's own, so they
 * are put together and not parsed: the model does this some hundred thousand times.
 */
import { type KeyRecord, type Ring, ringOf, type Slot, type Wave } from '../../lib/domain/rings/ring';
import type { RingHead } from '../../lib/domain/store/ring-head';
import type { Row } from '../../lib/domain/store/table';

/** How the sort keys of a ring's rows begin, in the order they are read. */
export const RING_PREFIXES = ['HEAD', 'KEY#', 'SLOT#', 'WAVE#'] as const;

export function ringFromRows(id: string, rows: readonly Row[]): Ring | undefined {
  const of = <T>(prefix: (typeof RING_PREFIXES)[number]) =>
    rows.filter(({ sk }) => sk.startsWith(prefix)).map(({ pk: _pk, sk: _sk, v: _v, ...members }) => members as T);
  const [head] = of<RingHead>('HEAD');
  return head && ringOf(id, head, { keys: of<KeyRecord>('KEY#'), slots: of<Slot>('SLOT#'), waves: of<Wave>('WAVE#') });
}
