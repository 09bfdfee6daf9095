/** CloudWatch in memory: keeps every figure, in order. */
import type { Metric, Metrics } from '../ports';

export class MemoryMetrics implements Metrics {
  readonly kept: Metric[] = [];

  async put(metrics: readonly Metric[]): Promise<void> {
    this.kept.push(...metrics);
  }
}
