import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamodbTables } from '../../lib/aws/dynamodb-tables';
import type { Write } from '../../lib/domain/store/table';
import { type Answer, type Asked, answering, inFrozenTime, notedPauses, timedOut } from './answering';

const WRITES: readonly Write[] = [
  { kind: 'put', table: 'cases', row: { pk: 'P', sk: 'A', v: 1 } },
  { kind: 'check', table: 'log', key: { pk: 'P', sk: 'A' }, if: [{ attribute: 'pk', is: 'present' }] },
];

function cancelled(...codes: string[]) {
  const body = {
    __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
    CancellationReasons: codes.map((Code) => ({ Code })),
  };
  return { status: 400, body };
}

function tablesThat(answer: (asked: Asked, n: number) => Answer, as?: 'issuer') {
  const { asked, config } = answering(answer, as);
  const { pauses, pause } = notedPauses();
  return { asked, pauses, tables: new DynamodbTables((name) => `T-${name}`, new DynamoDBClient(config), 1, pause) };
}

test('dynamodb.conflict: a transaction that met another is tried again under a new client token', async () => {
  const { asked, pauses, tables } = tablesThat((_, n) =>
    n < 3 ? cancelled('None', 'TransactionConflict') : { body: {} },
  );
  await tables.transact(WRITES);
  expect(asked).toHaveLength(3);
  expect(new Set(asked.map(({ input }) => input.ClientRequestToken)).size).toBe(3);
  expect(pauses).toHaveLength(2);
});

test('dynamodb.conflict: one that keeps meeting others ends within its budget and says that nothing was written', async () => {
  const { asked, pauses, tables } = tablesThat(() => cancelled('TransactionConflict', 'None'));
  const error = await tables.transact(WRITES).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: `the transaction met others ${asked.length} times within 1 s; nothing was written`,
    got: ['TransactionConflict', 'None'],
  });
  expect(asked.length).toBeGreaterThan(3);
  expect(pauses.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(1000);
  expect(new Set(pauses).size).toBeGreaterThan(1);
});

test.each(['ThrottlingError', 'ProvisionedThroughputExceeded', 'RequestLimitExceeded'])(
  'dynamodb.throttled: a transaction cancelled by %s is tried again',
  async (reason) => {
    const { asked, tables } = tablesThat((_, n) => (n < 3 ? cancelled('None', reason) : { body: {} }));
    await tables.transact(WRITES);
    expect(asked).toHaveLength(3);
  },
);

test.each(['ThrottlingException', 'ProvisionedThroughputExceededException', 'RequestLimitExceeded'])(
  'dynamodb.throttled: %s of the whole call is tried again, for reads and writes alike',
  async (__type) => {
    const once = () => tablesThat((_, n) => (n === 1 ? { status: 400, body: { __type } } : { body: {} }), 'issuer');
    const calls: readonly ((tables: DynamodbTables) => Promise<unknown>)[] = [
      (tables) => tables.transact(WRITES),
      (tables) => tables.get('cases', { pk: 'P', sk: 'A' }),
      (tables) => tables.query({ table: 'cases', pk: 'P' }),
    ];
    for (const call of calls) {
      const { asked, tables } = once();
      expect((await inFrozenTime(() => call(tables))).error).toBeUndefined();
      expect(asked).toHaveLength(2);
    }
  },
);

test.each([
  ['a time-out', timedOut],
  ['an error of the service', () => ({ status: 500, body: { __type: 'InternalServerError' } })],
  ['TransactionInProgressException', () => ({ status: 400, body: { __type: 'TransactionInProgressException' } })],
])('dynamodb.lost-answer: after %s the same transaction is sent under the same client token', async (_, lost) => {
  const { asked, tables } = tablesThat((_asked, n) => (n < 3 ? lost() : { body: {} }), 'issuer');
  expect((await inFrozenTime(() => tables.transact(WRITES))).error).toBeUndefined();
  expect(asked).toHaveLength(3);
  expect(asked[1]?.input).toEqual(asked[0]?.input);
  expect(new Set(asked.map(({ input }) => input.ClientRequestToken)).size).toBe(1);
});

test.each(['TimeoutError', 'InternalServerError', 'IdempotentParameterMismatchException'])(
  'dynamodb.late: after %s it is not said that nothing was written: it may come yet',
  async (name) => {
    const { tables } = tablesThat(() =>
      name === 'TimeoutError' ? timedOut() : { status: 400, body: { __type: name } },
    );
    const error = await tables.transact(WRITES).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_UNAVAILABLE', message: `transact was refused: ${name}` });
  },
);

