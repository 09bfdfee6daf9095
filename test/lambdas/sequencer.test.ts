import { append } from '../../lambdas/appender';
import { sequence } from '../../lambdas/sequencer';
import { H } from '../../lib/domain/base/encoding';
import type { EvidenceRecord } from '../../lib/domain/evidence/record';
import { World } from '../../lib/local/world';
import { checkLog } from './check-log';

const record = (n: number): EvidenceRecord => ({
  v: 1,
  id: `customer-api/${String(n).padStart(6, '0')}.0`,
  type: 'key.confirmed',
  at: 1_800_000_000 + n,
  ring: 'customer-api',
  body: { kid: `kid-${n}` },
});
const records = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => record(from + i));
const ids = (log: Awaited<ReturnType<typeof checkLog>>) => (log?.records ?? []).map(({ id }) => id).sort();

async function appendAndSequence(world: World, added: readonly EvidenceRecord[]) {
  await append({ records: added }, world.deps('appender'));
  return sequence({}, world.deps('sequencer'));
}

test('an empty log publishes nothing', async () => {
  const world = new World();
  expect(await sequence({}, world.deps('sequencer'))).toMatchObject({ size: 0 });
  expect(await checkLog(world.objects)).toBeUndefined();
});

test('records of one request keep their order, and each knows its index', async () => {
  const world = new World();
  expect(await append({ records: records(0, 10) }, world.deps('appender'))).toEqual({ appended: 10 });
  expect(await sequence({}, world.deps('sequencer'))).toMatchObject({ size: 10 });
  const log = await checkLog(world.objects);
  expect(log?.records).toEqual(records(0, 10));
  for (const { id } of records(0, 10)) {
    const known = await world.tables.get('log', { pk: `REC#${H(id)}`, sk: 'REC' });
    expect(log?.records[known?.index as number]?.id).toBe(id);
  }
  expect(world.tables.dump('log').filter(({ pk }) => pk.startsWith('PEND#'))).toEqual([]);
});

test('the log verifies whole after every growth, across full tiles', async () => {
  const world = new World();
  let size = 0;
  for (const more of [1, 48, 49, 50, 107, 1, 1, 300]) {
    await appendAndSequence(world, records(size, size + more));
    size += more;
    world.clock.advance(1);
    const log = await checkLog(world.objects);
    expect(log?.checkpoint.size).toBe(size);
    expect(ids(log)).toEqual(records(0, size).map(({ id }) => id));
  }
  expect(await world.objects.list('evidence', 'tile/')).toEqual([
    'tile/0/000',
    'tile/0/001',
    'tile/entries/000',
    'tile/entries/001',
  ]);
});

test('the same id is one record, whoever repeats it', async () => {
  const world = new World();
  await appendAndSequence(world, records(0, 3));
  expect(await append({ records: records(0, 4) }, world.deps('appender'))).toEqual({ appended: 1 });
  expect(await append({ records: [record(3), record(3)] }, world.deps('appender'))).toEqual({ appended: 0 });
  await sequence({}, world.deps('sequencer'));
  expect(ids(await checkLog(world.objects))).toEqual(records(0, 4).map(({ id }) => id));
});

test('a record that nobody could read back is not appended', async () => {
  const world = new World();
  const bad = { ...record(1), body: { ratio: 0.5 } };
  await expect(append({ records: [record(0), bad] }, world.deps('appender'))).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_INPUT_INVALID', message: 'the number is not a safe integer' }),
  );
  await expect(append({ records: [{ ...record(1), id: 'a b' }] }, world.deps('appender'))).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_EVIDENCE_RECORD' }),
  );
  expect(world.tables.dump('log')).toEqual([]);
});

test('sequencers at once make one log', async () => {
  const world = new World();
  for (let round = 0; round < 4; round++) {
    await append({ records: records(round * 70, round * 70 + 70) }, world.deps('appender'));
    const done = await Promise.all([1, 2, 3].map(() => sequence({}, world.deps('sequencer'))));
    expect(Math.max(...done.map(({ size }) => size))).toBe(round * 70 + 70);
    expect(ids(await checkLog(world.objects))).toEqual(records(0, round * 70 + 70).map(({ id }) => id));
  }
});

test('a sequencer that was slow does not put an older checkpoint over a newer one', async () => {
  const world = new World();
  const deps = world.deps('sequencer');
  let overtaken = false;
  const sign: typeof deps.signer.sign = async (...request) => {
    if (!overtaken) {
      overtaken = true;
      await appendAndSequence(world, records(3, 6));
      expect((await checkLog(world.objects))?.checkpoint.size).toBe(6);
    }
    return deps.signer.sign(...request);
  };
  await append({ records: records(0, 3) }, world.deps('appender'));
  await sequence({}, { ...deps, signer: { sign, publicKey: (arn) => deps.signer.publicKey(arn) } });
  expect(overtaken).toBe(true);
  expect((await checkLog(world.objects))?.checkpoint.size).toBe(6);
  expect(await world.objects.list('evidence', 'checkpoint/')).toEqual(['checkpoint/3', 'checkpoint/6']);
});

