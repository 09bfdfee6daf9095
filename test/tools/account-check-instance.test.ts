/** What the account check asks of the instance that it deployed, against stubs: the feed, the issuer, figures, removal. */
import { parseConfiguration } from '../../lib/config';
import { openAccount } from '../../tools/account-check/account';
import { configurationOf, type Instance, isOf, RING } from '../../tools/account-check/instance';
import { INSTANCE_CHECKS } from '../../tools/account-check/instance-checks';
import { type Answer, type Asked, answering } from '../aws/answering';

const START = 1_800_000_000;
const INSTANCE: Instance = {
  name: 'check-1',
  outputs: {
    PublicBaseUrl: 'https://api.example.com',
    FunctionIssuerName: 'issuer',
    FunctionWellKnownName: 'well-known',
    FunctionOutboxSigningName: 'outbox',
    RoleRotatorArn: 'arn:aws:iam::111122223333:role/curfew-check-1-rotator',
  },
  deployedAt: START,
  deploySeconds: 600,
};

let now = START;
beforeEach(() => {
  now = START;
});
afterEach(() => jest.restoreAllMocks());

async function see(name: RegExp, answer: (asked: Asked) => Answer = () => ({ body: {} })) {
  const wire = answering((asked) => (asked.operation === 'GetCallerIdentity' ? { body: identity } : answer(asked)));
  const account = await openAccount({
    run: 'check-1',
    region: 'us-east-1',
    settings: wire.config as never,
    clock: {
      now: () => now,
      sleep: async (seconds) => {
        now += seconds;
      },
    },
    log: () => undefined,
  });
  const check = INSTANCE_CHECKS.find((one) => name.test(one.name));
  if (!check) throw new Error(`no check is called ${name}`);
  return { lines: await check.look(account, INSTANCE), asked: wire.asked };
}
const identity =
  '<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>';

/** The feed as it is served: signed at `iat`, or an answer without one. */
function serve(answer: () => number | Response) {
  return jest.spyOn(globalThis, 'fetch').mockImplementation(async () => {
    const given = answer();
    if (typeof given !== 'number') return given;
    return new Response(`e30.${Buffer.from(JSON.stringify({ iat: given })).toString('base64url')}.sig`);
  });
}

test('the instance that it deploys is a trial with one ring, and a configuration that parses', () => {
  const parsed = parseConfiguration(configurationOf({ run: 'check-a1b2c3', region: 'eu-central-1' }));
  expect([parsed.stage, parsed.rings.map(({ id }) => id), Object.keys(parsed.sources)]).toEqual(['trial', [RING], []]);
});

test.each([
  ['curfew-check-1-evidence-bucketheads-1x2y3z', true],
  ['curfew-check-1-evidence-bucketevidence-1x2y3z', false],
  ['curfew-check-2-evidence-bucketheads-1x2y3z', false],
  ['curfew-example-evidence-bucketheads-1x2y3z', false],
])('bucket heads of the run is told by its name: %s, %s', (name, expected) => {
  expect(isOf('check-1', 'heads', name)).toBe(expected);
});

test('http.not-yet: how long a new API refuses is told apart from how long the deployment took', async () => {
  const fetched = serve(() => (now < START + 7 ? new Response('', { status: 403 }) : now));
  const { lines } = await see(/first answer/);
  expect(lines).toEqual([
    'the deployment took 600 s',
    'feed: 5 times 200 in a row from second 7 on; before that 7 × 403',
  ]);
  expect(fetched.mock.calls[0]?.[0]).toBe('https://api.example.com/r/account-check/feed');
});

test('scheduler.late: the times between feeds are listed, and a gap is seen', async () => {
  // Each minute, but for the fifth.
  const minute = () => Math.floor((now - START) / 60);
  serve(() => START + 60 * (minute() === 4 ? 3 : minute()));
  const { lines } = await see(/two runs of a schedule/);
  expect(lines).toEqual(['9 feeds in 600 s; between them 60 to 120 s: 60, 60, 60, 120, 60, 60, 60, 60']);
});

test('scheduler.late: a feed that stands still is said to', async () => {
  serve(() => START);
  expect((await see(/two runs of a schedule/)).lines).toEqual(['no two feeds within 600 s']);
});

test('a token that is issued is not printed, and a refusal is', async () => {
  const issued = await see(/a token is issued/, () => ({ body: { token: 'eyJ.secret.token', exp: 1 } }));
  expect(issued.lines).toEqual(['a token is issued']);
  const refused = await see(/a token is issued/, () => ({
    headers: { 'x-amz-function-error': 'Unhandled' },
    body: { errorMessage: 'AccessDeniedException: kms:Decrypt' },
  }));
  expect(refused.lines).toEqual(['no token: Unhandled AccessDeniedException: kms:Decrypt']);
});

test('lambda.throttled: refused invocations are counted', async () => {
  let calls = 0;
  const { lines } = await see(/^runs at once/, () =>
    ++calls > 10
      ? { status: 429, headers: { 'x-amzn-errortype': 'TooManyRequestsException' }, body: { Reason: 'x' } }
      : { body: {} },
  );
  expect(lines).toEqual(['60 invocations at once: 50 × TooManyRequestsException, 10 × ok']);
});