test('dynamodb.pages: an empty page is not the last, and no page gives more than is still asked for', async () => {
  const row = (sk: string) => ({ pk: { S: 'P' }, sk: { S: sk } });
  const { asked, tables } = tablesThat((_, n) => {
    const LastEvaluatedKey = n < 4 ? row(`K${n}`) : undefined;
    return { body: { Items: n % 2 === 0 ? [row(`A${n}`)] : [], LastEvaluatedKey } };
  });
  expect((await tables.query({ table: 'cases', pk: 'P' })).map(({ sk }) => sk)).toEqual(['A2', 'A4']);
  expect(asked.map(({ input }) => input.ExclusiveStartKey)).toEqual([undefined, row('K1'), row('K2'), row('K3')]);

  const limited = tablesThat((_, n) => ({ body: { Items: n < 3 ? [row(`A${n}`)] : [], LastEvaluatedKey: row('K') } }));
  expect(await limited.tables.query({ table: 'cases', pk: 'P', limit: 2 })).toHaveLength(2);
  expect(limited.asked.map(({ input }) => input.Limit)).toEqual([2, 1]);
});

test('a condition that did not hold is final, even beside a conflict', async () => {
  const { asked, tables } = tablesThat(() => cancelled('TransactionConflict', 'ConditionalCheckFailed'));
  await expect(tables.transact(WRITES)).rejects.toMatchObject({
    code: 'ERR_CONDITION_FAILED',
    message: 'write 1 (check log) was refused by its condition; nothing was written',
    got: { write: 1 },
  });
  expect(asked).toHaveLength(1);
});

test.each([
  ['ValidationException', 'ERR_INPUT_INVALID'],
  ['AccessDeniedException', 'ERR_ACCESS_DENIED'],
  ['InternalServerError', 'ERR_UNAVAILABLE'],
])('%s is %s, and says no more than its name', async (name, code) => {
  const { tables } = tablesThat(() => ({ status: 400, body: { __type: name, message: 'user W-1042 may not' } }));
  await expect(tables.transact(WRITES)).rejects.toMatchObject({ code, message: `transact was refused: ${name}` });
});

test.each(['ValidationError', 'ItemCollectionSizeLimitExceeded'])(
  'a write that is not taken for what it is, %s, is not tried again',
  async (reason) => {
    const { asked, tables } = tablesThat(() => cancelled('None', reason));
    await expect(tables.transact(WRITES)).rejects.toMatchObject({ code: 'ERR_INPUT_INVALID' });
    expect(asked).toHaveLength(1);
  },
);

test('reads are strongly consistent', async () => {
  const { asked, tables } = tablesThat(() => ({ body: {} }));
  await tables.get('cases', { pk: 'P', sk: 'A' });
  await tables.query({ table: 'cases', pk: 'P' });
  expect(asked.map(({ operation, input }) => [operation, input.ConsistentRead])).toEqual([
    ['GetItem', true],
    ['Query', true],
  ]);
});

test('dynamodb.pages: a scan goes on after an empty page, asks for its segment, and keeps what begins with the prefix', async () => {
  const pages = [
    { Items: [], LastEvaluatedKey: { pk: { S: 'P' }, sk: { S: 'A' } } },
    {
      Items: [
        { pk: { S: 'P' }, sk: { S: 'OUT#1' }, v: { N: '1' } },
        { pk: { S: 'P' }, sk: { S: 'META' }, v: { N: '1' } },
      ],
    },
  ];
  const { asked, tables } = tablesThat((_, n) => ({ body: pages[n - 1] ?? {} }));
  const of = { table: 'cases', prefix: 'OUT#', segment: 3, segments: 16 } as const;
  const first = await tables.scan(of);
  expect(first).toEqual({ rows: [], next: { pk: 'P', sk: 'A' } });
  expect(await tables.scan({ ...of, after: first.next })).toEqual({ rows: [{ pk: 'P', sk: 'OUT#1', v: 1 }] });
  expect(asked.map(({ input }) => input)).toEqual([
    { TableName: 'T-cases', Segment: 3, TotalSegments: 16 },
    { TableName: 'T-cases', Segment: 3, TotalSegments: 16, ExclusiveStartKey: { pk: { S: 'P' }, sk: { S: 'A' } } },
  ]);
});

test('a scan answers a row with a foreign type or a giant number beside the others', async () => {
  const row = (sk: string, more: object) => ({ pk: { S: 'P' }, sk: { S: sk }, v: { N: '1' }, ...more });
  const Items = [
    row('OUT#1', { set: { SS: ['a'] } }),
    row('OUT#2', { n: { N: '9007199254740993123' } }),
    row('OUT#3', {}),
  ];
  const { tables } = tablesThat(() => ({ body: { Items } }));
  const { rows } = await tables.scan({ table: 'cases', prefix: 'OUT#', segment: 0, segments: 1 });
  expect(rows).toEqual([
    { pk: 'P', sk: 'OUT#1', v: 1, foreign: JSON.stringify(Items[0]) },
    { pk: 'P', sk: 'OUT#2', v: 1, n: Number('9007199254740993123') },
    { pk: 'P', sk: 'OUT#3', v: 1 },
  ]);
});