describe('the sequencer stops, and signs nothing more,', () => {
  const signedSizes = (world: World) => world.objects.list('evidence', 'checkpoint/');
  const tree = (message: string | RegExp) =>
    expect.objectContaining({ code: 'ERR_EVIDENCE_TREE', message: expect.stringMatching(message) });
  const logOf = async (size: number) => {
    const world = new World();
    await appendAndSequence(world, records(0, size));
    await append({ records: records(size, size + 1) }, world.deps('appender'));
    return world;
  };
  const restore = async (world: World, pk: string, set: { [name: string]: string | number }) => {
    const known = world.tables.dump('log').find((item) => item.pk === pk);
    await world.tables.transact([{ kind: 'update', table: 'log', key: { pk, sk: known?.sk ?? '' }, set }]);
  };

  test('when a published tile was changed', async () => {
    const world = await logOf(5);
    await world.objects.put('heads', 'tile/0/000.p/5', Buffer.alloc(5 * 32, 1));
    await expect(sequence({}, world.deps('sequencer'))).rejects.toThrow(
      tree('^the published tiles do not add up to the head$'),
    );
    expect(await signedSizes(world)).toEqual(['checkpoint/5']);
  });

  test('when the head went back in time', async () => {
    const world = await logOf(5);
    await restore(world, 'HEAD', { size: 4 });
    await expect(sequence({}, world.deps('sequencer'))).rejects.toThrow(
      tree('^the published checkpoint of size 5 is not a prefix of the head$'),
    );
    expect(await signedSizes(world)).toEqual(['checkpoint/5']);
  });

  test('when the head was lost: no second log under the same origin', async () => {
    const world = await logOf(5);
    await world.tables.transact([{ kind: 'delete', table: 'log', key: { pk: 'HEAD', sk: 'HEAD' } }]);
    await expect(sequence({}, world.deps('sequencer'))).rejects.toThrow(
      tree('^the published checkpoint of size 5 is not a prefix of the head$'),
    );
  });

  test('when the head has another root than was published', async () => {
    const world = await logOf(5);
    await restore(world, 'HEAD', { root: Buffer.alloc(32).toString('base64') });
    await expect(sequence({}, world.deps('sequencer'))).rejects.toThrow(
      tree('^the published checkpoint of size 5 is not a prefix'),
    );
  });

  test('when a locked tile already holds something else', async () => {
    const world = new World();
    await world.objects.put('evidence', 'tile/0/000', Buffer.from('squatter'), { ifAbsent: true });
    await expect(appendAndSequence(world, records(0, 256))).rejects.toThrow(
      tree('^tile/0/000 is locked with other content$'),
    );
    expect(await signedSizes(world)).not.toContain('checkpoint/256');
  });

  test('when the log key was exchanged', async () => {
    const world = await logOf(5);
    const config = { ...world.config, checkpointKeyArn: new World({ seed: 'other' }).config.checkpointKeyArn };
    const other = new World({ seed: 'other', config });
    const deps = { ...world.deps('sequencer'), signer: other.deps('sequencer').signer };
    await expect(sequence({}, deps)).rejects.toThrow(tree('^log.vkey is locked with other content$'));
    expect(await signedSizes(world)).toEqual(['checkpoint/5']);
  });
});

test('a staged batch that was changed or lost is not published, and the head does not move', async () => {
  for (const tamper of ['changed', 'lost'] as const) {
    const world = new World();
    await append({ records: records(0, 3) }, world.deps('appender'));
    const deps = world.deps('sequencer');
    // Dies right after the head moved: effects are the staged put, then the transaction.
    world.faults.crashAt(2, 'after');
    await expect(sequence({}, deps)).rejects.toThrow('the process died after tables.transact');
    world.faults.restart();
    const [staged = ''] = await world.objects.list('heads', 'staged/');
    const held = await world.objects.get('heads', staged);
    const changed = Buffer.from(held?.body ?? []);
    changed[10] = (changed[10] ?? 0) ^ 1;
    const get: typeof deps.objects.get = async (bucket, key) => {
      if (key !== staged) return world.objects.get(bucket, key);
      return tamper === 'lost' ? undefined : { body: changed, etag: '"x"' };
    };
    await expect(
      sequence(
        {},
        {
          ...deps,
          objects: { ...world.objects.restricted(['heads:put', 'evidence:put']), get } as typeof deps.objects,
        },
      ),
    ).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_EVIDENCE_TREE',
        message:
          tamper === 'lost' ? `the staged batch ${staged} is gone` : 'the staged batch does not add up to the head',
      }),
    );
    expect(await checkLog(world.objects)).toBeUndefined();
    // With the object as it was, the log goes on where it stood.
    expect(await sequence({}, world.deps('sequencer'))).toMatchObject({ size: 3 });
    expect(ids(await checkLog(world.objects))).toEqual(records(0, 3).map(({ id }) => id));
  }
});
