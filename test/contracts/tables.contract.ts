/** What every Rows owes its callers. Each test works under partition keys of its own, so tables may be shared. */
import type { Row, RowKey, Test, Value, Write } from '../../lib/domain/store/table';
import { ROW_ABSENT, ROW_PRESENT } from '../../lib/domain/store/table';
import type { Rows } from '../../lib/ports';
import { idsFor } from '../support/seeded';

const id = idsFor('tables contract');

const NOTHING_WRITTEN = 'was refused by its condition; nothing was written';

export function tablesContract(make: () => Rows): void {
  let tables: Rows;
  let pk: string;
  beforeEach(() => {
    tables = make();
    pk = `T#${id()}`;
  });

  const item = (attributes: Record<string, Value> = {}, sk = 'A'): Row => ({ pk, sk, v: 1, ...attributes });
  const put = (one: Row, condition?: readonly Test[]): Write => ({
    kind: 'put',
    table: 'cases',
    row: one,
    if: condition,
  });
  const read = (sk = 'A') => tables.get('cases', { pk, sk });

  test('what was put is read back, and what was not is undefined', async () => {
    const stored = item({ text: '', n: 0, yes: false, none: null, list: [1, 'b', [true]], map: { a: { b: -1 } } });
    await tables.transact([put(stored)]);
    expect(await read()).toEqual(stored);
    expect(await read('B')).toBeUndefined();
  });

  test('a scan answers every row with such a sort key, once, over all pages of all segments', async () => {
    const rows = Array.from({ length: 25 }, (_, n) => ({
      ...item({ n }, n % 2 ? `OUT#${n}` : `A${n}`),
      pk: `${pk}#${n}`,
    }));
    await tables.transact(rows.map((row) => put(row)));
    const found: Row[] = [];
    for (let segment = 0; segment < 4; segment++) {
      let after: RowKey | undefined;
      do {
        const page = await tables.scan({ table: 'cases', prefix: 'OUT#', segment, segments: 4, after });
        found.push(...page.rows.filter((row) => row.pk.startsWith(`${pk}#`)));
        after = page.next;
      } while (after);
    }
    const byN = (a: Row, b: Row) => Number(a.n) - Number(b.n);
    expect(found.sort(byN)).toEqual(rows.filter(({ sk }) => sk.startsWith('OUT#')));
  });

  test('undefined members are not stored', async () => {
    await tables.transact([put({ ...item(), gone: undefined, map: { gone: undefined, here: 1 } })]);
    expect(await read()).toEqual(item({ map: { here: 1 } }));
  });

  test('what a caller does to an item it read changes nothing that is stored', async () => {
    await tables.transact([put(item({ list: [1] }))]);
    const first = (await read()) as unknown as { list: number[] };
    first.list.push(2);
    expect(await read()).toEqual(item({ list: [1] }));
  });

  test('same id, one record: the second put if absent is refused and the first stands', async () => {
    await tables.transact([put(item({ by: 'first' }), ROW_ABSENT)]);
    await expect(tables.transact([put(item({ by: 'second' }), ROW_ABSENT)])).rejects.toMatchObject({
      code: 'ERR_CONDITION_FAILED',
      message: `write 0 (put cases) ${NOTHING_WRITTEN}`,
    });
    expect(await read()).toEqual(item({ by: 'first' }));
  });

  test('of many who race for one id exactly one wins', async () => {
    const race = Array.from({ length: 8 }, (_, by) => tables.transact([put(item({ by }), ROW_ABSENT)]));
    const settled = await Promise.allSettled(race);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const one of settled)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'ERR_CONDITION_FAILED' });
    expect((await read())?.by).toBe(settled.findIndex(({ status }) => status === 'fulfilled'));
  });

  test('all or nothing, over several tables; the error names the write that was refused', async () => {
    await tables.transact([put(item({ n: 1 }))]);
    const writes: Write[] = [
      { kind: 'put', table: 'keys', row: item() },
      { kind: 'update', table: 'cases', key: { pk, sk: 'A' }, set: { n: 2 } },
      { kind: 'check', table: 'log', key: { pk, sk: 'A' }, if: ROW_PRESENT },
    ];
    await expect(tables.transact(writes)).rejects.toMatchObject({
      code: 'ERR_CONDITION_FAILED',
      message: `write 2 (check log) ${NOTHING_WRITTEN}`,
      got: { write: 2 },
    });
    expect(await tables.get('keys', { pk, sk: 'A' })).toBeUndefined();
    expect(await read()).toEqual(item({ n: 1 }));
  });

  const CONDITIONS: readonly (readonly [test: Test, holds: boolean])[] = [
    [{ attribute: 'pk', is: 'present' }, true],
    [{ attribute: 'pk', is: 'absent' }, false],
    [{ attribute: 'gone', is: 'absent' }, true],
    [{ attribute: 'gone', is: 'present' }, false],
    [{ attribute: 'none', is: 'present' }, true],
    [{ attribute: 'none', is: '=', value: null }, true],
    [{ attribute: 'n', is: '=', value: 5 }, true],
    [{ attribute: 'n', is: '=', value: '5' }, false],
    [{ attribute: 'n', is: '!=', value: 5 }, false],
    [{ attribute: 'n', is: '!=', value: 6 }, true],
    [{ attribute: 'n', is: '!=', value: '5' }, true],
    [{ attribute: 'n', is: '<', value: 10 }, true],
    [{ attribute: 'n', is: '<', value: 5 }, false],
    [{ attribute: 'n', is: '<=', value: 5 }, true],
    [{ attribute: 'n', is: '>', value: 4 }, true],
    [{ attribute: 'n', is: '>', value: 5 }, false],
    [{ attribute: 'n', is: '>=', value: 5 }, true],
    [{ attribute: 'n', is: '<', value: 'x' }, false],
    [{ attribute: 'yes', is: '=', value: true }, true],
    [{ attribute: 'yes', is: '=', value: false }, false],
    [{ attribute: 'text', is: '<', value: 'n' }, true],
    [{ attribute: 'text', is: 'in', values: ['a', 'm'] }, true],
    [{ attribute: 'text', is: 'in', values: ['a', 5] }, false],
    [{ attribute: 'gone', is: 'in', values: ['a'] }, false],
    // What is not there compares with nothing, unless the test says otherwise.
    [{ attribute: 'gone', is: '=', value: 5 }, false],
    [{ attribute: 'gone', is: '!=', value: 5 }, false],
    [{ attribute: 'gone', is: '<', value: 5 }, false],
    [{ attribute: 'gone', is: '<', value: 5, orAbsent: true }, true],
    [{ attribute: 'gone', is: '!=', value: 5, orAbsent: true }, true],
    [{ attribute: 'n', is: '<', value: 5, orAbsent: true }, false],
  ];

  test.each(CONDITIONS)('the condition %j on an item: %s', async (condition, holds) => {
    await tables.transact([put(item({ n: 5, yes: true, none: null, text: 'm' }))]);
    const asked = tables.transact([{ kind: 'check', table: 'cases', key: { pk, sk: 'A' }, if: [condition] }]);
    if (holds) await asked;
    else await expect(asked).rejects.toMatchObject({ code: 'ERR_CONDITION_FAILED' });
  });

  test('no item, no comparison holds on it but those that say orAbsent', async () => {
    const check = (condition: Test) =>
      tables.transact([{ kind: 'check', table: 'cases', key: { pk, sk: 'A' }, if: [condition] }]);
    await check({ attribute: 'notBefore', is: '<', value: 5, orAbsent: true });
    await check({ attribute: 'blocked', is: '!=', value: true, orAbsent: true });
    await expect(check({ attribute: 'blocked', is: '!=', value: true })).rejects.toMatchObject({
      code: 'ERR_CONDITION_FAILED',
    });
  });

  test('all tests of a write must hold together', async () => {
    await tables.transact([put(item({ n: 5 }))]);
    const tests: Test[] = [
      { attribute: 'n', is: '=', value: 5 },
      { attribute: 'n', is: '=', value: 6 },
    ];
    await expect(tables.transact([put(item({ n: 7 }), tests)])).rejects.toMatchObject({ code: 'ERR_CONDITION_FAILED' });
  });

  test('an update sets, removes, adds and appends, also on what is not there yet', async () => {
    const update = (): Write => ({
      kind: 'update',
      table: 'cases',
      key: { pk, sk: 'A' },
      set: { v: 1, state: 'NEW', map: { a: 1 } },
      remove: ['old'],
      add: { n: 2 },
      append: { list: ['x', { y: 1 }] },
    });
    await tables.transact([update()]);
    const once = item({ state: 'NEW', map: { a: 1 }, n: 2, list: ['x', { y: 1 }] });
    expect(await read()).toEqual(once);

    await tables.transact([{ kind: 'update', table: 'cases', key: { pk, sk: 'A' }, set: { old: 1 } }]);
    await tables.transact([update()]);
    expect(await read()).toEqual({ ...once, n: 4, list: ['x', { y: 1 }, 'x', { y: 1 }] });
  });

  test('attributes may be called anything', async () => {
    const odd = { size: 1, 'a.b': 2, '#x': 3, ':y': 4, 'Résumé 履歴': 5 };
    await tables.transact([{ kind: 'update', table: 'cases', key: { pk, sk: 'A' }, set: { v: 1, ...odd } }]);
    expect(await read()).toEqual(item(odd));
  });

  test('a delete removes, and removes nothing twice', async () => {
    await tables.transact([put(item())]);
    const remove: Write = { kind: 'delete', table: 'cases', key: { pk, sk: 'A' } };
    await tables.transact([remove]);
    await tables.transact([remove]);
    expect(await read()).toBeUndefined();
    await expect(tables.transact([{ ...remove, if: ROW_PRESENT }])).rejects.toMatchObject({
      code: 'ERR_CONDITION_FAILED',
    });
  });

  test('a query answers one partition in sort-key order', async () => {
    const keys = ['B#2', 'A#10', 'B#1', 'C', 'A#1'];
    await tables.transact(keys.map((sk) => put(item({}, sk))));
    const found = async (more: { prefix?: string; descending?: boolean; limit?: number }) =>
      (await tables.query({ table: 'cases', pk, ...more })).map(({ sk }) => sk);
    expect(await found({})).toEqual(['A#1', 'A#10', 'B#1', 'B#2', 'C']);
    expect(await found({ prefix: 'B#' })).toEqual(['B#1', 'B#2']);
    expect(await found({ descending: true, limit: 2 })).toEqual(['C', 'B#2']);
    expect(await found({ prefix: 'D' })).toEqual([]);
  });

  test('a query answers all pages', async () => {
    const fill = 'x'.repeat(60_000);
    const all = Array.from({ length: 40 }, (_, n) => item({ fill }, String(n).padStart(3, '0')));
    await tables.transact(all.slice(0, 20).map((one) => put(one)));
    await tables.transact(all.slice(20).map((one) => put(one)));
    const sortKeys = all.map(({ sk }) => sk);
    expect((await tables.query({ table: 'cases', pk })).map(({ sk }) => sk)).toEqual(sortKeys);
    expect((await tables.query({ table: 'cases', pk, limit: 35 })).map(({ sk }) => sk)).toEqual(sortKeys.slice(0, 35));
  });

  test('transactions that meet on one item all count', async () => {
    const increment: Write = { kind: 'update', table: 'cases', key: { pk, sk: 'A' }, add: { n: 1 } };
    await Promise.all(Array.from({ length: 5 }, () => tables.transact([increment])));
    expect((await read())?.n).toBe(5);
  });

  test('a transaction holds 1 to 100 writes', async () => {
    const many = (length: number) => Array.from({ length }, (_, n) => put(item({}, `N#${n}`)));
    await tables.transact(many(100));
    expect(await tables.query({ table: 'cases', pk })).toHaveLength(100);
    for (const length of [0, 101])
      await expect(tables.transact(many(length))).rejects.toMatchObject({
        code: 'ERR_INPUT_INVALID',
        message: 'the transaction does not have 1 to 100 writes',
        got: length,
      });
  });

  const IMPOSSIBLE: readonly (readonly [says: string, writes: (key: { pk: string; sk: string }) => Write[]])[] = [
    [
      'write 1 (delete cases) touches an item a second time',
      (key) => [
        { kind: 'put', table: 'cases', row: { ...key, v: 1 } },
        { kind: 'delete', table: 'cases', key },
      ],
    ],
    ['write 0 (update cases) changes nothing', (key) => [{ kind: 'update', table: 'cases', key, set: {} }]],
    [
      'write 0 (update cases) changes one attribute twice',
      (key) => [{ kind: 'update', table: 'cases', key, set: { n: 1 }, add: { n: 1 } }],
    ],
    ['write 0 (update cases) changes the key', (key) => [{ kind: 'update', table: 'cases', key, set: { sk: 'B' } }]],
    ['write 0 (delete cases) has an empty key', () => [{ kind: 'delete', table: 'cases', key: { pk: '', sk: 'A' } }]],
  ];

  test.each(IMPOSSIBLE)('%s', async (message, writes) => {
    await expect(tables.transact(writes({ pk, sk: 'A' }))).rejects.toMatchObject({
      code: 'ERR_INPUT_INVALID',
      message,
    });
    expect(await read()).toBeUndefined();
  });
}
