import { CloudWatchClient, type PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CloudwatchMetrics } from '../../lib/aws/cloudwatch-metrics';
import { answering, inFrozenTime } from './answering';

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

test('figures that CloudWatch did not take are put again, and are an error when it stays', async () => {
  const busy = { status: 500, headers: { 'x-amzn-query-error': 'InternalServiceFault;Receiver' } };
  const metrics = (config: object) => new CloudwatchMetrics('example', new CloudWatchClient(config));
  const passing = answering((_, n) => (n < 3 ? busy : { headers: { 'smithy-protocol': 'rpc-v2-cbor' } }), 'watch');
  const figure = [{ name: 'StandbyKeys', value: 2 }] as const;
  expect((await inFrozenTime(() => metrics(passing.config).put(figure))).error).toBeUndefined();
  expect(passing.asked).toHaveLength(3);
  const lasting = answering(() => busy, 'watch');
  expect((await inFrozenTime(() => metrics(lasting.config).put(figure))).error).toMatchObject({
    code: 'ERR_UNAVAILABLE',
  });
  expect(lasting.asked).toHaveLength(5);
});
