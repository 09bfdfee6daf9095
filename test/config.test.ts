import { parseConfiguration } from '../lib/config';
import { EXAMPLE } from './constructs/synthesised';

const RING = { id: 'customer-api', issuer: 'https://a.example/r', audience: 'b', rotationCheckMinutes: 5 };

test('the example is a configuration', () => {
  const { instance, rings, settings } = parseConfiguration(EXAMPLE);
  expect(instance).toBe('example');
  expect(rings.map(({ id, algorithm, periodDays }) => [id, algorithm, periodDays])).toEqual([
    ['customer-api', 'ES256', 30],
  ]);
  expect(settings.feedPollSeconds).toBe(5);
});

test.each([
  [{ instance: 'Example' }, 'the configuration is not valid at instance'],
  [{ stage: 'prod' }, 'the configuration is not valid at stage'],
  [{ region: 'us east' }, 'the configuration is not valid at region'],
  [{ rings: [] }, 'the configuration is not valid at rings'],
  [
    { rings: [{ ...RING, rotationCheckMinutes: '5' }] },
    'the configuration is not valid at rings.0.rotationCheckMinutes',
  ],
  [{ rings: [{ ...RING, periodDays: -1 }] }, 'the configuration is not valid at rings.0.periodDays'],
  [
    { rings: [{ ...RING, verifiers: [{ name: 'orders', cacheSeconds: 'long' }] }] },
    'the configuration is not valid at rings.0.verifiers.0.cacheSeconds',
  ],
  [{ rings: [RING, RING] }, 'the configuration is not valid at rings: two rings have one id'],
  [{ exemptions: ['CHG-7'] }, 'the configuration is not valid at exemptions.0'],
  [{ alarmTopicArn: 'pager' }, 'the configuration is not valid at alarmTopicArn'],
  [{ cdn: { domainName: 'keys.example.com' } }, 'the configuration is not valid at cdn: a domain name needs'],
  [{ sources: { hr: { scheme: 'basic' } } }, 'the configuration is not valid at sources.hr.scheme'],
  [{ surprise: true }, 'the configuration is not valid at its root'],
])('%j is refused, and where', (change, message) => {
  expect(() => parseConfiguration({ ...EXAMPLE, ...change })).toThrow(
    expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message: expect.stringContaining(message) }),
  );
});

test('a setting outside its limits is refused by name', () => {
  expect(() => parseConfiguration({ ...EXAMPLE, settings: { feedPollSeconds: 0 } })).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFIG_INVALID',
      message: 'feedPollSeconds is not a whole number of seconds from 1 to 60',
    }),
  );
});

test('scheduler.late: a feed must outlive heartbeats that are two minutes apart', () => {
  const parse = (feedExpirySeconds: number) => parseConfiguration({ ...EXAMPLE, settings: { feedExpirySeconds } });
  expect(() => parse(179)).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFIG_INVALID',
      message: 'feedExpirySeconds is not a whole number of seconds from 180 to 900',
    }),
  );
  expect(parse(180).settings.feedExpirySeconds).toBe(180);
});

test.each([undefined, null, '', 7, []])('%j is no configuration', (given) => {
  expect(() => parseConfiguration(given)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }));
});
