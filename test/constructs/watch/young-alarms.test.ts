/** CloudWatch judges an alarm as soon as it exists, and a first deployment has no figures for its first minutes. */
import { ofType, type Resource, synthesise } from '../synthesised';

const RING = {
  id: 'customer-api',
  issuer: 'https://login.example.com/customer-api',
  audience: 'https://api.example.com',
  rotationCheckMinutes: 10,
};
const TOPIC = 'arn:aws:sns:us-east-1:111122223333:pager';
const { evidence, signing, offboarding } = synthesise('production', {
  rings: [RING, { ...RING, id: 'partners', issuer: 'https://login.example.com/partners' }],
  alarmTopicArn: TOPIC,
});
const alarms = [evidence, signing, offboarding].flatMap((stack) =>
  ofType(stack, 'AWS::CloudWatch::Alarm').map(([id, alarm]) => ({ id, ...alarm })),
);
const named = (name: string): Resource => {
  const [found, ...more] = alarms.filter(({ Properties }) => Properties.AlarmName === name);
  if (!found || more.length > 0) throw new Error(`not one alarm ${name}`);
  return found;
};

test('one alarm goes off for want of figures, and no other', () => {
  const breaching = alarms.filter(({ Properties }) => Properties.TreatMissingData === 'breaching');
  expect(breaching.map(({ id }) => id)).toEqual(['AlarmWatchSilent']);
});

test('scheduler.late: it takes three minutes without a figure, for two are ordinary', () => {
  expect(named('curfew-example-WatchSilent').Properties).toMatchObject({
    Namespace: 'Curfew',
    MetricName: 'FeedAge',
    Dimensions: [{ Name: 'Instance', Value: 'example' }],
    Statistic: 'SampleCount',
    ComparisonOperator: 'LessThanThreshold',
    Threshold: 1,
    Period: 60,
    EvaluationPeriods: 3,
    AlarmActions: [TOPIC],
  });
});

test('it is made when the watch has its schedule and every ring is born', () => {
  const { DependsOn = [] } = named('curfew-example-WatchSilent');
  const schedules = ofType(signing, 'AWS::Scheduler::Schedule').map(([id]) => id);
  const ofTheWatch = schedules.filter((id) => id.startsWith('PlaneWatching'));
  expect(ofTheWatch).toHaveLength(1);
  expect(DependsOn).toEqual(expect.arrayContaining([...ofTheWatch, 'RingCustomerApi', 'RingPartners']));
  // And the births wait for the schedule: the watch has put figures for as long as they took.
  for (const ring of ['RingCustomerApi', 'RingPartners'])
    expect(signing[ring]?.DependsOn).toEqual(expect.arrayContaining(ofTheWatch));
});

test('the alarms of a ring are made when it is born', () => {
  for (const [ring, resource] of [
    ['customer-api', 'RingCustomerApi'],
    ['partners', 'RingPartners'],
  ]) {
    const ofRing = alarms.filter(({ Properties }) => Properties.AlarmName.startsWith(`curfew-example-${ring}-`));
    expect(ofRing.length).toBeGreaterThanOrEqual(8);
    for (const { id, DependsOn } of ofRing) expect([id, DependsOn]).toEqual([id, expect.arrayContaining([resource])]);
  }
});

test('that the figures of one ring end is told; an alarm that never had a figure says nothing', () => {
  const told = alarms.filter(({ Properties }) => Properties.InsufficientDataActions);
  expect(told.map(({ Properties }) => [Properties.AlarmName, Properties.TreatMissingData]).sort()).toEqual([
    ['curfew-example-FeedAge', 'missing'],
    ['curfew-example-customer-api-FeedAge', 'missing'],
    ['curfew-example-partners-FeedAge', 'missing'],
  ]);
});
