/**
 * Publishes a tree that the head has committed to: tiles, then the signed checkpoint. Safe to repeat, at any point.
 *
 * Full tiles and numbered checkpoints go to the locked bucket, once; partial tiles and the latest checkpoint to the
 * other. Neither bucket is trusted: what is read from them must add up to the head's root.
 */

import { CurfewError } from '../../domain/base/errors';
import type { Head } from '../../domain/evidence/log-transitions';
import { formatCheckpoint, parseCheckpoint, verifyCheckpoint } from '../../domain/tlog/checkpoint';
import { type Hash, leafHash } from '../../domain/tlog/merkle';
import {
  formatNote,
  formatVerifierKey,
  keyHashOf,
  parseNote,
  type VerifierKey,
  verifierKeyOf,
} from '../../domain/tlog/note';
import {
  type Edge,
  edgeRoot,
  edgeTiles,
  formatEntries,
  formatHashes,
  growEdge,
  parseEntries,
  parseHashes,
  partialTilesOf,
  TILE_WIDTH,
  type Tile,
  tilePath,
} from '../../domain/tlog/tile';
import type { Deps } from '../../ports';
import { together } from '../together';
import { succeeds } from '../transactions';

export const CHECKPOINT_KEY = 'checkpoint';
const VERIFIER_KEY_KEY = 'log.vkey';

function numberedCheckpointKey(size: number): string {
  return `checkpoint/${size}`;
}

/** The right edge of the head's tree, as published. */
export async function loadEdge(head: Head, deps: Deps<'sequencer'>): Promise<Edge> {
  const edge = await readEdge(head.size, deps);
  if (!edgeRoot(edge).equals(head.root)) throw contradicts('the published tiles do not add up to the head', head);
  return edge;
}

export async function putTiles(
  head: Head,
  from: number,
  entries: readonly Buffer[],
  deps: Deps<'sequencer'>,
): Promise<void> {
  const { edge, full } = growEdge(await readEdge(from, deps), from, entries.map(leafHash));
  if (!edgeRoot(edge).equals(head.root)) throw contradicts('the staged batch does not add up to the head', head);

  const bundles = await growBundles(from, entries, deps);
  const hashTiles: [Tile, readonly Hash[]][] = [...full, ...edgeTiles(edge, head.size)];
  const tiles = [...hashTiles.map(([tile, hashes]): [Tile, Buffer] => [tile, formatHashes(hashes)]), ...bundles];
  await together(tiles.map(([tile, bytes]) => putTile(tile, bytes, deps)));

  // Tiles before the checkpoint: a reader of a checkpoint finds all that it commits to.
  const signed = await signCheckpoint(head, deps);
  await putLatest(head.size, signed, deps);
}

async function readEdge(size: number, { objects }: Deps<'sequencer'>): Promise<Edge> {
  const edge: Hash[][] = [];
  for (const tile of partialTilesOf(size)) {
    if (tile.level === 'entries') continue;
    for (let level = edge.length; level <= tile.level; level++) edge.push([]);
    edge[tile.level] = parseHashes(await mustGet(objects, tilePath(tile)), tile.width);
  }
  return edge;
}

/** Entry bundles that the batch fills or extends: the last partial one, with what follows. */
async function growBundles(
  from: number,
  entries: readonly Buffer[],
  { objects }: Deps<'sequencer'>,
): Promise<[Tile, Buffer][]> {
  const [index, width] = [Math.floor(from / TILE_WIDTH), from % TILE_WIDTH];
  const path = tilePath({ level: 'entries', index, width });
  const before = width === 0 ? [] : parseEntries(await mustGet(objects, path), width);
  const all = [...before, ...entries];
  return Array.from({ length: Math.ceil(all.length / TILE_WIDTH) }, (_, i): [Tile, Buffer] => {
    const held = all.slice(i * TILE_WIDTH, (i + 1) * TILE_WIDTH);
    return [{ level: 'entries', index: index + i, width: held.length }, formatEntries(held)];
  });
}

