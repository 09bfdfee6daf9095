import { commitIssued } from '../../lambdas/committer';
import { H } from '../../lib/domain/base/encoding';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { parseTokenList, type TokenListEntry, tokenListKey } from '../../lib/domain/evidence/token-list';
import { MARKER } from '../../lib/domain/store/ledger';
import { World } from '../../lib/local/world';

function worldWithAppender() {
  const world = new World();
  const records: EvidenceRecord[] = [];
  world.functions.register('appender', async (request) => {
    records.push(...request.records);
    return { appended: request.records.length };
  });
  return { world, records };
}

async function issue(world: World, n: number, kid = 'kid', shard = 7) {
  const item = {
    pk: `OUT#${String(shard).padStart(2, '0')}`,
    sk: `0000000${n}`,
    v: 1 as const,
    kid,
    shard,
    jtiH: H(`jti ${n}`),
    tokenSha256: H(`token ${n}`),
  };
  await world.tables.transact([{ kind: 'put', table: 'markers', row: item }]);
}

test('with nothing issued there is nothing to commit', async () => {
  const { world, records } = worldWithAppender();
  expect(await commitIssued({}, world.deps('committer'))).toEqual({ committed: 0 });
  expect(records).toEqual([]);
});

test('each kid gets one record, each of its shards one list that the record commits to', async () => {
  const { world, records } = worldWithAppender();
  for (let n = 0; n < 150; n++) await issue(world, n, n < 140 ? 'a' : 'b', n % 2 === 0 ? 0 : 63);
  expect(await commitIssued({}, world.deps('committer'))).toEqual({ committed: 150 });
  expect(world.tables.dump('markers')).toEqual([]);

  expect(records.map(({ type, body }) => [type, body.kid, body.count])).toEqual([
    ['tokens.issued', 'a', 140],
    ['tokens.issued', 'b', 10],
  ]);
  const entries = records[0]?.body.lists as unknown as TokenListEntry[];
  expect(entries.map(({ shard, count }) => [shard, count])).toEqual([
    [0, 70],
    [63, 70],
  ]);
  for (const { shard, sha256, count } of entries) {
    const list = await world.objects.get('evidence', tokenListKey('a', shard, records[0]?.at ?? 0, sha256));
    expect(H(list?.body ?? '')).toBe(sha256);
    expect(parseTokenList(list?.body ?? Buffer.alloc(0))).toHaveLength(count);
  }
});

test('an item that no issuer would leave stops the run, and nothing is removed', async () => {
  const { world, records } = worldWithAppender();
  await issue(world, 1);
  await world.tables.transact([{ kind: 'put', table: 'markers', row: { pk: 'OUT#07', sk: 'x', v: 1, kid: 'kid' } }]);
  await expect(commitIssued({}, world.deps('committer'))).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_ITEM_INVALID', message: expect.stringContaining('shard is missing') }),
  );
  expect(records).toEqual([]);
  expect(world.tables.dump('markers')).toHaveLength(2);
});

test.each(['OUT#64', 'OUT#7', 'OUT#', 'KID#00'])('%s is no partition of issued digests', (pk) => {
  expect(() => MARKER.parse({ pk, sk: 'x', v: 1, kid: 'k', shard: 0, jtiH: H('a'), tokenSha256: H('b') })).toThrow(
    expect.objectContaining({ code: 'ERR_ITEM_INVALID' }),
  );
});

test('under steady issuing it ends: what comes while it runs waits for the next run', async () => {
  const { world } = worldWithAppender();
  let n = 0;
  const issueNow = () => issueAt(world, n++, world.clock.now());
  await issueNow();
  world.functions.register('appender', async (request) => {
    world.clock.advance(1);
    await issueNow();
    return { appended: request.records.length };
  });
  const { committed } = await commitIssued({}, world.deps('committer'));
  expect(committed).toBe(1);
  expect(world.tables.dump('markers')).toHaveLength(1);
});

async function issueAt(world: World, n: number, at: number) {
  const item = {
    pk: 'OUT#07',
    sk: `${at}-${n}`,
    v: 1 as const,
    kid: 'kid',
    shard: 7,
    jtiH: H(`jti ${n}`),
    tokenSha256: H(`token ${n}`),
  };
  await world.tables.transact([{ kind: 'put', table: 'markers', row: item }]);
}
