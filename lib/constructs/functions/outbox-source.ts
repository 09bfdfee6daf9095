/**
 * Delivers the rows that are put into a table to a Lambda, by the table's stream: `OUT#` rows, written in the same
 * transaction as the change that they tell of, and what an intake took in.
 *
 * Nothing is given up while the stream still has it. Lambda tries a batch until it works or the stream ends it after 24
 * hours (`MaximumRecordAgeInSeconds` and `MaximumRetryAttempts` are left out: infinite), and cuts a batch that fails in
 * two, so that one bad row keeps back its own shard alone. There is no queue for failures: it would take a batch's
 * place in the stream, not its rows, and with neither limit it would stay empty. Whoever must act is told by the alarm
 * on the age of the stream. What the stream did forget still stands in the table, for a sweep to find.
 */
import { Names } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { FunctionName } from '../../domain/deployment/rights';
import { pascal } from '../parts/names';
import { pinLogicalId } from '../parts/stage';
import { CurfewAlarm } from '../watch/alarms';
import type { CurfewFunction } from './curfew-function';

interface Delivery {
  readonly from: readonly ITableV2[];
  readonly to: CurfewFunction;
  readonly name: FunctionName;
  readonly instance: string;
  /**
   * What the sort keys of the rows begin with.
   * @default - every row that is put
   */
  readonly prefix?: string;
  readonly alarmActions: readonly IAlarmAction[];
}

/** @returns the alarm on the age of what is delivered: one for the consumer, however many streams it reads */
export function deliver({ from, to, name, instance, prefix, alarmActions }: Delivery): CurfewAlarm {
  for (const table of from) {
    to.function.addEventSource(
      new DynamoEventSource(table, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 25,
        bisectBatchOnError: true,
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
  return new CurfewAlarm(to, 'StreamAge', {
    alarm: 'StreamAge',
    of: `curfew-${instance}-${name}`,
    metric: to.function.metric('IteratorAge'),
    actions: alarmActions,
    logicalId: `AlarmStreamAge${pascal(name)}`,
  });
}
