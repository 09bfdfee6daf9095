import { ofType, type Resources, templatesOf } from '../templates';

const { signing, offboarding } = templatesOf('production');

interface Fed {
  readonly consumer: string;
  /** Logical id of the function. */
  readonly id: string;
  readonly mapping: Readonly<Record<string, unknown>>;
}

/** Each stream that feeds a Lambda. */
function fedBy(resources: Resources): Fed[] {
  return ofType(resources, 'AWS::Lambda::EventSourceMapping').map(([, { Properties: mapping }]) => {
    const id = mapping.FunctionName.Ref as string;
    return { consumer: resources[id]?.Properties.Environment.Variables.CURFEW_FUNCTION, id, mapping };
  });
}

const fed = [...fedBy(signing), ...fedBy(offboarding)];

test('the streams and whom they feed', () => {
  expect(fed.map(({ consumer }) => consumer).sort()).toEqual([
    'case-folder',
    'decider',
    'outbox-offboarding',
    'outbox-signing',
    'outbox-signing',
  ]);
});

test.each(fed)('stream.down: what $consumer cannot take is tried until the stream itself ends', ({ mapping }) => {
  // What Lambda does unless it is told otherwise is to try for ever; CloudFormation writes that as -1.
  expect([mapping.MaximumRecordAgeInSeconds ?? -1, mapping.MaximumRetryAttempts ?? -1]).toEqual([-1, -1]);
  expect(mapping.DestinationConfig).toBeUndefined();
  expect(mapping.StartingPosition).toBe('TRIM_HORIZON');
});

test.each(fed)('stream.down: a row that $consumer cannot take keeps no other batch waiting', ({ mapping }) => {
  expect(mapping.BisectBatchOnFunctionError).toBe(true);
});

test.each(fed)('stream.down: somebody is told while the stream still has what $consumer did not take', (source) => {
  const alarms = [signing, offboarding]
    .flatMap((resources) => ofType(resources, 'AWS::CloudWatch::Alarm'))
    .filter(([, { Properties }]) => Properties.AlarmName === `curfew-example-${source.consumer}-StreamAge`);
  expect(alarms.map(([, { Properties }]) => Properties)).toEqual([
    expect.objectContaining({
      Namespace: 'AWS/Lambda',
      MetricName: 'IteratorAge',
      Dimensions: [{ Name: 'FunctionName', Value: { Ref: source.id } }],
      Statistic: 'Maximum',
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: 300_000,
      Period: 300,
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
    }),
  ]);
});

test('each outbox table is swept every quarter of an hour, and a sweep that fails is looked at', () => {
  for (const [resources, id] of [
    [signing, 'FunctionSweeperSigning'],
    [offboarding, 'FunctionSweeperOffboarding'],
  ] as const) {
    const schedules = ofType(resources, 'AWS::Scheduler::Schedule').filter(([, { Properties }]) =>
      JSON.stringify(Properties.Target.Arn).includes(`"${id}"`),
    );
    expect(schedules.map(([, { Properties }]) => Properties)).toMatchObject([
      { ScheduleExpression: 'rate(15 minutes)', State: 'ENABLED', Target: { DeadLetterConfig: {} } },
    ]);
  }
});
