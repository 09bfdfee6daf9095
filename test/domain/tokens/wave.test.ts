import fc from 'fast-check';
import { leafHash, nodeHash } from '../../../lib/domain/tlog/merkle';
import {
  batchesOf,
  pendingBatches,
  type ShardPass,
  shardRoot,
  waveResult,
  waveRoot,
} from '../../../lib/domain/tokens/wave';

const WAVE = { ring: 'customer-api', fromKid: 'old' };
const EMPTY_ROOT = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';
const passOf = (pass: number, shard: number, more: Partial<ShardPass> = {}): ShardPass => ({
  pass,
  shard,
  toKid: 'new',
  source: 0,
  found: 0,
  resigned: 0,
  done: 0,
  excluded: {},
  root: EMPTY_ROOT,
  ...more,
});
const allShards = (pass: number, more: Partial<ShardPass> = {}) =>
  Array.from({ length: 64 }, (_, shard) => passOf(pass, shard, more));

test('the batches of a wave hold every shard once', () => {
  for (const shards of [1, 2, 8, 9, 64, 256]) {
    const batches = batchesOf(WAVE, shards);
    expect(batches.flatMap((batch) => batch.shards)).toEqual(Array.from({ length: shards }, (_, n) => n));
    expect(batches.every(({ fromKid, ring }) => fromKid === 'old' && ring === 'customer-api')).toBe(true);
  }
});

describe('a wave is settled', () => {
  const batches = batchesOf(WAVE, 64);

  test('by a second pass that finds nothing, and not by a first one', () => {
    expect(pendingBatches(batches, [])).toEqual(batches);
    expect(pendingBatches(batches, allShards(1))).toEqual(batches);
    expect(pendingBatches(batches, allShards(2))).toEqual([]);
  });

  test('not while one shard was left out, or its last pass still found something', () => {
    expect(pendingBatches(batches, allShards(2).slice(1)).map(({ shards }) => shards[0])).toEqual([0]);
    const last = [...allShards(2), passOf(3, 20, { found: 1 })];
    expect(pendingBatches(batches, last)).toEqual([batches[2]]);
    expect(pendingBatches(batches, [...last, passOf(4, 20)])).toEqual([]);
  });

  test('whatever the order in which the passes are read', () => {
    const passes = [...allShards(1, { found: 3 }), ...allShards(2, { found: 1 }), ...allShards(3)];
    fc.assert(
      fc.property(fc.shuffledSubarray(passes, { minLength: passes.length }), (shuffled) => {
        expect(pendingBatches(batches, shuffled)).toEqual([]);
        expect(waveResult(shuffled)).toEqual(waveResult(passes));
      }),
      { numRuns: 20 },
    );
  });
});

test('the result counts the last pass of each shard, once', () => {
  const passes = [
    passOf(1, 0, { source: 5, found: 3, done: 3, excluded: { expired: 2 } }),
    passOf(2, 0, { source: 5, done: 3, excluded: { expired: 2 } }),
    passOf(1, 1, { source: 4, found: 1, done: 1, excluded: { 'cut-off': 3 } }),
    passOf(2, 1, { source: 4, done: 1, excluded: { 'cut-off': 2, expired: 1 } }),
  ];
  expect(waveResult(passes)).toMatchObject({ passes: 2, source: 9, done: 4, excluded: { expired: 3, 'cut-off': 2 } });
});

describe('the roots', () => {
  const pair = (n: number) => ({ jtiH: `j${n}`, oldSha256: `old${n}`, newSha256: `new${n}` });

  test('of a shard are RFC 6962 over its sorted lines, whatever order the rows came in', () => {
    const lines = [1, 2, 3].map((n) => leafHash(Buffer.from(`j${n} old${n} new${n}`)));
    const [a, b, c] = lines as [Buffer, Buffer, Buffer];
    const expected = nodeHash(nodeHash(a, b), c).toString('base64url');
    expect(shardRoot([pair(3), pair(1), pair(2)])).toBe(expected);
    expect(shardRoot([pair(1), pair(2), pair(3)])).toBe(expected);
  });

  test('of nothing are the root of the empty tree', () => {
    expect(shardRoot([])).toBe(EMPTY_ROOT);
    expect(waveRoot(allShards(2))).toBe(EMPTY_ROOT);
  });

  test('change with every digest, jti and shard', () => {
    const pairs = [pair(1), pair(2)];
    const changed = ['jtiH', 'oldSha256', 'newSha256'].map((name) => shardRoot([pair(1), { ...pair(2), [name]: 'x' }]));
    expect(new Set([shardRoot(pairs), ...changed]).size).toBe(4);
    const of = (shard: number) => waveRoot([passOf(2, shard, { done: 2, root: shardRoot(pairs) })]);
    expect(of(1)).not.toBe(of(2));
  });
});
