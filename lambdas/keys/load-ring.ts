/** Reads a ring whole: HEAD, keys, slots and waves, consistently, without what waits in its outbox. */
import { CurfewError } from '../../lib/domain/errors';
import type { Ring } from '../../lib/domain/keys/ring';
import { headKey, parseRing, RING_PREFIXES } from '../../lib/domain/keys/ring-items';
import type { Tables } from '../../lib/ports';

type RingReader = { readonly tables: Pick<Tables<'keys:query'>, 'query'> };

export async function findRing({ tables }: RingReader, id: string): Promise<Ring | undefined> {
  const parts = await Promise.all(
    RING_PREFIXES.map((prefix) => tables.query({ table: 'keys', pk: headKey(id).pk, prefix })),
  );
  return parseRing(id, parts.flat());
}

export async function loadRing(deps: RingReader, id: string): Promise<Ring> {
  const ring = await findRing(deps, id);
  if (ring) return ring;
  throw new CurfewError('ERR_NOT_FOUND', `there is no ring ${id}`, {
    got: id,
    fix: 'deploy it: a ring is born with its stack',
  });
}
