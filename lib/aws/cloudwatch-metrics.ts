/** Figures as CloudWatch custom metrics: namespace Curfew, dimension Instance, and Ring where they are of one. */
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CASE_METRICS, METRICS, METRICS_NAMESPACE } from '../domain/deployment/metrics';
import type { Metric, Metrics } from '../ports';
import { clientSettings } from './client-settings';
import { calling } from './errors';

export { CloudWatchClient };

const UNITS = { ...METRICS, ...CASE_METRICS };

/** PutMetricData takes a thousand; a ring has fewer than ten. */
const FIGURES_MAX = 1000;

export class CloudwatchMetrics implements Metrics {
  constructor(
    private readonly instance: string,
    private readonly client: CloudWatchClient = new CloudWatchClient(clientSettings()),
  ) {}

  async put(metrics: readonly Metric[]): Promise<void> {
    for (let from = 0; from < metrics.length; from += FIGURES_MAX) {
      const MetricData = metrics.slice(from, from + FIGURES_MAX).map(({ name, value, ring }) => ({
        MetricName: name,
        Value: value,
        Unit: UNITS[name].unit,
        Dimensions: [
          { Name: 'Instance', Value: this.instance },
          ...(ring === undefined ? [] : [{ Name: 'Ring', Value: ring }]),
        ],
      }));
      const request = new PutMetricDataCommand({ Namespace: METRICS_NAMESPACE, MetricData });
      await calling('put figures', () => this.client.send(request));
    }
  }
}
