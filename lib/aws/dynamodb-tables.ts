/**
 * Tables on DynamoDB. Reads are strongly consistent.
 *
 * Every write is a TransactWriteItems, even of one item: its client token makes the SDK's own retries harmless, where
 * a retried conditional PutItem would be refused by what it wrote itself.
 */
import {
  type CancellationReason,
  DynamoDBClient,
  ScanCommand,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, QueryCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { CurfewError } from '../domain/base/errors';
import { paceOf } from '../domain/deployment/time-outs';
import type { Row, RowKey, TableName, Write } from '../domain/store/table';
import { checkTransaction, conditionFailed } from '../domain/store/transaction';
import type { Query, Rows, Scan } from '../ports';
import { clientSettings } from './client-settings';
import { toTransactItem } from './dynamodb-expressions';
import { type Image, rowOf } from './dynamodb-stream';
import { awsError, calling } from './errors';
import { jitter, type Pause, pause } from './pause';

export { DynamoDBClient };

/** Two transactions met on one row, or the table was busy: nothing was written, so trying again is safe. */
const RETRIED_REASONS = new Set([
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
]);
const PAUSE_MILLISECONDS = { base: 20, longest: 500 };

export class DynamodbTables implements Rows {
  private readonly documents: DynamoDBDocumentClient;

  constructor(
    private readonly tableName: (table: TableName) => string,
    private readonly client = new DynamoDBClient(clientSettings()),
    private readonly conflictSeconds = paceOf().conflictSeconds,
    private readonly wait: Pause = pause,
  ) {
    this.documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  }

  async get(table: TableName, { pk, sk }: RowKey): Promise<Row | undefined> {
    const input = { TableName: this.tableName(table), Key: { pk, sk }, ConsistentRead: true };
    const { Item } = await calling(`get ${table}`, () => this.documents.send(new GetCommand(input)));
    return Item as Row | undefined;
  }

  async query({ table, pk, prefix, descending, limit }: Query<TableName>): Promise<Row[]> {
    const items: Row[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const page = new QueryCommand({
        TableName: this.tableName(table),
        KeyConditionExpression: prefix ? 'pk = :pk AND begins_with(sk, :prefix)' : 'pk = :pk',
        ExpressionAttributeValues: prefix ? { ':pk': pk, ':prefix': prefix } : { ':pk': pk },
        ConsistentRead: true,
        ScanIndexForward: !descending,
        Limit: limit === undefined ? undefined : limit - items.length,
        ExclusiveStartKey: from,
      });
      const { Items, LastEvaluatedKey } = await calling(`query ${table}`, () => this.documents.send(page));
      items.push(...((Items ?? []) as Row[]));
      from = LastEvaluatedKey;
    } while (from && (limit === undefined || items.length < limit));
    return items;
  }

  /**
   * Asked below the document client, which gives a whole page up for one number that JavaScript cannot hold. The prefix is
   * looked at here: what DynamoDB takes in a filter over key attributes is not the same everywhere, and costs as much.
   */
  async scan({ table, prefix, segment, segments, after }: Scan<TableName>) {
    const page = new ScanCommand({
      TableName: this.tableName(table),
      Segment: segment,
      TotalSegments: segments,
      ...(after && { ExclusiveStartKey: { pk: { S: after.pk }, sk: { S: after.sk } } }),
    });
    const { Items = [], LastEvaluatedKey } = await calling(`scan ${table}`, () => this.client.send(page));
    const images = (Items as readonly Image[]).filter(({ sk }) => sk && 'S' in sk && sk.S.startsWith(prefix));
    const { pk, sk } = LastEvaluatedKey ?? {};
    return {
      rows: images.map(rowOf),
      ...(pk?.S !== undefined && sk?.S !== undefined && { next: { pk: pk.S, sk: sk.S } }),
    };
  }

  async transact(writes: readonly Write[]): Promise<void> {
    checkTransaction(writes);
    const TransactItems = writes.map((write) => toTransactItem(write, this.tableName(write.table)));
    for (let attempt = 1, waited = 0; ; attempt++) {
      try {
        await this.documents.send(new TransactWriteCommand({ TransactItems }));
        return;
      } catch (error) {
        const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
        const refused = reasons.findIndex(({ Code }) => Code === 'ConditionalCheckFailed');
        const write = writes[refused];
        if (write) throw conditionFailed(refused, write, error);
        if (!mayRetry(reasons)) throw asRefusal(error, reasons);
        const milliseconds = 1 + jitter(attempt, PAUSE_MILLISECONDS.base, PAUSE_MILLISECONDS.longest);
        waited += milliseconds;
        if (waited > this.conflictSeconds * 1000) throw outOfTime(error, reasons, attempt, this.conflictSeconds);
        await this.wait(milliseconds);
      }
    }
  }
}

function mayRetry(reasons: readonly CancellationReason[]): boolean {
  return reasons.some(({ Code }) => RETRIED_REASONS.has(Code ?? ''));
}

/** Of one write alone, and as final there as a ValidationException of the whole: it will not be taken another time. */
const FINAL_REASONS = new Set(['ValidationError', 'ItemCollectionSizeLimitExceeded']);

/** A cancellation says why per write. */
function asRefusal(error: unknown, reasons: readonly CancellationReason[]): CurfewError {
  const invalid = reasons.some(({ Code }) => FINAL_REASONS.has(Code ?? ''));
  return awsError('transact', error, invalid ? { TransactionCanceledException: 'ERR_INPUT_INVALID' } : {});
}

function outOfTime(
  error: unknown,
  reasons: readonly CancellationReason[],
  attempts: number,
  seconds: number,
): CurfewError {
  const got = reasons.map(({ Code }) => Code);
  const message = `the transaction met others ${attempts} times within ${seconds} s; nothing was written`;
  return new CurfewError('ERR_UNAVAILABLE', message, { got, fix: 'ask again: its rows are busy', cause: error });
}
