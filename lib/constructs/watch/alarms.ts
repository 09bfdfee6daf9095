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
import type { CaseMetricName, MetricName } from '../../domain/deployment/metrics';
import { pinLogicalId } from '../parts/stage';

/** What the threshold of a ring's alarm depends on. */
export interface RingTimes {
  readonly periodSeconds: number;
  /** How often the rotator asks what is due. */
  readonly tickSeconds: number;
}

/**
 * What it means that no figure comes. CloudWatch judges an alarm as soon as it exists, and a new deployment has no
 * figures for its first minutes: were each missing one bad, every first deployment would page somebody.
 *
 * - `unknown`: the alarm stays as it is, and a new one without a state. That the watch stopped, WatchSilent says.
 * - `told`: it has no state then, and whoever is told of alarms is told that too, unless it never had one. For one
 *   figure of a ring, because they come together or not at all: what stopped may be the figures of that ring alone.
 * - `alarm`: it goes off. WatchSilent alone, which is made after the first births: by then the watch has put figures.
 * - `fine`: it is a figure of events, which mostly do not happen.
 */
type WhenMissing = 'unknown' | 'told' | 'alarm' | 'fine';

const TREATED: Readonly<Record<WhenMissing, TreatMissingData>> = {
  // Not MISSING, where a first figure that is bad would be enough, however many minutes in a row the row asks for.
  unknown: TreatMissingData.IGNORE,
  told: TreatMissingData.MISSING,
  alarm: TreatMissingData.BREACHING,
  fine: TreatMissingData.NOT_BREACHING,
};

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
  /** Compared is how many figures came, not what they say. */
  readonly counts?: true;
  readonly missing: WhenMissing;
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
    missing: 'unknown',
  },
  StandbyKeys: {
    means: 'fewer than two keys stand by, and a tick did not bring them back',
    below: 2,
    minutes: ({ tickSeconds }) => tickSeconds / 60 + BIRTH_MINUTES,
    missing: 'unknown',
  },
  RotationOverdue: {
    means: 'a rotation is late by more than three ticks',
    above: ({ tickSeconds }) => 3 * tickSeconds,
    minutes: AT_ONCE,
    missing: 'unknown',
    worstToo: true,
  },
  FeedAge: {
    means: 'the feed that verifiers read was signed more than two minutes ago',
    above: () => 120,
    minutes: AT_ONCE,
    missing: 'told',
    worstToo: true,
  },
  WatchSilent: {
    means: 'no figure of any ring came for three minutes: nobody watches',
    below: 1,
    counts: true,
    // A schedule may be a minute late, so two figures stand two minutes apart in ordinary use.
    minutes: () => 3,
    missing: 'alarm',
  },
  KeyPolicyDrift: {
    means: 'a key policy, as read back, is not the one that was written',
    above: () => 0,
    minutes: AT_ONCE,
    missing: 'unknown',
    worstToo: true,
  },
  InspectionAge: {
    means: 'the rotator has finished no whole tick for longer than three: what is due is not done, no key is read back',
    above: ({ tickSeconds }) => 3 * tickSeconds,
    minutes: AT_ONCE,
    missing: 'unknown',
    worstToo: true,
  },
  UndisabledKeys: {
    means: 'a key that must not sign any more is enabled in KMS, and could not be disabled',
    above: () => 0,
    minutes: AT_ONCE,
    missing: 'unknown',
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
  HeldCases: {
    means: 'a departure is contained, and what cannot be undone waits for two approvers',
    above: () => 0,
    minutes: AT_ONCE,
    missing: 'unknown',
  },
  WaitingCases: {
    means: 'somebody has left and is not contained: nothing was ever imported about them',
    above: () => 0,
    minutes: AT_ONCE,
    missing: 'unknown',
  },
  OpenCaseAge: {
    means: 'a case has been open for more than an hour, and waits for nobody',
    above: () => 3600,
    minutes: AT_ONCE,
    missing: 'unknown',
  },
  RecheckAge: {
    means: 'what was shut could not be looked at again for a quarter of an hour: it may be open, and nobody would know',
    above: () => 900,
    minutes: AT_ONCE,
    missing: 'unknown',
  },
  RecordUnreadable: {
    means: 'a row of an outbox could not be read: a record is missing from the evidence log, and another says so',
    above: () => 0,
    minutes: EVENT,
    missing: 'fine',
  },
  DeadLetters: {
    means: 'something was not delivered, or failed twice, and waits in the dead letter queue',
    above: () => 0,
    minutes: EVENT,
    missing: 'fine',
  },
} as const satisfies Record<MetricName | CaseMetricName, AlarmRow> & Record<string, AlarmRow>;
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
    const { means, above, below, counts, minutes, figureMinutes = 1, missing }: AlarmRow = ALARMS[alarm];
    const worst = below === undefined ? Stats.MAXIMUM : Stats.MINIMUM;
    const ring = times ?? { periodSeconds: 0, tickSeconds: 0 };
    super(scope, id, {
      alarmName: `${of}-${alarm}`,
      alarmDescription: `${of}: ${means}; run-book: ${runBookOf(alarm)}`,
      metric: metric.with({
        period: Duration.minutes(figureMinutes),
        statistic: counts ? Stats.SAMPLE_COUNT : worst,
      }),
      comparisonOperator:
        below === undefined ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: below ?? above?.(ring) ?? 0,
      evaluationPeriods: minutes(ring),
      treatMissingData: TREATED[missing],
    });
    this.byName = Alarm.fromAlarmName(this, 'ByName', `${of}-${alarm}`);
    // Its name is fixed, so a second resource for it cannot be made beside the first.
    if (logicalId) pinLogicalId(this, logicalId);
    for (const action of actions ?? []) {
      this.addAlarmAction(action);
      this.addOkAction(action);
      if (missing === 'told') this.addInsufficientDataAction(action);
    }
  }
}
