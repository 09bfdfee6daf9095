/**
 * Counts what the outboxes could not read, from their logs, and one alarm for all of them: a record is missing from the
 * evidence log then, which nothing else would say before an auditor does.
 */
import { type IAlarmAction, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { ErrorCode } from '../../domain/base/errors';
import { METRICS_NAMESPACE } from '../../domain/deployment/metrics';
import { CurfewAlarm } from '../watch/alarms';
import type { CurfewFunction } from './curfew-function';

/** The second one: a row of the log itself, which a sweeper asks for a record. */
const UNREADABLE = ['ERR_RECORD_UNREADABLE', 'ERR_ITEM_INVALID'] as const satisfies readonly ErrorCode[];

/** The name holds the instance: the metric of a filter has no dimension of our own, and instances share an account. */
function metricOf(instance: string) {
  return { metricNamespace: METRICS_NAMESPACE, metricName: `RecordUnreadable-${instance}` };
}

/** Of an outbox in any stack: they all count into one metric. */
export function countUnreadable(outbox: CurfewFunction, instance: string): void {
  new MetricFilter(outbox, 'Unreadable', {
    logGroup: outbox.logs,
    // One of the words anywhere in a line: Lambda may wrap ours in a line of its own.
    filterPattern: FilterPattern.anyTerm(...UNREADABLE),
    metricValue: '1',
    ...metricOf(instance),
  });
}

export function alarmOnUnreadable(
  outbox: CurfewFunction,
  instance: string,
  actions: readonly IAlarmAction[],
): CurfewAlarm {
  countUnreadable(outbox, instance);
  const { metricNamespace: namespace, metricName } = metricOf(instance);
  return new CurfewAlarm(outbox, 'RecordUnreadable', {
    alarm: 'RecordUnreadable',
    of: `curfew-${instance}`,
    metric: new Metric({ namespace, metricName }),
    actions,
    logicalId: 'AlarmRecordUnreadable',
  });
}
