import { parseCalleeError } from '../../lib/aws/callee-error';
import { depsFrom, entry } from '../../lib/aws/entry';
import { KmsKeyDisabler } from '../../lib/aws/kms-key-disabler';
import { CurfewError } from '../../lib/domain/base/errors';
import { BUCKETS, type FunctionName, RIGHTS } from '../../lib/domain/deployment/rights';
import { parseSettings } from '../../lib/domain/deployment/settings';
import { TABLES } from '../../lib/domain/store/table';
import { ENV } from '../../lib/env';
import { portsOpenedFor } from '../../lib/ports-opened';

const CONFIG = {
  instance: 'test',
  settings: parseSettings(),
  shredKeyArn: 'arn:shred',
  denyPolicyArn: 'arn:deny',
  stateMachineArn: 'arn:machine',
  eventBusName: 'default',
  hrSourcesArn: 'arn:sources',
};
const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  [ENV.config]: JSON.stringify(CONFIG),
  ...Object.fromEntries(TABLES.map((name) => [ENV.table(name), name])),
  ...Object.fromEntries(BUCKETS.map((name) => [ENV.bucket(name), name])),
};

let logged: string[];
beforeEach(() => {
  logged = [];
  jest.spyOn(console, 'error').mockImplementation((line) => logged.push(line));
  jest.replaceProperty(process, 'env', { ...ENVIRONMENT });
});
afterEach(() => jest.restoreAllMocks());

test.each(Object.keys(RIGHTS) as FunctionName[])('%s gets the ports of its row and no others', (name) => {
  const deps = depsFrom(name, ENVIRONMENT);
  expect(Object.keys(deps).sort()).toEqual(['clock', 'config', 'random', ...portsOpenedFor(name)].sort());
});

test('the disabler cannot enable, create or sign', () => {
  const { keyDisabler } = depsFrom('disabler', ENVIRONMENT);
  expect(keyDisabler).toBeInstanceOf(KmsKeyDisabler);
  expect(Object.getOwnPropertyNames(KmsKeyDisabler.prototype).sort()).toEqual(['constructor', 'describe', 'disable']);
});

test('what a grant should have set and did not is named', async () => {
  expect(() => depsFrom('disabler', {})).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFIG_INVALID',
      message: 'the environment variable CURFEW_CONFIG is not set',
    }),
  );
  const withoutTables = { [ENV.config]: JSON.stringify(CONFIG) };
  const { tables } = depsFrom('appender', withoutTables);
  await expect(tables.transact([{ kind: 'put', table: 'log', row: { pk: 'P', sk: 'S', v: 1 } }])).rejects.toMatchObject(
    {
      code: 'ERR_CONFIG_INVALID',
      message: 'the environment variable CURFEW_TABLE_LOG is not set',
    },
  );
  expect(() => depsFrom('latch', { [ENV.config]: '{"instance":"test","settings":{}}' })).toThrow(
    expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message: 'denyPolicyArn is missing in CURFEW_CONFIG' }),
  );
});

test('ports are built while Lambda starts the host, or at the first event where that failed', async () => {
  const said = { message: expect.stringContaining('the environment variable CURFEW_CONFIG is not set') };
  process.env = { ...ENVIRONMENT, [ENV.functionName]: 'disabler' };
  const started = entry('disabler', async (event: number) => event + 1);
  process.env = { [ENV.functionName]: 'disabler' };
  const early = entry('disabler', async (event: number) => event + 1);
  // Nothing of the environment is needed any more, where it was there at the start.
  expect(await started(1)).toBe(2);
  await expect(early(1)).rejects.toMatchObject(said);
  process.env = { ...ENVIRONMENT };
  expect(await early(1)).toBe(2);
});

test('ports are built once, at the first event', async () => {
  const seen = new Set<unknown>();
  const handler = entry('disabler', async (event: number, deps) => {
    seen.add(deps);
    return event + 1;
  });
  expect([await handler(1), await handler(2)]).toEqual([2, 3]);
  expect(seen.size).toBe(1);
});

test('a refusal leaves as JSON that the caller rebuilds; the event, and what was got, stay here', async () => {
  const handler = entry('disabler', async (event: { token: string }) => {
    throw new CurfewError('ERR_KEY_STATE', 'the key is gone', {
      fix: 'look again',
      got: event.token,
      cause: new RangeError(`cause with ${event.token}`),
    });
  });
  const thrown: Error = await handler({ token: 'eyJhbGciOi' }).then(
    () => new Error('nothing was thrown'),
    (error) => error,
  );
  expect(thrown.message).toBe('{"code":"ERR_KEY_STATE","message":"the key is gone","fix":"look again"}');
  expect(parseCalleeError('disabler', thrown.message)).toMatchObject({
    code: 'ERR_KEY_STATE',
    message: 'the key is gone',
    fix: 'look again',
  });
  expect(logged).toHaveLength(1);
  expect(JSON.parse(logged[0] ?? '')).toMatchObject({
    function: 'disabler',
    code: 'ERR_KEY_STATE',
    message: 'the key is gone',
    cause: 'RangeError',
  });
  expect(logged.join()).not.toContain('eyJ');
});

test('a bug is unavailability to the caller; its text is neither sent nor logged, its place is', async () => {
  const handler = entry('disabler', async (event: { token: string }) => {
    throw new TypeError(`no ${event.token}`);
  });
  await expect(handler({ token: 'eyJhbGciOi' })).rejects.toThrow(
    '{"code":"ERR_UNAVAILABLE","message":"disabler failed unexpectedly: TypeError"}',
  );
  expect(logged.join()).not.toContain('eyJ');
  expect(JSON.parse(logged[0] ?? '')).toMatchObject({
    bug: 'TypeError',
    at: expect.arrayContaining([expect.stringContaining('entry.test')]),
  });
});

test.each([
  undefined,
  null,
  '',
  '{}',
  '[]',
  '"ERR_KEY_STATE"',
  '{"code":"x","message":"y"}',
  'Task timed out',
  '{"code":1}',
])('the message %j of a callee is no refusal of ours: the outcome is unknown', (message) => {
  expect(parseCalleeError('issuer', message)).toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: 'issuer ended without an answer',
  });
});
