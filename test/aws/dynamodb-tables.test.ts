import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamodbTables } from '../../lib/aws/dynamodb-tables';
import type { Write } from '../../lib/domain/store/table';
import { type Asked, answering } from './answering';

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

function tablesThat(answer: (asked: Asked, n: number) => { status?: number; body: unknown }) {
  let n = 0;
  const pauses: number[] = [];
  const { asked, config } = answering((one) => answer(one, ++n));
  const pause = async (milliseconds: number) => {
    pauses.push(milliseconds);
  };
  return { asked, pauses, tables: new DynamodbTables((name) => `T-${name}`, new DynamoDBClient(config), pause) };
}

test('a transaction that met another is tried again under a new client token', async () => {
  const { asked, pauses, tables } = tablesThat((_, n) =>
    n < 3 ? cancelled('None', 'TransactionConflict') : { body: {} },
  );
  await tables.transact(WRITES);
  expect(asked).toHaveLength(3);
  expect(new Set(asked.map(({ input }) => input.ClientRequestToken)).size).toBe(3);
  expect(pauses).toHaveLength(2);
});

test('one that keeps meeting others gives up and says that nothing was written', async () => {
  const { asked, tables } = tablesThat(() => cancelled('TransactionConflict', 'None'));
  await expect(tables.transact(WRITES)).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: 'the transaction met others 6 times; nothing was written',
    got: ['TransactionConflict', 'None'],
  });
  expect(asked).toHaveLength(6);
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

test('a write that is invalid in itself is not tried again', async () => {
  const { asked, tables } = tablesThat(() => cancelled('None', 'ValidationError'));
  await expect(tables.transact(WRITES)).rejects.toMatchObject({ code: 'ERR_INPUT_INVALID' });
  expect(asked).toHaveLength(1);
});

test('reads are strongly consistent', async () => {
  const { asked, tables } = tablesThat(() => ({ body: {} }));
  await tables.get('cases', { pk: 'P', sk: 'A' });
  await tables.query({ table: 'cases', pk: 'P' });
  expect(asked.map(({ operation, input }) => [operation, input.ConsistentRead])).toEqual([
    ['GetItem', true],
    ['Query', true],
  ]);
});
