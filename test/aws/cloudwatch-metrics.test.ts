import type { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CloudwatchMetrics } from '../../lib/aws/cloudwatch-metrics';

function recording() {
  const sent: PutMetricDataCommand['input'][] = [];
  const send = async ({ input }: PutMetricDataCommand) => sent.push(input);
  return { sent, client: { send } as unknown as CloudWatchClient };
}

test('a figure carries its unit, the instance and the ring', async () => {
  const { sent, client } = recording();
  await new CloudwatchMetrics('example', client).put([{ name: 'FeedAge', value: 7, ring: 'customer-api' }]);
  const Dimensions = [
    { Name: 'Instance', Value: 'example' },
    { Name: 'Ring', Value: 'customer-api' },
  ];
  expect(sent).toEqual([
    { Namespace: 'Curfew', MetricData: [{ MetricName: 'FeedAge', Value: 7, Unit: 'Seconds', Dimensions }] },
  ]);
});

test('a figure of the instance is of no ring', async () => {
  const { sent, client } = recording();
  await new CloudwatchMetrics('example', client).put([{ name: 'StandbyKeys', value: 2 }]);
  expect(sent[0]?.MetricData?.[0]?.Dimensions).toEqual([{ Name: 'Instance', Value: 'example' }]);
});

test('no call carries more than CloudWatch takes, and none is made for nothing', async () => {
  const { sent, client } = recording();
  const metrics = new CloudwatchMetrics('example', client);
  await metrics.put([]);
  await metrics.put(
    Array.from({ length: 2001 }, (_, n) => ({ name: 'StandbyKeys' as const, value: n, ring: `ring-${n}` })),
  );
  expect(sent.map(({ MetricData }) => MetricData?.length)).toEqual([1000, 1000, 1]);
});
