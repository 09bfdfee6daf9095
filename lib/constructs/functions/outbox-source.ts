/**
 * Delivers the `OUT#` items of a table to a Lambda: what was written in the same transaction as the change it tells of.
 * A batch is retried until it works or is an hour old; then its place in the stream goes to the dead letter queue,
 * and the items themselves still stand in the table.
 */
import { Duration, Names } from 'aws-cdk-lib';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { pinLogicalId } from '../parts/stage';
import type { CurfewFunction } from './curfew-function';
import { DeadLetters } from './dead-letters';

export function deliver(table: ITableV2, to: CurfewFunction, prefix?: string): void {
  to.function.addEventSource(
    new DynamoEventSource(table, {
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 25,
      bisectBatchOnError: true,
      retryAttempts: 20,
      maxRecordAge: Duration.hours(1),
      onFailure: new SqsDlq(DeadLetters.of(to).queue),
      filters: [
        FilterCriteria.filter({
          eventName: FilterRule.isEqual('INSERT'),
          ...(prefix && { dynamodb: { Keys: { sk: { S: FilterRule.beginsWith(prefix) } } } }),
        }),
      ],
    }),
  );
  // A stream has one mapping to a function: one more "already exists".
  pinLogicalId(
    to.function.node.findChild(`DynamoDBEventSource:${Names.nodeUniqueId(table.node)}`),
    `Stream${table.node.id.replace(/Table$/, '')}To${to.node.id}`,
  );
}
