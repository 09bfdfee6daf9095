/**
 * Every alarm there is, in one table: what it watches, from where on and for how long, and what it means. The alarms,
 * the dashboard and docs/runbook.md are made from it, or checked against it.
 */
import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IAlarm,
  type IAlarmAction,
  type Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { MetricName } from '../../domain/deployment/metrics';
import { pinLogicalId } from '../parts/stage';

/** What the threshold of a ring's alarm depends on. */
export interface RingTimes {
  readonly periodSeconds: number;
  /** How often the rotator asks what is due. */
  readonly tickSeconds: number;
}

interface AlarmRow {
  /**
   * Of a ring, and once more of the worst of all rings. That one stands with the plane: it sees a ring whose construct
   * was taken out while its keys can still sign.
   */
  readonly worstToo?: true;
  readonly means: string;
  /** Above it, or below it, is an alarm. */
  readonly above?: (ring: RingTimes) => number;
  readonly below?: number;
  /** Minutes in a row: fewer wake people for what the next tick repairs. */
  readonly minutes: (ring: RingTimes) => number;
  /**
   * How many minutes one figure stands for.
   * @default 1
   */
  readonly figureMinutes?: number;
  /** A figure that is put each minute and does not come is an alarm too: the watch has stopped. */
  readonly missing: 'alarm' | 'fine';
}

/** One missing minute is a matter of when within it the watch ran; two are not. */
const AT_ONCE = () => 2;
const EVENT = () => 1;
/** Longer than a birth: CreateKey, a JWKS that is served, the next tick. */
const BIRTH_MINUTES = 5;

export const ALARMS = {
  ActiveKeyAge: {
    means: 'the ACTIVE key has been signing for longer than its period and a tenth',
    above: ({ periodSeconds }) => periodSeconds + Math.ceil(periodSeconds / 10),
    minutes: AT_ONCE,
    missing: 'alarm',
  },
  StandbyKeys: {
    means: 'fewer than two keys stand by, and a tick did not bring them back',
    below: 2,
    minutes: ({ tickSeconds }) => tickSeconds / 60 + BIRTH_MINUTES,
    missing: 'alarm',
  },
  RotationOverdue: {
    means: 'a rotation is late by more than three ticks',
    above: ({ tickSeconds }) => 3 * tickSeconds,
    minutes: AT_ONCE,
    missing: 'alarm',
    worstToo: true,
  },
  FeedAge: {
    means: 'the feed that verifiers read was signed more than two minutes ago',
    above: () => 120,
    minutes: AT_ONCE,
    missing: 'alarm',
    worstToo: true,
  },
  KeyPolicyDrift: {
    means: 'a key policy, as read back, is not the one that was written',
    above: () => 0,
    minutes: AT_ONCE,
    missing: 'alarm',
    worstToo: true,
  },
  InspectionAge: {
    means: 'the rotator has finished no whole tick for longer than three: what is due is not done, no key is read back',
    above: ({ tickSeconds }) => 3 * tickSeconds,
    minutes: AT_ONCE,
    missing: 'alarm',
    worstToo: true,
  },
  UndisabledKeys: {
    means: 'a key that must not sign any more is enabled in KMS, and could not be disabled',
    above: () => 0,
    minutes: AT_ONCE,
    missing: 'alarm',
    worstToo: true,
  },
  KeyPolicyPuts: {
    means: 'somebody else changed, or tried to, who may use a signing key, or ends one',
    above: () => 0,
    minutes: EVENT,
    missing: 'fine',
    worstToo: true,
  },
  SignErrors: {
    means: 'KMS did not sign, or signed what did not verify',
    above: () => 0,
    minutes: EVENT,
    missing: 'fine',
  },
  StreamAge: {
    means: 'a row has waited in a stream for more than five minutes: what carries it on fails, or cannot run',
    // Lambda puts it in milliseconds, at each try. The stream forgets after 24 hours, so there is most of a day to act.
    above: () => 300_000,
    minutes: EVENT,
    // Between two tries of a batch that fails Lambda waits, and puts no figure: a minute without one is not an end.
    figureMinutes: 5,
    missing: 'fine',
  },
  DeadLetters: {
    means: 'something was not delivered, or failed twice, and waits in the dead letter queue',
    above: () => 0,
    minutes: EVENT,
    missing: 'fine',
  },
} as const satisfies Record<MetricName, AlarmRow> & Record<string, AlarmRow>;
export type AlarmName = keyof typeof ALARMS;

export const WORST_TOO = (Object.keys(ALARMS) as AlarmName[]).filter((name) => 'worstToo' in ALARMS[name]);

/** Each alarm has a section of its own name there. */
export function runBookOf(name: AlarmName): string {
  return `docs/runbook.md#${name.toLowerCase()}`;
}

interface CurfewAlarmProps {
  readonly alarm: AlarmName;
  /** What stands before the alarm's name in its own: the instance and the ring, or the stack. */
  readonly of: string;
  readonly metric: Metric;
  /** @default - the alarm is that of no ring */
  readonly times?: RingTimes;
  /** @default - none: it is seen on the dashboard, and by `curfew doctor` */
  readonly actions?: readonly IAlarmAction[];
  /** @default - CDK's: the alarm moves with its construct */
  readonly logicalId?: string;
}

export class CurfewAlarm extends Alarm {
  /** Not by reference: it may stand in a stack that depends on that of the dashboard already. */
  readonly byName: IAlarm;

  constructor(scope: Construct, id: string, { alarm, of, metric, times, actions, logicalId }: CurfewAlarmProps) {
    const { means, above, below, minutes, figureMinutes = 1, missing }: AlarmRow = ALARMS[alarm];
    const ring = times ?? { periodSeconds: 0, tickSeconds: 0 };
    super(scope, id, {
      alarmName: `${of}-${alarm}`,
      alarmDescription: `${of}: ${means}; run-book: ${runBookOf(alarm)}`,
      metric: metric.with({
        period: Duration.minutes(figureMinutes),
        statistic: below === undefined ? Stats.MAXIMUM : Stats.MINIMUM,
      }),
      comparisonOperator:
        below === undefined ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: below ?? above?.(ring) ?? 0,
      evaluationPeriods: minutes(ring),
      treatMissingData: missing === 'alarm' ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    this.byName = Alarm.fromAlarmName(this, 'ByName', `${of}-${alarm}`);
    // Its name is fixed, so a second resource for it cannot be made beside the first.
    if (logicalId) pinLogicalId(this, logicalId);
    for (const action of actions ?? []) {
      this.addAlarmAction(action);
      this.addOkAction(action);
    }
  }
}
