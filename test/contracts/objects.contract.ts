/** What every Objects owes its callers. Each test works under a prefix of its own. */
import type { Bucket, Right } from '../../lib/domain/deployment/rights';
import type { Objects } from '../../lib/ports';
import { idsFor } from '../support/seeded';

const id = idsFor('objects contract');

const REFUSED = { code: 'ERR_CONDITION_FAILED' };

export function objectsContract(make: () => Objects<Right>): void {
  const bucket: Bucket = 'heads';
  let objects: Objects<Right>;
  let key: string;
  beforeEach(() => {
    objects = make();
    key = `${id()}/checkpoint`;
  });

  const text = async () => (await objects.get(bucket, key))?.body.toString();

  test('bytes come back as they went, and what was not put is undefined', async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 0x80]);
    expect(await objects.get(bucket, key)).toBeUndefined();
    await objects.put(bucket, key, bytes);
    expect((await objects.get(bucket, key))?.body).toEqual(bytes);
  });

  test('an empty object is an object', async () => {
    await objects.put(bucket, key, Buffer.alloc(0));
    expect((await objects.get(bucket, key))?.body).toEqual(Buffer.alloc(0));
  });

  test('put if absent is refused where something stands', async () => {
    await objects.put(bucket, key, Buffer.from('first'), { ifAbsent: true });
    await expect(objects.put(bucket, key, Buffer.from('second'), { ifAbsent: true })).rejects.toMatchObject(REFUSED);
    expect(await text()).toBe('first');
  });

  test('compare-and-swap takes the version that was read and no other', async () => {
    await objects.put(bucket, key, Buffer.from('1'));
    const read = await objects.get(bucket, key);
    if (!read) throw new Error('what was put was not read');
    await objects.put(bucket, key, Buffer.from('2'), { ifMatch: read.etag });
    await expect(objects.put(bucket, key, Buffer.from('3'), { ifMatch: read.etag })).rejects.toMatchObject(REFUSED);
    expect(await text()).toBe('2');
  });

  test('compare-and-swap on what does not exist is refused', async () => {
    await objects.put(bucket, `${key}.other`, Buffer.from('1'));
    const other = await objects.get(bucket, `${key}.other`);
    await expect(objects.put(bucket, key, Buffer.from('2'), { ifMatch: other?.etag ?? 'none' })).rejects.toMatchObject(
      REFUSED,
    );
    expect(await text()).toBeUndefined();
  });

  test('of many who race with one version exactly one wins', async () => {
    await objects.put(bucket, key, Buffer.from('0'));
    const etag = (await objects.get(bucket, key))?.etag ?? '';
    const race = [1, 2, 3, 4, 5].map((n) => objects.put(bucket, key, Buffer.from(`${n}`), { ifMatch: etag }));
    const settled = await Promise.allSettled(race);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await text()).toBe(`${settled.findIndex(({ status }) => status === 'fulfilled') + 1}`);
  });

  test('a list names the keys under a prefix, in order', async () => {
    for (const name of ['tile/1', 'tile/0', 'tile-x', 'other']) await objects.put(bucket, `${key}/${name}`, ONE);
    expect(await objects.list(bucket, `${key}/tile/`)).toEqual([`${key}/tile/0`, `${key}/tile/1`]);
    expect(await objects.list(bucket, `${key}/none`)).toEqual([]);
  });
}

const ONE = Buffer.from('1');
