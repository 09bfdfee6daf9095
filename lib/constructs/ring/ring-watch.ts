/**
 * Who watches the rings: a Lambda that puts their figures each minute and counts what is done to signing keys, the alarms
 * on the worst of all rings, and the one on what KMS would not sign. The alarms of a ring stand with the ring.
 */
import { Duration } from 'aws-cdk-lib';
import { type IAlarmAction, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { ErrorCode } from '../../domain/base/errors';
import { METRICS_NAMESPACE } from '../../domain/deployment/metrics';
import { RING_LIMITS } from '../../domain/rings/configuration';
import type { CurfewFunction } from '../functions/curfew-function';
import { DeadLetters } from '../functions/dead-letters';
import { CurfewSchedule } from '../functions/schedule';
import { CurfewAlarm, type RingTimes, WORST_TOO } from '../watch/alarms';
import { TICK_MINUTES_MAX } from './signing-key-ring-base';

/** What a signer logs when KMS would not sign, or when what it signed did not verify. */
const SIGN_ERRORS = [
  'ERR_KEY_DISABLED',
  'ERR_KEY_STATE',
  'ERR_ACCESS_DENIED',
  'ERR_SIGNATURE_ENCODING',
  'ERR_TOKEN_SIGNATURE',
  'ERR_UNAVAILABLE',
] as const satisfies readonly ErrorCode[];

/** Each would let another principal sign, or end a key. CloudTrail reports those that were refused as well. */
const CHANGES_OF_KEYS = ['PutKeyPolicy', 'CreateGrant', 'ScheduleKeyDeletion', 'DisableKey'];

/** Every ring is within these. */
const ANY_RING: RingTimes = {
  periodSeconds: RING_LIMITS.periodSeconds.max,
  tickSeconds: TICK_MINUTES_MAX * 60,
};

/** The figure of the worst of all rings. */
export function ofAnyRing(instance: string, metricName: string): Metric {
  return new Metric({ namespace: METRICS_NAMESPACE, metricName, dimensionsMap: { Instance: instance } });
}

interface WatchProps {
  readonly instance: string;
  readonly watch: CurfewFunction;
  readonly signers: readonly CurfewFunction[];
  readonly actions: readonly IAlarmAction[];
}

export class Watch extends Construct {
  readonly alarms: readonly CurfewAlarm[];

  constructor(scope: Construct, id: string, { instance, watch, signers, actions }: WatchProps) {
    super(scope, id);
    new CurfewSchedule(this, 'EachMinute', {
      target: watch,
      every: ScheduleExpression.rate(Duration.minutes(1)),
      input: {},
    });
    // The default bus, where CloudTrail delivers: it needs a trail of the account that logs management events.
    new Rule(this, 'KeyPolicyPut', {
      description: `curfew ${instance}: somebody changed who may use a key, or ends one`,
      eventPattern: {
        source: ['aws.kms'],
        detailType: ['AWS API Call via CloudTrail'],
        detail: { eventSource: ['kms.amazonaws.com'], eventName: CHANGES_OF_KEYS },
      },
      targets: [
        new LambdaFunction(watch.function, {
          deadLetterQueue: DeadLetters.of(this).queue,
          maxEventAge: Duration.hours(1),
          retryAttempts: 5,
        }),
      ],
    });
    this.alarms = [...this.alarmsOnAnyRing(instance, actions), this.alarmOnSignErrors(instance, signers, actions)];
  }

  private alarmsOnAnyRing(instance: string, actions: readonly IAlarmAction[]): CurfewAlarm[] {
    return WORST_TOO.map(
      (alarm) =>
        new CurfewAlarm(this, alarm, {
          alarm,
          of: `curfew-${instance}`,
          metric: ofAnyRing(instance, alarm),
          times: ANY_RING,
          actions,
          logicalId: `Alarm${alarm}`,
        }),
    );
  }

  /** The name holds the instance: the metric of a filter has no dimension of our own, and instances share an account. */
  private alarmOnSignErrors(
    instance: string,
    signers: readonly CurfewFunction[],
    actions: readonly IAlarmAction[],
  ): CurfewAlarm {
    const metric = { metricNamespace: METRICS_NAMESPACE, metricName: `SignErrors-${instance}` };
    for (const signer of signers)
      new MetricFilter(signer, 'SignErrors', {
        logGroup: signer.logs,
        // Any of these words anywhere in a line: Lambda may wrap ours in a line of its own.
        filterPattern: FilterPattern.anyTerm(...SIGN_ERRORS),
        metricValue: '1',
        ...metric,
      });
    return new CurfewAlarm(this, 'SignErrors', {
      alarm: 'SignErrors',
      of: `curfew-${instance}`,
      metric: new Metric({ namespace: metric.metricNamespace, metricName: metric.metricName }),
      actions,
      logicalId: 'AlarmSignErrors',
    });
  }
}
