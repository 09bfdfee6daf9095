import { Duration, Stack } from 'aws-cdk-lib';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { SigningKeyRing } from '../../../lib/constructs/ring/signing-key-ring';
import { ALARMS, type AlarmName, runBookOf } from '../../../lib/constructs/watch/alarms';
import { alarmNames } from '../../../lib/domain/deployment/alarm-names';
import { CASE_METRICS, METRICS } from '../../../lib/domain/deployment/metrics';
import type { RecordType } from '../../../lib/domain/evidence/record';
import { synthesise } from '../synthesised';
import { ofType, type Resources } from '../templates';

const RING = {
  id: 'customer-api',
  issuer: 'https://login.example.com/customer-api',
  audience: 'https://api.example.com',
  rotationCheckMinutes: 10,
  periodDays: 10,
};
const { evidence, signing, offboarding, stacks } = synthesise('production', { rings: [RING] });
const all: Resources = { ...evidence, ...signing, ...offboarding };

/** Of the worst ring there is, whether its construct still stands or not. */
const ANY_RING = ['RotationOverdue', 'FeedAge', 'KeyPolicyDrift', 'InspectionAge', 'UndisabledKeys', 'KeyPolicyPuts'];
const alarmsOf = (resources: Resources) =>
  ofType(resources, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
const alarm = (name: string) => {
  const [found, ...more] = alarmsOf(signing).filter(({ AlarmName }) => AlarmName === `curfew-example-${name}`);
  if (!found || more.length > 0) throw new Error(`not one alarm ${name}`);
  return found;
};

test('every alarm of the table is there, and no other', () => {
  const expected = [
    ...Object.keys(METRICS).map((name) => `curfew-example-customer-api-${name}`),
    ...ANY_RING.map((name) => `curfew-example-${name}`),
    ...Object.keys(CASE_METRICS).map((name) => `curfew-example-${name}`),
    'curfew-example-SignErrors',
    'curfew-example-RecordUnreadable',
    'curfew-example-WatchSilent',
    ...['outbox-signing', 'case-folder', 'decider', 'outbox-offboarding'].map(
      (name) => `curfew-example-${name}-StreamAge`,
    ),
    ...['evidence', 'signing', 'offboarding'].map((stack) => `curfew-example-${stack}-DeadLetters`),
  ];
  const made = [evidence, signing, offboarding].flatMap(alarmsOf).map(({ AlarmName }) => AlarmName);
  expect(made.sort()).toEqual(expected.sort());
  const kinds = new Set(made.map((name: string) => name.split('-').at(-1)));
  expect([...kinds].sort()).toEqual(Object.keys(ALARMS).sort());
});

test.each([
  // [name, threshold, comparison, statistic, minutes in a row, what a missing figure is]
  ['ActiveKeyAge', 950_400, 'GreaterThanThreshold', 'Maximum', 2, 'ignore'],
  ['StandbyKeys', 2, 'LessThanThreshold', 'Minimum', 15, 'ignore'],
  ['RotationOverdue', 1800, 'GreaterThanThreshold', 'Maximum', 2, 'ignore'],
  ['FeedAge', 120, 'GreaterThanThreshold', 'Maximum', 2, 'missing'],
  ['KeyPolicyDrift', 0, 'GreaterThanThreshold', 'Maximum', 2, 'ignore'],
  ['InspectionAge', 1800, 'GreaterThanThreshold', 'Maximum', 2, 'ignore'],
  ['UndisabledKeys', 0, 'GreaterThanThreshold', 'Maximum', 2, 'ignore'],
  ['KeyPolicyPuts', 0, 'GreaterThanThreshold', 'Maximum', 1, 'notBreaching'],
])('%s of a ring', (name, Threshold, ComparisonOperator, Statistic, EvaluationPeriods, TreatMissingData) => {
  expect(alarm(`customer-api-${name}`)).toMatchObject({
    Namespace: 'Curfew',
    MetricName: name,
    Dimensions: [
      { Name: 'Instance', Value: 'example' },
      { Name: 'Ring', Value: 'customer-api' },
    ],
    Period: 60,
    Threshold,
    ComparisonOperator,
    Statistic,
    EvaluationPeriods,
    TreatMissingData,
  });
});

test.each([
  // [name, threshold: that of a ring which is asked once an hour, what a missing figure is]
  ['RotationOverdue', 10_800, 'ignore'],
  ['FeedAge', 120, 'missing'],
  ['KeyPolicyDrift', 0, 'ignore'],
  ['InspectionAge', 10_800, 'ignore'],
  ['UndisabledKeys', 0, 'ignore'],
  ['KeyPolicyPuts', 0, 'notBreaching'],
])('%s of the worst ring of the instance', (name, Threshold, TreatMissingData) => {
  expect(alarm(name)).toMatchObject({
    Namespace: 'Curfew',
    MetricName: name,
    Dimensions: [{ Name: 'Instance', Value: 'example' }],
    Period: 60,
    Threshold,
    ComparisonOperator: 'GreaterThanThreshold',
    Statistic: 'Maximum',
    TreatMissingData,
  });
});

test('a ring that is taken out at once is watched still', () => {
  const { signing: without } = synthesise('production', { rings: [{ ...RING, id: 'partners' }] });
  expect(alarmsOf(without).map(({ AlarmName }) => AlarmName)).toEqual(
    expect.arrayContaining(ANY_RING.map((name) => `curfew-example-${name}`)),
  );
});

test('an alarm says what it means, and where the run-book is', () => {
  for (const { AlarmName, AlarmDescription } of [evidence, signing, offboarding].flatMap(alarmsOf)) {
    const name = AlarmName.split('-').at(-1) as AlarmName;
    expect(AlarmDescription).toContain(ALARMS[name].means);
    expect(AlarmDescription.endsWith(`; run-book: ${runBookOf(name)}`)).toBe(true);
  }
  expect(runBookOf('ActiveKeyAge')).toBe('docs/runbook.md#activekeyage');
});

test('every alarm tells the topic, and that it is over; without a topic all are silent', () => {
  const topic = 'arn:aws:sns:us-east-1:111122223333:pager';
  const told = synthesise('production', { alarmTopicArn: topic });
  for (const made of [told.evidence, told.signing, told.offboarding].flatMap(alarmsOf))
    expect([made.AlarmName, made.AlarmActions, made.OKActions]).toEqual([made.AlarmName, [topic], [topic]]);
  for (const made of Object.values(all).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm'))
    expect(made.Properties.AlarmActions).toBeUndefined();
});

test.each([false, true])(
  'the names that the doctor looks for are those of the stacks; the ring closing: %s',
  (closing) => {
    const made = synthesise('production', { rings: [{ ...RING, closing }] });
    const names = [made.evidence, made.signing, made.offboarding].flatMap(alarmsOf).map(({ AlarmName }) => AlarmName);
    const named = alarmNames('example', ['evidence', 'signing', 'offboarding'], [{ id: RING.id, closing }]);
    expect(named.sort()).toEqual(names.sort());
  },
);

test('a ring may have others told', () => {
  const { plane } = synthesise('trial').stacks.signing;
  const ring = new SigningKeyRing(Stack.of(plane), 'Partners', {
    plane,
    ringId: 'partners',
    issuer: 'https://login.example.com/partners',
    audience: 'partners',
    rotationSchedule: ScheduleExpression.rate(Duration.minutes(5)),
    alarmActions: [{ bind: () => ({ alarmActionArn: 'arn:aws:sns:us-east-1:111122223333:partners' }) }],
  });
  for (const { alarmActionArns } of ring.alarms.all as never as { alarmActionArns: string[] }[])
    expect(alarmActionArns).toEqual(['arn:aws:sns:us-east-1:111122223333:partners']);
});

test('nothing stands by in a ring that closes, and nobody is told so', () => {
  const { signing: closing } = synthesise('production', { rings: [{ ...RING, closing: true }] });
  const names = alarmsOf(closing).map(({ MetricName }) => MetricName);
  expect(names).not.toContain('StandbyKeys');
  expect(names).toContain('FeedAge');
});

describe('the watch', () => {
  const watch = ofType(signing, 'AWS::Lambda::Function').find(
    ([, { Properties }]) => Properties.Environment.Variables.CURFEW_FUNCTION === 'watch',
  );
  const target = { 'Fn::GetAtt': [watch?.[0], 'Arn'] };

  test('is asked each minute', () => {
    const schedules = ofType(signing, 'AWS::Scheduler::Schedule').filter(
      ([, { Properties }]) => JSON.stringify(Properties.Target.Arn) === JSON.stringify(target),
    );
    expect(schedules.map(([, { Properties }]) => [Properties.ScheduleExpression, Properties.Target.Input])).toEqual([
      ['rate(1 minute)', '{}'],
    ]);
  });

  test('knows the two signing keys of no ring', () => {
    const config = stacks.signing.resolve(watch?.[1].Properties.Environment.Variables.CURFEW_CONFIG);
    const text = JSON.stringify(config).replaceAll('\\"', '"');
    expect(text).toMatch(/"feedKeyArn":"",\{"Fn::GetAtt":\["KeyFeed","Arn"\]\}/);
    expect(text).toMatch(/"checkpointKeyArn":"",\{"Fn::GetStackOutput":.{0,99}KeyCheckpointArn/);
  });

  test('hears of whatever lets others use a key or ends one, on the bus to which CloudTrail delivers', () => {
    const rules = ofType(signing, 'AWS::Events::Rule');
    const [[, rule] = [], ...more] = rules.filter(([, { Properties }]) => Properties.EventBusName === undefined);
    expect(more).toEqual([]);
    expect(rule?.Properties.EventPattern).toEqual({
      source: ['aws.kms'],
      'detail-type': ['AWS API Call via CloudTrail'],
      detail: {
        eventSource: ['kms.amazonaws.com'],
        eventName: ['PutKeyPolicy', 'CreateGrant', 'ScheduleKeyDeletion', 'DisableKey'],
      },
    });
    expect(rule?.Properties.Targets).toEqual([expect.objectContaining({ Arn: target })]);
    expect(rule?.Properties.Targets[0].DeadLetterConfig).toBeDefined();
  });

  test('a taint turns its ring within seconds, whoever asked for it: its record has the rotator do what is due', () => {
    const rules = ofType(signing, 'AWS::Events::Rule');
    const [[, rule] = [], ...more] = rules.filter(([, { Properties }]) => Properties.EventBusName !== undefined);
    expect(more).toEqual([]);
    expect(rule?.Properties.EventPattern).toEqual({
      source: ['curfew'],
      'detail-type': ['KeyStateChanged'],
      detail: { type: ['key.tainted' satisfies RecordType] },
    });
    expect(rule?.Properties.Targets).toEqual([
      expect.objectContaining({
        Arn: { 'Fn::GetAtt': ['FunctionRotator', 'Arn'] },
        InputTransformer: {
          InputPathsMap: { 'detail-ring': '$.detail.ring' },
          InputTemplate: '{"op":"tick","ring":<detail-ring>}',
        },
        DeadLetterConfig: expect.anything(),
      }),
    ]);
  });
});

test('what is called and left keeps its failures in the queue that an alarm watches', () => {
  const text = (value: unknown) => JSON.stringify(value);
  const kept = new Set<string>();
  for (const resources of [evidence, signing, offboarding]) {
    const called = [
      ...ofType(resources, 'AWS::Scheduler::Schedule').map(([, { Properties }]) => Properties.Target),
      ...ofType(resources, 'AWS::Events::Rule').flatMap(([, { Properties }]) => Properties.Targets),
    ];
    expect(called.length).toBeGreaterThan(0);
    for (const { Arn, DeadLetterConfig } of called) {
      const [id] = Arn['Fn::GetAtt'];
      const configs = ofType(resources, 'AWS::Lambda::EventInvokeConfig')
        .map(([, { Properties }]) => Properties)
        .filter(({ FunctionName }) => FunctionName.Ref === id);
      expect(configs).toEqual([
        {
          FunctionName: { Ref: id },
          Qualifier: '$LATEST',
          MaximumRetryAttempts: 1,
          MaximumEventAgeInSeconds: 3600,
          DestinationConfig: { OnFailure: { Destination: DeadLetterConfig.Arn } },
        },
      ]);
      kept.add(text(id));
    }
    const [[, watched] = []] = ofType(resources, 'AWS::CloudWatch::Alarm').filter(
      ([name]) => name === 'AlarmDeadLetters',
    );
    const [queue] = called[0].DeadLetterConfig.Arn['Fn::GetAtt'];
    expect(text(watched?.Properties.Dimensions)).toContain(text(queue));
  }
  expect(kept.size).toBe(9);
});

const filtersOf = (resources: Resources) =>
  ofType(resources, 'AWS::Logs::MetricFilter').map(([, { Properties }]) => Properties);

test('what outboxes and sweepers could not read counts into one alarm', () => {
  const of = (log: string) => filtersOf(all).filter(({ LogGroupName }) => LogGroupName.Ref === log);
  for (const log of ['LogsOutboxSigning', 'LogsOutboxOffboarding', 'LogsSweeperSigning', 'LogsSweeperOffboarding'])
    expect(of(log)).toMatchObject([
      {
        FilterPattern: '?"ERR_RECORD_UNREADABLE" ?"ERR_ITEM_INVALID"',
        MetricTransformations: [
          { MetricNamespace: 'Curfew', MetricName: 'RecordUnreadable-example', MetricValue: '1' },
        ],
      },
    ]);
  expect(alarm('RecordUnreadable')).toMatchObject({
    Namespace: 'Curfew',
    MetricName: 'RecordUnreadable-example',
    Threshold: 0,
    TreatMissingData: 'notBreaching',
  });
});

test('what issuer and resigner log when KMS does not sign is counted under the name of the instance', () => {
  const filters = filtersOf(signing).filter(({ FilterPattern }) => !FilterPattern.includes('UNREADABLE'));
  expect(filters.map(({ LogGroupName }) => LogGroupName.Ref).sort()).toEqual(['LogsIssuer', 'LogsResigner']);
  for (const { FilterPattern, MetricTransformations } of filters) {
    expect(FilterPattern).toBe(
      '?"ERR_KEY_DISABLED" ?"ERR_KEY_STATE" ?"ERR_ACCESS_DENIED" ?"ERR_SIGNATURE_ENCODING" ?"ERR_TOKEN_SIGNATURE" ?"ERR_UNAVAILABLE"',
    );
    expect(MetricTransformations).toEqual([
      { MetricNamespace: 'Curfew', MetricName: 'SignErrors-example', MetricValue: '1' },
    ]);
  }
  expect(alarm('SignErrors')).toMatchObject({ Namespace: 'Curfew', MetricName: 'SignErrors-example', Threshold: 0 });
});

test('the dashboard has a row of issuing, and one of each ring with its figures and its alarms', () => {
  const [[, dashboard] = []] = ofType(signing, 'AWS::CloudWatch::Dashboard');
  expect(dashboard?.Properties.DashboardName).toBe('curfew-example');
  const body = JSON.stringify(stacks.signing.resolve(dashboard?.Properties.DashboardBody)).replaceAll('\\"', '"');
  for (const title of [
    'calls',
    'errors',
    '99 of 100 within',
    'example: alarms',
    'customer-api: keys',
    'customer-api: alarms',
  ])
    expect(body).toContain(`"title":"${title}"`);
  for (const name of Object.keys(METRICS))
    expect(body).toContain(`["Curfew","${name}","Instance","example","Ring","customer-api"`);
  // Every alarm there is, of whatever stack.
  for (const { AlarmName } of [evidence, signing, offboarding].flatMap(alarmsOf))
    expect(body).toContain(`:alarm:${AlarmName}"`);
});
