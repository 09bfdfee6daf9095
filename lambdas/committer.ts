/**
 * Folds the digests of issued tokens into committed lists: the list (durable), then its record, then the delete.
 *
 * Only what is in a committed list is ever re-signed. What waits here is not lost by any stop, and may be listed twice:
 * a crash between record and delete leaves digests that the next run folds again, perhaps with newer ones. Lists are
 * sets, and whoever counts takes their union.
 */

import { entry } from '../lib/aws/entry';
import type { Messages } from '../lib/domain/deployment/messages';
import { commit, type StoredList } from '../lib/domain/evidence/commitment';
import { MARKER, type Marker, SHARDS } from '../lib/domain/store/ledger';
import { type RowKey, TRANSACTION_WRITES_MAX } from '../lib/domain/store/table';
import type { Deps } from '../lib/ports';
import { together } from '../lib/work/together';
import { succeeds } from '../lib/work/transactions';

/** Per partition and turn: a list stays a few hundred kilobytes. */
const LIST_TOKENS_MAX = 2_000;
/** A marker, and the key to delete it by. */
type Waiting = Marker & { readonly key: RowKey };

/** Requests of one kind under way at once. */
const PARALLEL = 16;

export async function commitIssued(
  _request: Messages['committer']['request'],
  deps: Deps<'committer'>,
): Promise<Messages['committer']['response']> {
  let committed = 0;
  for (;;) {
    const { markers, isAll } = await loadMarkers(deps);
    if (markers.length === 0) return { committed };

    const { lists, records } = commit(markers, deps.clock.now());
    await inTurns(lists, (list) => putList(list, deps));
    // If we stop here, there are lists that no record names: no reader uses them, the next run writes the same ones.
    await deps.functions.invoke('appender', { records });
    // If we stop here, the digests are committed and still wait: the next run commits them once more.
    await inTurns(chunks(markers, TRANSACTION_WRITES_MAX), (chunk) => remove(chunk, deps));
    committed += markers.length;
    // Whoever called waits for what waited then, by whichever clock it was dated; under steady issuing there is always more.
    if (isAll) return { committed };
  }
}

async function loadMarkers({
  tables,
}: Deps<'committer'>): Promise<{ readonly markers: Waiting[]; readonly isAll: boolean }> {
  const partitions: Waiting[][] = [];
  const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
  await inTurns(shards, async (shard) => {
    partitions.push(await tables.query(MARKER.in(shard), { limit: LIST_TOKENS_MAX }));
  });
  return { markers: partitions.flat(), isAll: partitions.every(({ length }) => length < LIST_TOKENS_MAX) };
}

async function putList({ key, text }: StoredList, { objects }: Deps<'committer'>): Promise<void> {
  // Its name is its digest: if it is there, an earlier run wrote this very list.
  await succeeds(() => objects.put('evidence', key, Buffer.from(text), { ifAbsent: true }));
}

/** Without a condition: another committer may have removed some of them after committing them too. */
async function remove(chunk: readonly Waiting[], { tables }: Deps<'committer'>): Promise<void> {
  await tables.transact(chunk.map(({ key }) => ({ kind: 'delete', table: 'markers', key })));
}

async function inTurns<T>(all: readonly T[], effect: (one: T) => Promise<void>): Promise<void> {
  for (const some of chunks(all, PARALLEL)) await together(some.map(effect));
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size));
}

export const handler = entry('committer', commitIssued);
