/** What a back end is answered at POST /r/{ring}/issue when the issuer, or AWS behind it, is slow: 503, and when to ask again. */
import { EventEmitter, once } from 'node:events';
import type { APIGatewayProxyEventV2WithIAMAuthorizer } from 'aws-lambda';
import { haltOrResume } from '../../lambdas/halt';
import { issueOverHttp } from '../../lambdas/issuer';
import { CurfewError } from '../../lib/domain/base/errors';
import { askAgain, inTime } from '../../lib/work/http-answers';
import { RING, type SigningWorld, signingWorld } from '../scenarios/signing-world';

const NEVER = new AbortController().signal;
const eventOf = (ring: string = RING) =>
  ({
    body: JSON.stringify({ sub: 'member-1', client_id: 'web' }),
    pathParameters: { ring },
    requestContext: { authorizer: { iam: { userArn: 'arn:test' } } },
  }) as unknown as APIGatewayProxyEventV2WithIAMAuthorizer;

let world: SigningWorld;
let logged: string[];
beforeEach(async () => {
  world = await signingWorld();
  logged = [];
  jest.spyOn(console, 'error').mockImplementation((line) => logged.push(line));
});
afterEach(() => jest.restoreAllMocks());

/** The issuer's ports, with something else in the place of one call. */
function withSign(sign: (actual: () => Promise<Buffer>) => Promise<Buffer>) {
  const deps = world.deps('issuer');
  const slow = (...given: Parameters<typeof deps.signer.sign>) =>
    sign(() => deps.signer.sign(...given) as Promise<Buffer>);
  return { ...deps, signer: { ...deps.signer, sign: slow } };
}
const issued = () => world.tables.dump('ledger').length;

test('a token in time is a token', async () => {
  const { statusCode, body = '' } = await issueOverHttp(eventOf(), world.deps('issuer'), NEVER);
  expect([statusCode, Object.keys(JSON.parse(body)).sort()]).toEqual([200, ['exp', 'token']]);
  expect([issued(), logged]).toEqual([1, []]);
});

test('when time is over the caller is told to come back, and what was under way ends without a token', async () => {
  const over = new AbortController();
  let signed = 0;
  const run = new EventEmitter();
  const deps = withSign(async (actual) => {
    over.abort();
    await once(run, 'thawed');
    signed++;
    return actual();
  });
  const answer = await issueOverHttp(eventOf(), deps, over.signal);
  expect(answer).toEqual(askAgain());
  expect(answer).toMatchObject({ statusCode: 503, headers: { 'retry-after': '1', 'cache-control': 'no-store' } });
  expect(JSON.parse(answer.body ?? '')).toEqual({
    code: 'ERR_UNAVAILABLE',
    message: 'there is no answer now',
    fix: expect.stringContaining('ask again after the seconds of Retry-After'),
  });
  expect(JSON.parse(logged[0] ?? '')).toMatchObject({
    level: 'error',
    function: 'issuer',
    code: 'ERR_UNAVAILABLE',
    message: 'the Lambda had no answer in time',
  });

  // The run is thawed by the next one: KMS answers after all, and nothing comes of it.
  run.emit('thawed');
  await new Promise(setImmediate);
  expect([signed, issued()]).toEqual([1, 0]);
});

test('after that nothing is even signed', async () => {
  const over = new AbortController();
  const deps = world.deps('issuer');
  let signed = 0;
  const sign: typeof deps.signer.sign = (...given) => {
    signed++;
    return deps.signer.sign(...given);
  };
  const transact: typeof deps.tables.transact = async (writes) => {
    await deps.tables.transact(writes);
    over.abort();
  };
  const late = {
    ...deps,
    signer: { ...deps.signer, sign },
    tables: Object.assign(Object.create(deps.tables), { transact }) as typeof deps.tables,
  };
  expect(await issueOverHttp(eventOf(), late, over.signal)).toEqual(askAgain());
  await new Promise(setImmediate);
  expect([signed, issued()]).toEqual([0, 0]);
  // What stays is an intent, which nobody holds and nobody asks for.
  expect(world.tables.dump('bodies').map(({ state }) => state)).toEqual(['INTENT']);
});

test('KMS that throttles is no fault of the caller either', async () => {
  const throttled = new CurfewError('ERR_UNAVAILABLE', 'sign was refused: ThrottlingException');
  const answer = await issueOverHttp(
    eventOf(),
    withSign(() => Promise.reject(throttled)),
    NEVER,
  );
  expect(answer).toEqual(askAgain());
  expect(answer.body).not.toContain('Throttling');
  expect(logged.join()).toContain('sign was refused: ThrottlingException');
});

test('a bug is thrown on, and a halted ring says so without a time to come back', async () => {
  const broken = withSign(() => Promise.reject(new TypeError('no')));
  await expect(issueOverHttp(eventOf(), broken, NEVER)).rejects.toThrow(TypeError);
  await haltOrResume({ op: 'halt', ring: RING, reason: 'drill' }, world.deps('halt'));
  const { statusCode, headers, body = '' } = await issueOverHttp(eventOf(), world.deps('issuer'), NEVER);
  expect([statusCode, JSON.parse(body).code]).toEqual([503, 'ERR_RING_HALTED']);
  expect(headers).not.toHaveProperty('retry-after');
});

test('what comes too late is refused, also where time was over before it began', async () => {
  const late = { code: 'ERR_UNAVAILABLE', message: 'the Lambda had no answer in time' };
  await expect(inTime(AbortSignal.abort(), new Promise(() => undefined))).rejects.toMatchObject(late);
  await expect(inTime(AbortSignal.timeout(5), new Promise(() => undefined))).rejects.toMatchObject(late);
  await expect(inTime(NEVER, Promise.resolve('in time'))).resolves.toBe('in time');
  await expect(inTime(NEVER, Promise.reject(new Error('its own')))).rejects.toThrow('its own');
});
