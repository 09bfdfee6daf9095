/** What a table and a bucket of our own answer when several writers come at once. Both are removed at the end. */
import {
  BatchGetItemCommand,
  CreateTableCommand,
  DeleteTableCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, DeleteBucketCommand, DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Account } from './account';
import type { AccountCheck } from './check';
import { answerOf, tally } from './looks';

const WRITERS = 20;
const ROUNDS = 25;
const TABLE_SECONDS_MAX = 120;

/** One table per check: what one leaves would be another's first answer. */
async function makeTable(account: Account, name: string): Promise<string> {
  const TableName = `curfew-${account.run}-${name}`;
  account.undo.note(`table ${TableName}`, () => account.dynamodb.send(new DeleteTableCommand({ TableName })));
  await account.dynamodb.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  await waitUntilTableExists({ client: account.dynamodb, maxWaitTime: TABLE_SECONDS_MAX }, { TableName });
  return TableName;
}

const keyOf = (sk: string) => ({ pk: { S: 'one' }, sk: { S: sk } });

/** Both rows get the same number: a reader who sees two has read between them. */
function writeBoth(TableName: string, n: number): TransactWriteItemsCommand {
  return new TransactWriteItemsCommand({
    TransactItems: ['a', 'b'].map((sk) => ({ Put: { TableName, Item: { ...keyOf(sk), n: { N: String(n) } } } })),
  });
}

async function conflicts(account: Account): Promise<readonly string[]> {
  const TableName = await makeTable(account, 'conflict');
  const writes = Array.from({ length: WRITERS }, (_, n) =>
    answerOf(() => account.dynamodb.send(writeBoth(TableName, n))),
  );
  const checks = Array.from({ length: WRITERS }, () =>
    answerOf(() =>
      account.dynamodb.send(
        new TransactWriteItemsCommand({
          TransactItems: [
            { ConditionCheck: { TableName, Key: keyOf('gate'), ConditionExpression: 'attribute_not_exists(pk)' } },
          ],
        }),
      ),
    ),
  );
  return [
    `${WRITERS} transactions on the same two rows: ${tally(await Promise.all(writes))}`,
    `${WRITERS} transactions that only check the same row: ${tally(await Promise.all(checks))}`,
  ];
}

async function between(account: Account): Promise<readonly string[]> {
  const { dynamodb } = account;
  const TableName = await makeTable(account, 'between');
  await dynamodb.send(writeBoth(TableName, 0));
  const read = async () => {
    const { Responses = {} } = await dynamodb.send(
      new BatchGetItemCommand({
        RequestItems: { [TableName]: { Keys: ['a', 'b'].map(keyOf), ConsistentRead: true } },
      }),
    );
    const numbers = new Set(Responses[TableName]?.map(({ n }) => n?.N));
    return numbers.size === 1 ? 'both rows alike' : 'one row old, one new';
  };
  const seen: string[] = [];
  for (let n = 1; n <= ROUNDS; n++) {
    const reads = [read(), read(), read(), read()];
    await answerOf(() => dynamodb.send(writeBoth(TableName, n)));
    seen.push(...(await Promise.all(reads)));
  }
  return [`read beside ${ROUNDS} transactions: ${tally(seen)}`];
}

async function pages(account: Account): Promise<readonly string[]> {
  const { dynamodb } = account;
  const TableName = await makeTable(account, 'pages');
  await dynamodb.send(
    new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true } }),
  );
  const ttl = { N: String(account.clock.now() - 3600) };
  for (const sk of ['1', '2', '3']) await dynamodb.send(new PutItemCommand({ TableName, Item: { ...keyOf(sk), ttl } }));
  const query = (more: object) =>
    dynamodb.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :one',
        ExpressionAttributeValues: { ':one': { S: 'one' } },
        ConsistentRead: true,
        ...more,
      }),
    );
  const { Items = [] } = await query({});
  const page = await query({ FilterExpression: 'attribute_exists(nothing)', Limit: 1 });
  const more = page.LastEvaluatedKey === undefined ? 'and is the last' : 'and is not the last';
  return [
    `rows whose time to live ended an hour ago: ${Items.length} of 3 are there`,
    `a page that a filter empties has ${page.Items?.length ?? 0} rows, ${more}`,
  ];
}

async function conditionalPuts(account: Account): Promise<readonly string[]> {
  const { s3, region } = account;
  const Bucket = `curfew-${account.run}-${account.id}`;
  account.undo.note(`bucket ${Bucket}`, () => s3.send(new DeleteBucketCommand({ Bucket })));
  const elsewhere = region === 'us-east-1' ? {} : { LocationConstraint: region as never };
  await s3.send(
    new CreateBucketCommand({ Bucket, CreateBucketConfiguration: region === 'us-east-1' ? undefined : elsewhere }),
  );
  const answers: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const Key = `head-${round}`;
    account.undo.note(`object ${Key}`, () => s3.send(new DeleteObjectCommand({ Bucket, Key })));
    const puts = Array.from({ length: WRITERS }, (_, n) =>
      answerOf(() => s3.send(new PutObjectCommand({ Bucket, Key, Body: String(n), IfNoneMatch: '*' }))),
    );
    answers.push(...(await Promise.all(puts)));
  }
  return [`${WRITERS} conditional puts at once, ${ROUNDS} times: ${tally(answers)}`];
}

export const STORE_CHECKS: readonly AccountCheck[] = [
  { name: 'transactions on the same rows at once', rows: ['dynamodb.conflict'], needs: 'account', look: conflicts },
  { name: 'reads beside a transaction', rows: ['dynamodb.item-by-item'], needs: 'account', look: between },
  {
    name: 'rows that are over, and a page that a filter empties',
    rows: ['dynamodb.expired-there', 'dynamodb.pages'],
    needs: 'account',
    look: pages,
  },
  { name: 'conditional puts of one key at once', rows: ['s3.conflict'], needs: 'account', look: conditionalPuts },
];
