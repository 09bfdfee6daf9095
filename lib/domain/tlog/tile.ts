/**
 * C2SP tlog-tiles: the tree as files of up to 256 hashes, the entries as bundles beside them.
 *
 *     tile/0/x001/234          leaves 1,234 × 256 … of a full tile
 *     tile/1/000.p/17          17 hashes of level 1: the right edge of a tree, partial
 *     tile/entries/000.p/17    17 entries, each after its length as a big-endian uint16
 *
 * A partial tile belongs to the size it is named for; it is never changed, only outgrown.
 */
import { CurfewError } from '../base/errors';
import { HASH_BYTES, type Hash, merkleRoot, nodeHash } from './merkle';

export const TILE_WIDTH = 256;
const ENTRY_BYTES_MAX = 0xffff;

export interface Tile {
  readonly level: number | 'entries';
  readonly index: number;
  /** 256 of a full tile, 1 to 255 of a partial one. */
  readonly width: number;
}

export function tilePath({ level, index, width }: Tile): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const parts = digits.match(/.{3}/g) ?? [];
  const path = parts.map((part, i) => (i < parts.length - 1 ? `x${part}` : part)).join('/');
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** Every tile of a tree of this size: hash tiles level by level, then the entry bundles. */
export function tilesOf(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0, width = size; width > 0; level++, width = Math.floor(width / TILE_WIDTH))
    tiles.push(...tilesAcross(level, width));
  return [...tiles, ...tilesAcross('entries', size)];
}

function tilesAcross(level: Tile['level'], width: number): Tile[] {
  const full = Math.floor(width / TILE_WIDTH);
  const tiles: Tile[] = Array.from({ length: full }, (_, index) => ({ level, index, width: TILE_WIDTH }));
  return width % TILE_WIDTH === 0 ? tiles : [...tiles, { level, index: full, width: width % TILE_WIDTH }];
}

/** The tiles that a growing tree still adds to: the partial ones. */
export function partialTilesOf(size: number): Tile[] {
  return tilesOf(size).filter(({ width }) => width < TILE_WIDTH);
}

export function formatHashes(hashes: readonly Hash[]): Buffer {
  return Buffer.concat(hashes);
}

export function parseHashes(bytes: Buffer, width: number): Hash[] {
  if (bytes.length !== width * HASH_BYTES)
    throw new CurfewError('ERR_EVIDENCE_FORMAT', `a tile of width ${width} must be ${width * HASH_BYTES} bytes`, {
      got: bytes.length,
    });
  return Array.from({ length: width }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}

export function formatEntries(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      if (entry.length > ENTRY_BYTES_MAX)
        throw new CurfewError('ERR_EVIDENCE_FORMAT', `the entry is larger than ${ENTRY_BYTES_MAX} bytes`, {
          got: entry.length,
        });
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

export function parseEntries(bytes: Buffer, width: number): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + (at + 2 <= bytes.length ? bytes.readUInt16BE(at) : ENTRY_BYTES_MAX);
    if (end > bytes.length) throw new CurfewError('ERR_EVIDENCE_FORMAT', 'the entry bundle ends within an entry');
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  if (entries.length !== width)
    throw new CurfewError('ERR_EVIDENCE_FORMAT', `an entry bundle of width ${width} must hold ${width} entries`, {
      got: entries.length,
    });
  return entries;
}

/** The right edge of a tree: by level, the hashes that fill no whole tile yet. All that growing the tree needs. */
export type Edge = readonly (readonly Hash[])[];

/** Adds leaves; returns the new edge and the hash tiles that became full on the way. */
export function growEdge(edge: Edge, size: number, leaves: readonly Hash[]): { edge: Edge; full: [Tile, Hash[]][] } {
  const levels = edge.map((hashes) => [...hashes]);
  const full: [Tile, Hash[]][] = [];
  let grown = size;
  for (const leaf of leaves) {
    grown++;
    let carried = leaf;
    for (let level = 0, span = TILE_WIDTH; ; level++, span *= TILE_WIDTH) {
      levels[level] ??= [];
      const hashes = levels[level] as Hash[];
      hashes.push(carried);
      if (hashes.length < TILE_WIDTH) break;

      full.push([{ level, index: grown / span - 1, width: TILE_WIDTH }, hashes]);
      levels[level] = [];
      carried = merkleRoot(hashes);
    }
  }
  return { edge: levels, full };
}

/** The partial hash tiles of an edge, as they are stored for the tree of this size. */
export function edgeTiles(edge: Edge, size: number): [Tile, readonly Hash[]][] {
  return edge.flatMap((hashes, level): [Tile, readonly Hash[]][] => {
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    return hashes.length === 0 ? [] : [[{ level, index, width: hashes.length }, hashes]];
  });
}

/** The root of the tree: its perfect subtrees, largest on the left, joined from the right. */
export function edgeRoot(edge: Edge): Hash {
  const subtrees = edge.toReversed().flatMap(perfectSubtrees);
  return subtrees.length === 0 ? merkleRoot([]) : subtrees.reduceRight((right, left) => nodeHash(left, right));
}

function perfectSubtrees(hashes: readonly Hash[]): Hash[] {
  const roots: Hash[] = [];
  for (let at = 0, width = TILE_WIDTH / 2; width >= 1; width /= 2) {
    if (hashes.length - at < width) continue;
    roots.push(merkleRoot(hashes.slice(at, at + width)));
    at += width;
  }
  return roots;
}
