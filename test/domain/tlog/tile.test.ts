import fc from 'fast-check';
import { leafHash, merkleRoot } from '../../../lib/domain/tlog/merkle';
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
  tilePath,
  tilesOf,
} from '../../../lib/domain/tlog/tile';

const refusal = (message: string) => expect.objectContaining({ code: 'ERR_EVIDENCE_FORMAT', message });
const leavesOf = (n: number) => Array.from({ length: n }, (_, i) => leafHash(Buffer.from(`entry ${i}`)));

describe('https://c2sp.org/tlog-tiles', () => {
  test('index 1234067 is spelled x001/x234/067', () => {
    expect(tilePath({ level: 0, index: 1234067, width: TILE_WIDTH })).toBe('tile/0/x001/x234/067');
  });

  test('a tree of 70,000 has the tiles that the specification counts', () => {
    const tiles = tilesOf(70_000).filter(({ level }) => level !== 'entries');
    const count = (level: number, full: boolean) =>
      tiles.filter((t) => t.level === level && (t.width === TILE_WIDTH) === full);
    expect(count(0, true)).toHaveLength(273);
    expect(count(0, false)).toEqual([{ level: 0, index: 273, width: 112 }]);
    expect(count(1, true)).toHaveLength(1);
    expect(count(1, false)).toEqual([{ level: 1, index: 1, width: 17 }]);
    expect(tiles.filter(({ level }) => level === 2)).toEqual([{ level: 2, index: 0, width: 1 }]);
    expect(tiles).toHaveLength(273 + 1 + 1 + 1 + 1);
  });

  test('a tree of 256 has a full tile and a partial one above it', () => {
    expect(tilesOf(256).map(tilePath)).toEqual(['tile/0/000', 'tile/1/000.p/1', 'tile/entries/000']);
    expect(partialTilesOf(256).map(tilePath)).toEqual(['tile/1/000.p/1']);
  });

  test('an empty tree has no tile', () => expect(tilesOf(0)).toEqual([]));
});

describe('the right edge', () => {
  test('has the root that RFC 6962 defines, whatever the size and however it grew', () => {
    const leaves = leavesOf(700);
    let edge: Edge = [];
    for (let size = 0; size <= 700; size++) {
      if (size % 7 === 0 || size > 500) expect(edgeRoot(edge).equals(merkleRoot(leaves.slice(0, size)))).toBe(true);
      edge = growEdge(edge, size, leaves.slice(size, size + 1)).edge;
    }
  });

  test('grown at once or in parts gives the same tiles', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 600 }), (first, more) => {
        const leaves = leavesOf(first + more);
        const whole = growEdge([], 0, leaves);
        const one = growEdge([], 0, leaves.slice(0, first));
        const two = growEdge(one.edge, first, leaves.slice(first));
        expect([...one.full, ...two.full].map(([tile]) => tilePath(tile))).toEqual(
          whole.full.map(([tile]) => tilePath(tile)),
        );
        expect(edgeRoot(two.edge).equals(edgeRoot(whole.edge))).toBe(true);
        const paths = [...whole.full, ...edgeTiles(whole.edge, leaves.length)].map(([tile]) => tilePath(tile));
        const expected = tilesOf(leaves.length).filter(({ level }) => level !== 'entries');
        expect(paths.sort()).toEqual(expected.map(tilePath).sort());
      }),
      { numRuns: 40 },
    );
  });

  test('carries over two levels at once', () => {
    const leaves = leavesOf(TILE_WIDTH ** 2);
    const { edge, full } = growEdge([], 0, leaves);
    expect(full).toHaveLength(TILE_WIDTH + 1);
    expect(full.at(-1)?.[0]).toEqual({ level: 1, index: 0, width: TILE_WIDTH });
    expect(edgeTiles(edge, leaves.length).map(([tile]) => tilePath(tile))).toEqual(['tile/2/000.p/1']);
    expect(edgeRoot(edge).equals(merkleRoot(leaves))).toBe(true);
  });
});

describe('entry bundles', () => {
  test('give back the entries, empty ones too', () => {
    const entries = ['', 'a', 'x'.repeat(65_535)].map((text) => Buffer.from(text));
    expect(parseEntries(formatEntries(entries), 3)).toEqual(entries);
    expect(formatEntries([Buffer.from('ab')])).toEqual(Buffer.from([0, 2, 0x61, 0x62]));
  });

  test.each<[string, number[], number, string]>([
    ['half a length', [0], 1, 'the entry bundle ends within an entry'],
    ['half an entry', [0, 3, 1, 2], 1, 'the entry bundle ends within an entry'],
    ['one entry too many', [0, 0, 0, 0], 1, 'an entry bundle of width 1 must hold 1 entries'],
    ['one entry too few', [0, 0], 2, 'an entry bundle of width 2 must hold 2 entries'],
    ['nothing', [], 1, 'an entry bundle of width 1 must hold 1 entries'],
  ])('%s is refused', (_what, bytes, width, message) => {
    expect(() => parseEntries(Buffer.from(bytes), width)).toThrow(refusal(message));
  });

  test('an entry that the length cannot tell is refused', () => {
    expect(() => formatEntries([Buffer.alloc(65_536)])).toThrow(refusal('the entry is larger than 65535 bytes'));
  });
});

test('hash tiles are whole hashes, as many as their width', () => {
  const hashes = leavesOf(3);
  expect(parseHashes(formatHashes(hashes), 3)).toEqual(hashes);
  expect(() => parseHashes(formatHashes(hashes), 2)).toThrow(refusal('a tile of width 2 must be 64 bytes'));
  expect(() => parseHashes(formatHashes(hashes).subarray(1), 3)).toThrow(refusal('a tile of width 3 must be 96 bytes'));
});
