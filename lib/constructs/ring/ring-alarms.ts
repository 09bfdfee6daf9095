/** The alarms of one ring. */
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct, type IConstruct } from 'constructs';
import { METRICS, type MetricName } from '../../domain/deployment/metrics';
import { CurfewAlarm, type RingTimes } from '../watch/alarms';
import type { SigningKeyRingBase } from './signing-key-ring-base';

/** Nothing stands by in a ring that closed. */
const NOT_WHILE_CLOSING: readonly MetricName[] = ['StandbyKeys'];

interface RingAlarmsProps {
  readonly ring: SigningKeyRingBase;
  readonly instance: string;
  /** Done when the ring is born. */
  readonly born: IConstruct;
  readonly times: RingTimes;
  readonly closing: boolean;
  readonly actions: readonly IAlarmAction[];
  /** What the logical ids begin with. */
  readonly logicalId?: string;
}

export class RingAlarms extends Construct {
  readonly all: readonly CurfewAlarm[];

  constructor(
    scope: Construct,
    id: string,
    { ring, instance, born, times, closing, actions, logicalId }: RingAlarmsProps,
  ) {
    super(scope, id);
    const names = (Object.keys(METRICS) as MetricName[]).filter(
      (name) => !closing || !NOT_WHILE_CLOSING.includes(name),
    );
    this.all = names.map(
      (alarm) =>
        new CurfewAlarm(this, alarm, {
          alarm,
          of: `curfew-${instance}-${ring.ringId}`,
          metric: ring.metric(alarm),
          times,
          actions,
          logicalId: logicalId && `${logicalId}${alarm}`,
        }),
    );
    // While the ring is born its figures mean nothing yet.
    this.node.addDependency(born);
  }
}
