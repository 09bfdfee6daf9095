/** Re-verifies a whole published log from its buckets alone, as a stranger would, and gives back its records. */
import { CHECKPOINT_FILE, VERIFIER_KEY_FILE } from '../../lib/domain/audit/bundle';
import { type EvidenceRecord, parseRecord } from '../../lib/domain/evidence/record';
import { type Checkpoint, verifyCheckpoint } from '../../lib/domain/tlog/checkpoint';
import { leafHash, merkleRoot } from '../../lib/domain/tlog/merkle';
import { parseVerifierKey } from '../../lib/domain/tlog/note';
import { parseEntries, TILE_WIDTH, tilePath, tilesOf } from '../../lib/domain/tlog/tile';
import type { MemoryObjects } from '../../lib/local/objects';
import { tileFiles } from '../domain/audit/test-log';

export interface CheckedLog {
  readonly checkpoint: Checkpoint;
  readonly records: EvidenceRecord[];
}

export async function checkLog(objects: MemoryObjects): Promise<CheckedLog | undefined> {
  const latest = await objects.get('heads', CHECKPOINT_FILE);
  if (!latest) return undefined;
  const vkey = await objects.get('evidence', VERIFIER_KEY_FILE);
  const key = parseVerifierKey(vkey?.body.toString('utf8').trim() ?? '');
  const { checkpoint } = verifyCheckpoint(latest.body, key);

  const read = async (path: string, full: boolean) => {
    const object = await objects.get(full ? 'evidence' : 'heads', path);
    if (!object) throw new Error(`${path} is missing`);
    return object.body;
  };
  const entries: Buffer[] = [];
  const tiles = tilesOf(checkpoint.size);
  for (const tile of tiles)
    if (tile.level === 'entries')
      entries.push(...parseEntries(await read(tilePath(tile), tile.width === TILE_WIDTH), tile.width));
  const expected = tileFiles(entries);
  for (const tile of tiles) {
    const path = tilePath(tile);
    expect([path, (await read(path, tile.width === TILE_WIDTH)).toString('hex')]).toEqual([
      path,
      expected.get(path)?.toString('hex'),
    ]);
  }
  expect(merkleRoot(entries.map(leafHash)).toString('hex')).toBe(checkpoint.root.toString('hex'));

  // Every checkpoint ever signed is of a prefix of this very log.
  for (const path of await objects.list('evidence', 'checkpoint/')) {
    const numbered = verifyCheckpoint((await objects.get('evidence', path))?.body ?? Buffer.alloc(0), key).checkpoint;
    expect(path).toBe(`checkpoint/${numbered.size}`);
    if (numbered.size > checkpoint.size) continue;
    expect(numbered.root.toString('hex')).toBe(
      merkleRoot(entries.slice(0, numbered.size).map(leafHash)).toString('hex'),
    );
  }
  return { checkpoint, records: entries.map(parseRecord) };
}
