/** One page per instance: how issuing goes, and a row per ring with its figures and the states of its alarms. */
import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { pinLogicalId } from '../parts/stage';
import type { CurfewAlarm } from '../watch/alarms';
import type { RingAlarms } from './ring-alarms';
import type { ISigningKeyRing } from './signing-key-ring-base';

/** Of the 24 columns that a dashboard has. */
const QUARTER = 6;
const HEIGHT = 6;
const MINUTE = Duration.minutes(1);

interface CurfewDashboardProps {
  readonly instance: string;
  /** What the services ask of the plane, by the name under which it is drawn. */
  readonly functions: Readonly<Record<string, IFunction>>;
}

export class CurfewDashboard extends Construct {
  readonly dashboard: Dashboard;
  /** Those of no ring. The widget that has them reads them at synth. */
  private readonly alarms: IAlarm[] = [];

  constructor(scope: Construct, id: string, { instance, functions }: CurfewDashboardProps) {
    super(scope, id);
    this.dashboard = new Dashboard(this, 'Dashboard', { dashboardName: `curfew-${instance}` });
    pinLogicalId(this.dashboard, 'DashboardSigning');
    const labels = Object.entries(functions);
    this.dashboard.addWidgets(
      graph(
        'calls',
        labels.map(([label, fn]) => fn.metricInvocations({ label, period: MINUTE })),
      ),
      graph(
        'errors',
        labels.map(([label, fn]) => fn.metricErrors({ label, period: MINUTE })),
      ),
      graph(
        '99 of 100 within',
        labels.map(([label, fn]) => fn.metricDuration({ label, period: MINUTE, statistic: Stats.p(99) })),
      ),
      states(instance, this.alarms),
    );
  }

  addAlarm(alarm: CurfewAlarm): void {
    // Constructs that stand in one stack share its dead letters.
    if (!this.alarms.includes(alarm.byName)) this.alarms.push(alarm.byName);
  }

  addRing(ring: ISigningKeyRing, { all }: RingAlarms): void {
    this.dashboard.addWidgets(
      graph(`${ring.ringId}: ACTIVE key, seconds`, [ring.metricActiveKeyAge(), ring.metricRotationOverdue()]),
      graph(`${ring.ringId}: seconds since the feed was signed, and the keys read back`, [
        ring.metricFeedAge(),
        ring.metricInspectionAge(),
      ]),
      graph(`${ring.ringId}: keys`, [
        ring.metricStandbyKeys(),
        ring.metricKeyPolicyDrift(),
        ring.metricUndisabledKeys(),
        ring.metricKeyPolicyPuts(),
      ]),
      states(
        ring.ringId,
        all.map((alarm) => alarm.byName),
      ),
    );
  }
}

function states(of: string, alarms: IAlarm[]): AlarmStatusWidget {
  return new AlarmStatusWidget({ title: `${of}: alarms`, alarms, width: QUARTER, height: HEIGHT });
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: QUARTER, height: HEIGHT, leftYAxis: { min: 0 } });
}
