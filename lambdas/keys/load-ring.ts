/** Reads a ring whole: HEAD, keys, slots and waves, consistently, without what waits in its outbox. */
import { CurfewError } from '../../lib/domain/errors';
import type { Ring } from '../../lib/domain/keys/ring';
import { headKey, parseRing, RING_PREFIXES, RINGS_PARTITION } from '../../lib/domain/keys/ring-items';
import type { Tables } from '../../lib/ports';

type RingReader = { readonly tables: Pick<Tables<'keys:query'>, 'query'> };

export async function findRing({ tables }: RingReader, id: string): Promise<Ring | undefined> {
  const parts = await Promise.all(
    RING_PREFIXES.map((prefix) => tables.query({ table: 'keys', pk: headKey(id).pk, prefix })),
  );
  return parseRing(id, parts.flat());
}

/** Ids of every ring of the instance, also of those whose construct is gone. */
export async function listRings({ tables }: RingReader): Promise<string[]> {
  const entries = await tables.query({ table: 'keys', pk: RINGS_PARTITION });
  return entries.map(({ sk }) => sk);
}

export async function loadRing(deps: RingReader, id: string): Promise<Ring> {
  const ring = await findRing(deps, id);
  if (ring) return ring;
  throw new CurfewError('ERR_NOT_FOUND', `there is no ring ${id}`, {
    got: id,
    fix: 'deploy it: a ring is born with its stack',
  });
}
