import fc from 'fast-check';
import { isCurfewError } from '../../../lib/domain/base/errors';
import {
  checkConsistency,
  EMPTY_ROOT,
  leafHash,
  merkleRoot,
  nodeHash,
  proveConsistency,
} from '../../../lib/domain/tlog/merkle';
import { extent } from '../../support/extent';

const hex = (text: string) => Buffer.from(text, 'hex');
const refusal = (message: string | RegExp) =>
  expect.objectContaining({ code: 'ERR_EVIDENCE_TREE', message: expect.stringMatching(message) });

/** Leaves and roots that Certificate Transparency's implementations share since 2013. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const leaves = LEAVES.map((leaf) => leafHash(hex(leaf)));
const rootOf = (size: number) => merkleRoot(leaves.slice(0, size));

describe('github.com/transparency-dev/merkle proof/verify_test.go', () => {
  test('the empty tree has the SHA-256 of nothing as root', () => {
    expect(merkleRoot([]).toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(EMPTY_ROOT.equals(merkleRoot([]))).toBe(true);
  });

  test.each(ROOTS.map((root, i) => [i + 1, root] as const))(
    'the tree of the first %i leaves has its known root',
    (size, root) => {
      expect(rootOf(size).toString('hex')).toBe(root);
    },
  );

  test.each<[number, number, string[]]>([
    [1, 1, []],
    [
      1,
      8,
      [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    ],
    [
      6,
      8,
      [
        '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    ],
    [
      2,
      5,
      [
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      ],
    ],
    [
      6,
      7,
      [
        '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
        'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    ],
  ])('the consistency proof from %i to %i is the published one', (from, to, proof) => {
    expect(proveConsistency(leaves.slice(0, to), from).map((hash) => hash.toString('hex'))).toEqual(proof);
  });
});

/** Whether the check passes; a refusal must be one of the tree. */
function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (isCurfewError(error, 'ERR_EVIDENCE_TREE')) return false;
    throw error;
  }
}

/** Beyond a power of two, where a tree has a new level and a ragged edge. */
const SIZE = extent(68, 130);

describe(`every tree up to ${SIZE} leaves`, () => {
  const many = Array.from({ length: SIZE }, (_, i) => leafHash(Buffer.from(`entry ${i}`)));
  const roots = Array.from({ length: SIZE + 1 }, (_, size) => merkleRoot(many.slice(0, size)));
  const root = (size: number) => roots[size] as Buffer;

  test('extends each of its prefixes, and nothing else of that size', () => {
    const fork = leafHash(Buffer.from('fork'));
    const wrong: string[] = [];
    for (let size = 1; size <= SIZE; size++)
      for (let from = 0; from <= size; from++) {
        const proof = proveConsistency(many.slice(0, size), from);
        const extended = (past: Buffer) =>
          passes(() => checkConsistency({ size: from, root: past }, { size, root: root(size) }, proof));
        if (!extended(root(from)) || extended(fork)) wrong.push(`${from} to ${size}`);
      }
    expect(wrong).toEqual([]);
  });
});

/** The corruptions of transparency-dev/merkle's probes: each proof is used for what it does not prove. */
function corruptions(proof: readonly Buffer[]): (readonly Buffer[])[] {
  const flipped = proof.map((hash, i) =>
    proof.map((h, j) => (i === j ? Buffer.concat([Buffer.of((hash[0] ?? 0) ^ 8), hash.subarray(1)]) : h)),
  );
  const other = leafHash(Buffer.from('other'));
  return [
    ...flipped,
    [...proof, other],
    [other, ...proof],
    [...proof, Buffer.alloc(0)],
    proof.slice(0, -1),
    proof.slice(1),
  ];
}

test('a proof with anything changed, added or left out is refused', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(), (size, seed) => {
      const some = Array.from({ length: size }, (_, i) => leafHash(Buffer.from(`${seed} ${i}`)));
      const tree = { size, root: merkleRoot(some) };
      const from = 1 + (seed % (size - 1));
      const earlier = { size: from, root: merkleRoot(some.slice(0, from)) };
      for (const bad of corruptions(proveConsistency(some, from)))
        expect(() => checkConsistency(earlier, tree, bad)).toThrow(refusal(''));
    }),
    { numRuns: 60 },
  );
});

describe('what is checked says what is wrong', () => {
  const tree = { size: 8, root: rootOf(8) };
  const leaf = leaves[5] as Buffer;

  test.each<[string, () => void, string]>([
    [
      'a short hash',
      () => checkConsistency({ size: 6, root: rootOf(6).subarray(1) }, tree, []),
      'a hash is not 32 bytes',
    ],
    [
      'going back',
      () => checkConsistency(tree, { size: 6, root: rootOf(6) }, []),
      'a tree of 6 cannot follow one of 8',
    ],
    ['one size, two roots', () => checkConsistency(tree, { size: 8, root: rootOf(7) }, []), 'one size has two roots'],
    ['a needless proof', () => checkConsistency(tree, tree, [leaf]), 'the consistency proof is too long'],
    ['no proof', () => checkConsistency({ size: 6, root: rootOf(6) }, tree, []), 'the consistency proof is too short'],
    [
      'an empty tree that is not',
      () => checkConsistency({ size: 0, root: rootOf(1) }, tree, []),
      'the empty tree has another root',
    ],
    [
      'another past',
      () => checkConsistency({ size: 6, root: rootOf(5) }, tree, proveConsistency(leaves, 6)),
      'the earlier root is not a prefix of the later tree',
    ],
    [
      'another present',
      () => checkConsistency({ size: 6, root: rootOf(6) }, { size: 8, root: rootOf(7) }, proveConsistency(leaves, 6)),
      'the proof leads to another later root',
    ],
  ])('%s', (_what, check, message) => {
    expect(check).toThrow(refusal(`^${message}$`));
  });

  test('a node never passes for an entry', () => {
    const [a, b] = [leaves[0] as Buffer, leaves[1] as Buffer];
    expect(leafHash(Buffer.concat([a, b])).equals(nodeHash(a, b))).toBe(false);
  });

  test('nothing is proved of a prefix longer than the tree', () => {
    expect(() => proveConsistency(leaves, 9)).toThrow(
      expect.objectContaining({ code: 'ERR_INPUT_INVALID', message: 'a tree of 8 has no prefix of size 9' }),
    );
  });
});
