/** Reads a ring whole: HEAD, keys, slots and waves, without what waits in its outbox. */
import { CurfewError } from '../../domain/base/errors';
import type { Ring } from '../../domain/rings/ring';
import { headKey, parseRing, RING_PREFIXES, RINGS_PARTITION } from '../../domain/rings/ring-items';
import type { Tables } from '../../ports';

type RingReader = { readonly tables: Pick<Tables<'keys:query'>, 'query'> };

/**
 * HEAD before the rest, for no query sees what another one does: whoever changed the ring in between moved the fence,
 * and what is decided on this reading is refused. The other way round, an old part would pass under a new fence.
 */
export async function findRing({ tables }: RingReader, id: string): Promise<Ring | undefined> {
  const part = (prefix: string) => tables.query({ table: 'keys', pk: headKey(id).pk, prefix });
  const [first, ...others] = RING_PREFIXES;
  const head = await part(first);
  const rest = await Promise.all(others.map(part));
  return parseRing(id, [...head, ...rest.flat()]);
}

export interface RingEntry {
  readonly id: string;
  /** When a tick had read every key of it back. */
  readonly inspectedAt?: number;
}

/** Every ring of the instance, also those whose construct is gone. */
export async function listRings({ tables }: RingReader): Promise<RingEntry[]> {
  const entries = await tables.query({ table: 'keys', pk: RINGS_PARTITION });
  return entries.map(({ sk, inspectedAt }) => ({ id: sk, inspectedAt: inspectedAt as number | undefined }));
}

export async function loadRing(deps: RingReader, id: string): Promise<Ring> {
  const ring = await findRing(deps, id);
  if (ring) return ring;
  throw new CurfewError('ERR_NOT_FOUND', `there is no ring ${id}`, {
    got: id,
    fix: 'deploy it: a ring is born with its stack',
  });
}
