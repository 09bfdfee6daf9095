/** Reads a ring whole: HEAD, keys, slots and waves, without what waits in its outbox. */
import { CurfewError } from '../../domain/base/errors';
import { type Ring, ringOf } from '../../domain/rings/ring';
import { RING_ENTRY, RING_HEAD, type RingEntry } from '../../domain/store/ring-head';
import { RING_KEY, SLOT } from '../../domain/store/ring-key';
import { WAVE } from '../../domain/store/wave';
import type { Tables } from '../../ports';

type RingReader = { readonly tables: Pick<Tables<'keys:query'>, 'query'> };

/**
 * HEAD before the rest, for no query sees what another one does: whoever changed the ring in between moved the fence,
 * and what is decided on this reading is refused. The other way round, an old part would pass under a new fence.
 */
export async function findRing({ tables }: RingReader, id: string): Promise<Ring | undefined> {
  const [head] = await tables.query(RING_HEAD.in(id));
  const [keys, slots, waves] = await Promise.all([
    tables.query(RING_KEY.in(id)),
    tables.query(SLOT.in(id)),
    tables.query(WAVE.in(id)),
  ]);
  return head && ringOf(id, head, { keys, slots, waves });
}

/** Every ring of the instance, also those whose construct is gone. */
export async function listRings({ tables }: RingReader): Promise<(RingEntry & { readonly id: string })[]> {
  return tables.query(RING_ENTRY.in());
}

export async function loadRing(deps: RingReader, id: string): Promise<Ring> {
  const ring = await findRing(deps, id);
  if (ring) return ring;
  throw new CurfewError('ERR_NOT_FOUND', `no ring ${id}`, {
    got: id,
    fix: 'deploy it: the signing stack creates the ring',
  });
}
