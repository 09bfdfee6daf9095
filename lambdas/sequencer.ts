/**
 * Gives pending records their place in the tree, and publishes it: stage, compare-and-swap the head, publish.
 *
 * Any number may run at once and stop anywhere. The head decides: a batch is in the log from the transaction that moved
 * the head over it, and the next run publishes what the head has staged. There is no other recovery.
 */

import { entry } from '../lib/aws/entry';
import { CurfewError } from '../lib/domain/base/errors';
import type { Messages } from '../lib/domain/deployment/messages';
import {
  BATCH_RECORDS_MAX,
  type Head,
  headFrom,
  type Pending,
  pendingFrom,
  sequenceWrites,
  tilesPutWrites,
} from '../lib/domain/evidence/log-transitions';
import { LOG_HEAD, PENDING_RECORD, PENDING_SHARDS } from '../lib/domain/store/log';
import { parseCheckpoint } from '../lib/domain/tlog/checkpoint';
import { leafHash } from '../lib/domain/tlog/merkle';
import { parseNote } from '../lib/domain/tlog/note';
import { edgeRoot, formatEntries, growEdge, parseEntries } from '../lib/domain/tlog/tile';
import type { Deps } from '../lib/ports';
import { CHECKPOINT_KEY, loadEdge, putTiles } from '../lib/work/evidence/put-tiles';
import { tryTransact } from '../lib/work/transactions';

export async function sequence(
  _request: Messages['sequencer']['request'],
  deps: Deps<'sequencer'>,
): Promise<Messages['sequencer']['response']> {
  for (;;) {
    const head = await loadHead(deps);
    if (head.staged) {
      await putStaged(head, head.staged, deps);
      continue;
    }
    const batch = await loadPending(deps);
    if (batch.length === 0) return { size: head.size, root: head.root.toString('base64') };
    await sequenceBatch(head, batch, deps);
  }
}

/** The head never falls behind what was published: a table restored from a backup must not fork the log. */
async function loadHead({ tables, objects }: Deps<'sequencer'>): Promise<Head> {
  // Published first, head second: a head moved on in between is ahead, never behind.
  const published = await objects.get('heads', CHECKPOINT_KEY);
  const head = headFrom(await tables.get(LOG_HEAD));
  if (!published) return head;

  const { size, root } = parseCheckpoint(parseNote(published.body).text);
  if (size > head.size || (size === head.size && !root.equals(head.root)))
    throw new CurfewError('ERR_EVIDENCE_TREE', `the published checkpoint of size ${size} is not a prefix of the head`, {
      got: { published: size, head: head.size },
      fix: 'keep both: the log table was restored or replaced; start no new tree under this origin',
    });
  return head;
}

async function loadPending({ tables }: Deps<'sequencer'>): Promise<Pending[]> {
  const shards = await Promise.all(
    Array.from({ length: PENDING_SHARDS }, (_, shard) =>
      tables.query(PENDING_RECORD.in(shard), { limit: BATCH_RECORDS_MAX }),
    ),
  );
  const oldestFirst = shards.flat().sort((a, b) => (a.key.sk < b.key.sk ? -1 : 1));
  return oldestFirst.slice(0, BATCH_RECORDS_MAX).map(pendingFrom);
}

async function sequenceBatch(head: Head, batch: readonly Pending[], deps: Deps<'sequencer'>): Promise<void> {
  const entries = batch.map(({ text }) => Buffer.from(text));
  const { edge } = growEdge(await loadEdge(head, deps), head.size, entries.map(leafHash));
  const root = edgeRoot(edge);
  const size = head.size + entries.length;
  const staged = { key: `staged/${size}-${root.toString('base64url')}`, from: head.size };

  await deps.objects.put('heads', staged.key, formatEntries(entries));
  // If we stop here, the records still wait and the staged object is an orphan that no head names.
  // Refused where another sequencer moved the head. Its batch is staged: the next turn puts its tiles and looks again.
  await tryTransact(deps.tables, sequenceWrites(head, { size, root, fence: head.fence + 1, staged }, batch));
  // If we stop here, the batch is in the log and staged; the next run publishes it.
}

async function putStaged(head: Head, staged: { key: string; from: number }, deps: Deps<'sequencer'>): Promise<void> {
  const object = await deps.objects.get('heads', staged.key);
  if (!object)
    throw new CurfewError('ERR_EVIDENCE_TREE', `the staged batch ${staged.key} is gone`, {
      fix: 'restore that version of the object: it is the only copy of its records',
    });

  await putTiles(head, staged.from, parseEntries(object.body, head.size - staged.from), deps);
  // If we stop here, everything is published and published again by the next run: the same bytes.
  // Refused where another sequencer put the same batch and moved on.
  await tryTransact(deps.tables, tilesPutWrites(head));
}

export const handler = entry('sequencer', sequence);
