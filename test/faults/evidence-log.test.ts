/** The evidence log killed at every effect, before it and after it, then run again. */
import { append } from '../../lambdas/appender';
import { commitIssued } from '../../lambdas/committer';
import { sequence } from '../../lambdas/sequencer';
import { H } from '../../lib/domain/base/encoding';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { parseTokenList, type TokenListEntry, tokenListKey } from '../../lib/domain/evidence/token-list';
import { isCrash } from '../../lib/local/faults';
import { World } from '../../lib/local/world';
import { relay } from '../../lib/work/evidence/relay';
import { checkLog } from '../lambdas/check-log';
import { extent } from '../support/extent';
import { seedFor } from '../support/seeded';

const record = (n: number): EvidenceRecord => ({
  v: 1,
  id: `ring/${String(n).padStart(6, '0')}.0`,
  type: 'ring.updated',
  at: n,
  ring: 'ring',
  body: { n },
});
const records = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => record(from + i));
const sortedIds = (all: readonly EvidenceRecord[]) => all.map(({ id }) => id).sort();
const EFFECTS_MAX = 200;

/** Runs `work` once for each effect it has, killed there; gives the world as the crash left it. */
async function killedAtEachEffect(
  prepare: () => Promise<World>,
  work: (world: World) => Promise<unknown>,
  judge: (world: World) => Promise<void>,
  /** Only at every so manyth effect, which by the seed. */
  step = 1,
): Promise<number> {
  for (let n = 1 + (seedFor('killed') % step); n <= EFFECTS_MAX; n += step)
    for (const mode of ['before', 'after'] as const) {
      const world = await prepare();
      world.faults.crashAt(n, mode);
      const died = await work(world).then(() => false, isCrash);
      world.faults.restart();
      // An effect that is refused by its own condition has no instant after it.
      if (!died && mode === 'after') continue;
      if (!died) return n - 1;
      await judge(world);
    }
  throw new Error('more effects than expected');
}

test('a sequencer killed anywhere leaves a log that verifies, and the next run completes it: every record once', async () => {
  // 250 records are published; 60 more cross a full tile, in two batches.
  const prepare = async () => {
    const world = new World();
    await append({ records: records(0, 250) }, world.deps('appender'));
    await sequence({}, world.deps('sequencer'));
    await append({ records: records(250, 310) }, world.deps('appender'));
    return world;
  };
  const effects = await killedAtEachEffect(
    prepare,
    (world) => sequence({}, world.deps('sequencer')),
    async (world) => {
      const before = await checkLog(world.objects);
      expect(before?.checkpoint.size).toBeGreaterThanOrEqual(250);
      await sequence({}, world.deps('sequencer'));
      const after = await checkLog(world.objects);
      expect(sortedIds(after?.records ?? [])).toEqual(sortedIds(records(0, 310)));
      expect(world.tables.dump('log').filter(({ pk }) => pk.startsWith('PEND#'))).toEqual([]);
    },
    // `npm run verify:all` dies at each.
    extent(3, 1),
  );
  expect(effects).toBeGreaterThanOrEqual(16);
});

test('the very first batch may be killed anywhere too', async () => {
  await killedAtEachEffect(
    async () => {
      const world = new World();
      await append({ records: records(0, 2) }, world.deps('appender'));
      return world;
    },
    (world) => sequence({}, world.deps('sequencer')),
    async (world) => {
      await sequence({}, world.deps('sequencer'));
      expect(sortedIds((await checkLog(world.objects))?.records ?? [])).toEqual(sortedIds(records(0, 2)));
    },
  );
});

test('an outbox batch killed anywhere and delivered again adds every record once, and no event is lost', async () => {
  const items = records(0, 3).map((one, n) => ({
    pk: 'RING#ring',
    sk: `OUT#00000${n}.0`,
    v: 1 as const,
    record: JSON.parse(JSON.stringify(one)),
    event: { detailType: 'KeyStateChanged', detail: { id: one.id } },
  }));
  const effects = await killedAtEachEffect(
    async () => {
      const world = new World();
      world.functions.register('appender', (request) => append(request, world.deps('appender')));
      return world;
    },
    (world) => relay(items, world.deps('outbox-signing')),
    async (world) => {
      await relay(items, world.deps('outbox-signing'));
      await sequence({}, world.deps('sequencer'));
      expect(sortedIds((await checkLog(world.objects))?.records ?? [])).toEqual(sortedIds(records(0, 3)));
      const told = new Set(world.events.said.map(({ detail }) => detail.id));
      expect([...told].sort()).toEqual(sortedIds(records(0, 3)));
    },
  );
  expect(effects).toBe(7);
});

describe('a committer killed anywhere', () => {
  const issue = async (world: World, from: number, to: number) => {
    for (let n = from; n < to; n++) {
      const [kid, shard] = [`kid-${n % 2}`, n % 3];
      const item = {
        pk: `OUT#0${shard}`,
        sk: `1800000000-${String(n).padStart(6, '0')}`,
        v: 1 as const,
        kid,
        shard,
        jtiH: H(`jti ${n}`),
        tokenSha256: H(`token ${n}`),
      };
      await world.tables.transact([{ kind: 'put', table: 'markers', row: item }]);
    }
  };
  const prepare = async () => {
    const world = new World();
    world.functions.register('appender', (request) => append(request, world.deps('appender')));
    await issue(world, 0, 12);
    return world;
  };
  /** The union of all lists that records of the tree name, each checked against its record. */
  const committed = async (world: World) => {
    const tokens = new Set<string>();
    for (const { type, body, at } of (await checkLog(world.objects))?.records ?? []) {
      if (type !== 'tokens.issued') continue;
      for (const { shard, sha256 } of body.lists as unknown as TokenListEntry[]) {
        const list = await world.objects.get('evidence', tokenListKey(String(body.kid), shard, at, sha256));
        for (const { jtiH, tokenSha256 } of parseTokenList(list?.body ?? Buffer.alloc(0)))
          tokens.add(`${body.kid} ${jtiH} ${tokenSha256}`);
      }
    }
    return [...tokens].sort();
  };
  const expected = (count: number) =>
    Array.from({ length: count }, (_, n) => `kid-${n % 2} ${H(`jti ${n}`)} ${H(`token ${n}`)}`).sort();

  test('and run again commits every digest, in as many records as if it had lived', async () => {
    const effects = await killedAtEachEffect(
      prepare,
      (world) => commitIssued({}, world.deps('committer')),
      async (world) => {
        await commitIssued({}, world.deps('committer'));
        await sequence({}, world.deps('sequencer'));
        expect(await committed(world)).toEqual(expected(12));
        expect(world.tables.dump('markers')).toEqual([]);
        expect((await checkLog(world.objects))?.records).toHaveLength(2);
      },
    );
    expect(effects).toBe(6 + 1 + 2 + 1);
  });

  test('and overtaken by new tokens loses none of either', async () => {
    await killedAtEachEffect(
      prepare,
      (world) => commitIssued({}, world.deps('committer')),
      async (world) => {
        await issue(world, 12, 18);
        await commitIssued({}, world.deps('committer'));
        await sequence({}, world.deps('sequencer'));
        expect(await committed(world)).toEqual(expected(18));
        expect(world.tables.dump('markers')).toEqual([]);
      },
    );
  });
});