async function putTile(tile: Tile, bytes: Buffer, deps: Deps<'sequencer'>): Promise<void> {
  const path = tilePath(tile);
  if (tile.width === TILE_WIDTH) await putOnce(path, bytes, deps);
  // Named for its width, so its bytes are the same for every writer.
  else await deps.objects.put('heads', path, bytes);
}

/** The log's verifier key and the checkpoint of each size are written once, locked: neither can be exchanged later. */
async function signCheckpoint(head: Head, deps: Deps<'sequencer'>): Promise<Buffer> {
  const { checkpointKeyArn, logOrigin } = deps.config;
  if (!checkpointKeyArn || !logOrigin)
    throw new CurfewError('ERR_CONFIG_INVALID', 'the sequencer needs checkpointKeyArn and logOrigin', {
      fix: 'deploy the evidence stack again: it sets both',
    });
  const key = verifierKeyOf(logOrigin, await deps.signer.publicKey(checkpointKeyArn));
  await putOnce(VERIFIER_KEY_KEY, Buffer.from(`${formatVerifierKey(key)}\n`), deps);

  // An earlier try may have signed this size. Its signature stands: two checkpoints of one size are one too many.
  const signedBefore = await deps.objects.get('evidence', numberedCheckpointKey(head.size));
  if (signedBefore) return checkedCheckpoint(signedBefore.body, key, head);

  const text = formatCheckpoint({ origin: logOrigin, size: head.size, root: head.root });
  const signature = await deps.signer.sign(checkpointKeyArn, 'EdDSA', Buffer.from(text));
  const note = formatNote({ text, signatures: [{ name: key.name, keyHash: keyHashOf(key), signature }] });
  const signed = checkedCheckpoint(Buffer.from(note), key, head);
  // If we stop here, a signature over what the head has committed to is lost, and made again: the log did not fork.
  await putOnce(numberedCheckpointKey(head.size), signed, deps);
  return signed;
}

/** Checked as a verifier will, both before release and when read back. */
function checkedCheckpoint(bytes: Buffer, key: VerifierKey, head: Head): Buffer {
  const { checkpoint } = verifyCheckpoint(bytes, key);
  if (checkpoint.size !== head.size || !checkpoint.root.equals(head.root))
    throw contradicts('the signed checkpoint commits to another tree than the head', head);
  return bytes;
}

/** The latest checkpoint never goes back: a sequencer that was slow finds a later one and leaves it. */
async function putLatest(size: number, signed: Buffer, { objects }: Deps<'sequencer'>): Promise<void> {
  for (;;) {
    const latest = await objects.get('heads', CHECKPOINT_KEY);
    if (latest && parseCheckpoint(parseNote(latest.body).text).size >= size) return;
    const unchanged = latest ? { ifMatch: latest.etag } : ({ ifAbsent: true } as const);
    // Refused where another sequencer was faster: look again at what it wrote.
    if (await succeeds(() => objects.put('heads', CHECKPOINT_KEY, signed, unchanged))) return;
  }
}

/** Writes what may be written once; what is there already must be the same bytes. */
async function putOnce(key: string, bytes: Buffer, { objects }: Deps<'sequencer'>): Promise<void> {
  if (await succeeds(() => objects.put('evidence', key, bytes, { ifAbsent: true }))) return;
  const there = await objects.get('evidence', key);
  if (!there)
    throw new CurfewError('ERR_UNAVAILABLE', `S3 says that ${key} exists, and does not return it`, { fix: 'retry' });
  if (!there.body.equals(bytes))
    throw new CurfewError('ERR_EVIDENCE_TREE', `${key} is locked with other content`, {
      fix: 'keep both: the log, its table or its key was replaced; start no new tree under this origin',
    });
}

async function mustGet(objects: Deps<'sequencer'>['objects'], path: string): Promise<Buffer> {
  const object = await objects.get('heads', path);
  if (object) return object.body;
  throw new CurfewError('ERR_EVIDENCE_TREE', `the partial tile ${path} is gone`, { got: path });
}

function contradicts(message: string, { size, root }: Head): CurfewError {
  return new CurfewError('ERR_EVIDENCE_TREE', message, { got: { size, root: root.toString('base64') } });
}
