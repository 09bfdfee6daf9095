import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { clientSettings } from '../../lib/aws/client-settings';
import type { FunctionName } from '../../lib/domain/deployment/rights';
import { paceOf, TIME_OUTS } from '../../lib/domain/deployment/time-outs';
import { type Answer, answering, inFrozenTime, timedOut } from './answering';

const GET = new GetItemCommand({ TableName: 'T', Key: { pk: { S: 'P' } } });
/** Somebody outside waits for these. */
const REQUEST_PATHS: readonly FunctionName[] = ['issuer', 'exchange', 'was-issued', 'well-known', 'intake'];
const NAMES = Object.keys(TIME_OUTS) as FunctionName[];
const THROTTLED = { status: 400, body: { __type: 'ThrottlingException' } };
const FAILED = { status: 500, body: { __type: 'InternalServerError' } };

async function callAs(name: FunctionName, answer: () => Answer) {
  const { asked, config } = answering(answer, name);
  const client = new DynamoDBClient(config);
  const ended = await inFrozenTime(() => client.send(GET));
  return { ...ended, attempts: asked.length };
}

test.each(REQUEST_PATHS)('%s waits two seconds for an answer, three times, and still has time to say so', (name) => {
  const { attempts, requestSeconds, conflictSeconds } = paceOf(name);
  expect({ attempts, requestSeconds, conflictSeconds }).toEqual({ attempts: 3, requestSeconds: 2, conflictSeconds: 1 });
  expect(clientSettings(name).requestHandler).toEqual({
    connectionTimeout: 2000,
    requestTimeout: 2000,
    throwOnRequestTimeout: true,
  });
  expect(attempts * requestSeconds).toBeLessThan(TIME_OUTS[name].seconds - 3);
});

test.each([
  ['dynamodb.throttled', THROTTLED, 3.2],
  ['dynamodb.throttled', { status: 400, body: { __type: 'ProvisionedThroughputExceededException' } }, 3.2],
  ['an error of the service', FAILED, 1],
] as const)('on a request path, %s is met three times at most (%j)', async (_, answer, atMost) => {
  const { attempts, seconds, error } = await callAs('issuer', () => answer);
  expect(attempts).toBe(3);
  expect(seconds).toBeLessThan(atMost);
  expect(error).toMatchObject({ name: answer.body.__type });
});

test.each(NAMES.filter((name) => !REQUEST_PATHS.includes(name)))(
  '%s tries more often, as long as its time-out leaves time for the delays',
  async (name) => {
    const ended = await callAs(name, () => FAILED);
    expect(ended.attempts).toBe(paceOf(name).attempts);
    expect(ended.attempts).toBeGreaterThan(3);
    expect(ended.seconds).toBeLessThan(TIME_OUTS[name].seconds);
  },
);

test('on a request path, a connection that stays broken is tried three times', async () => {
  const { attempts, error } = await callAs('issuer', timedOut);
  expect([attempts, error]).toMatchObject([3, { name: 'TimeoutError' }]);
});

test('a connection that breaks is tried again', async () => {
  let n = 0;
  const { attempts, error } = await callAs('rotator', () => (n++ === 0 ? timedOut() : { body: {} }));
  expect([attempts, error]).toEqual([2, undefined]);
});

test('iam.limit: a quota that is used up is not waited for: no time changes it', async () => {
  const { attempts, seconds } = await callAs('latch', () => ({
    status: 400,
    body: { __type: 'LimitExceededException' },
  }));
  expect([attempts, seconds < 0.1]).toEqual([1, true]);
});

test('delays are drawn anew each time: those who met do not meet again', async () => {
  const delays = [];
  for (let n = 0; n < 8; n++) delays.push((await callAs('issuer', () => THROTTLED)).seconds);
  expect(new Set(delays).size).toBeGreaterThan(2);
});

test('a service that is silent is given up after its two seconds; a Lambda that we invoke is not', async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' };
  try {
    const { requestHandler } = clientSettings('issuer');
    const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1, requestHandler });
    await expect(client.send(GET)).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(clientSettings('issuer', 'lambda').requestHandler).toEqual({ connectionTimeout: 2000 });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
