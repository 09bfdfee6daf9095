/**
 * Doubt and its ways out on the deployment: a held case goes on by two approvers with IAM identities of their own, and by
 * nobody else; a departure is given back after it was closed, and everything works as before; the next one refuses it all.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateKeyCommand, DescribeKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { Webhook } from 'standardwebhooks';
import { importPeople } from '../../bin/commands/people';
import { verifierConfig } from '../../bin/commands/verifier';
import { Instance } from '../../bin/edge/instance';
import { fetchTextPatiently, patiently } from '../../demo/patience';
import { issue } from '../../demo/tokens';
import { openQuestion, shownState } from '../../lib/domain/cases/case';
import { CASE } from '../../lib/domain/store/case';
import { SCHEDULE } from '../../lib/domain/store/worker';
import { createVerifier } from '../../lib/verifier';
import { bundleCli, runCliPatiently } from '../support/cli';
import { idsFor } from '../support/seeded';
import { until } from './rings/stage';

jest.setTimeout(600_000);

const RING = 'customer-api';
const iam = new IAMClient({});
const kms = new KMSClient({});
const dir = mkdtempSync(join(tmpdir(), 'curfew-decisions-'));
const bundle = bundleCli(dir);
const unique = idsFor('people of test/emulator/decisions');
const worker = { id: `W-${unique()}`, user: `doubtful-${unique()}` };
const api = (instance: Instance) =>
  `${process.env.AWS_ENDPOINT_URL}/_aws/execute-api/${instance.output('ApiId', 'offboarding')}/$default`;

interface Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}
let instance: Instance;
let key: Key;
let kmsKeyArn: string;
let backend: Key;
const secret = `whsec_${Buffer.alloc(24, 5).toString('base64')}`;

async function keyOf(UserName: string): Promise<Key> {
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
}

async function policy(name: string, actions: readonly string[]): Promise<string> {
  const Statement = [{ Effect: 'Allow', Action: actions, Resource: '*' }];
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: `${name}-${unique()}`, PolicyDocument }));
  return Policy?.Arn ?? '';
}

async function hire(UserName: string, policyArn: string): Promise<string> {
  const { User } = await iam.send(new CreateUserCommand({ UserName }));
  await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: policyArn }));
  return User?.Arn ?? '';
}

async function personalKey(): Promise<string> {
  const role = (name: string) => `arn:aws:iam::000000000000:role/curfew-demo-${name}`;
  const allow = (AWS: string, Action: string | string[]) => ({
    Effect: 'Allow',
    Principal: { AWS },
    Action,
    Resource: '*',
  });
  const Statement = [
    allow('arn:aws:iam::000000000000:root', 'kms:*'),
    allow(role('disabler'), ['kms:DisableKey', 'kms:DescribeKey']),
    allow(role('key-enabler'), ['kms:EnableKey', 'kms:GetKeyPolicy']),
  ];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Policy }),
  );
  return KeyMetadata?.Arn ?? '';
}

async function tell(type: string, source = 'people-system'): Promise<void> {
  const at = new Date();
  const data = { workerId: worker.id, effectiveAt: new Date(at.getTime() - 1000).toISOString() };
  const body = JSON.stringify({ type, timestamp: at.toISOString(), data });
  const id = `msg_${unique()}`;
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
  const { status } = await patiently('the webhook', () =>
    fetch(`${api(instance)}/hr/${source}`, { method: 'POST', body, headers }),
  );
  expect(status).toBe(202);
}

const newestCase = async () => (await instance.tables.get(SCHEDULE, worker.id))?.caseIds.at(-1) ?? '';
const metaOf = (id: string) => instance.tables.get(CASE, id);
const state = async (id: string) => {
  const meta = await metaOf(id);
  return meta === undefined ? 'none' : shownState(meta);
};

/** As somebody: the CLI, under their own credentials. */
async function curfew(as: Key, ...args: string[]) {
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: as.accessKeyId,
    AWS_SECRET_ACCESS_KEY: as.secretAccessKey,
    AWS_SESSION_TOKEN: as.sessionToken ?? '',
    CURFEW_API_URL: api(instance),
  };
  const { stdout, stderr } = await runCliPatiently(bundle, [...args, '--instance', 'demo'], env);
  return stdout + stderr;
}

const approver: Record<string, Key> = {};

beforeAll(async () => {
  instance = await Instance.find('demo');
  process.env.CURFEW_API_URL = api(instance);
  const { webhookSecretArns } = instance;
  await new SecretsManagerClient({}).send(
    new PutSecretValueCommand({ SecretId: webhookSecretArns['people-system'], SecretString: secret }),
  );
  for (const name of ['approver-1', 'approver-2', 'approver-3']) {
    for (const PolicyArn of [instance.output('PolicyApproverArn'), instance.output('PolicyOperatorArn')])
      await iam.send(new AttachUserPolicyCommand({ UserName: name, PolicyArn }));
    approver[name] = await keyOf(name);
  }
  const arn = await hire(worker.user, await policy('buckets', ['s3:ListAllMyBuckets', 'kms:Sign']));
  key = await keyOf(worker.user);
  kmsKeyArn = await personalKey();
  await hire(`backend-${worker.user}`, await policy('issue', ['execute-api:Invoke']));
  backend = await keyOf(`backend-${worker.user}`);
  const principals = [
    { type: 'iam-user', arn },
    { type: 'subject', ring: RING, sub: worker.user },
    { type: 'kms-key', arn: kmsKeyArn },
  ];
  await importPeople(instance, { workers: [{ workerId: worker.id, principals, exposures: [] }] });
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The same calls with the same credentials, before, between and after. */
async function whatWorks() {
  const place = { ring: RING, issuer: '', audience: '', publicBaseUrl: instance.output('PublicBaseUrl') };
  const config = await verifierConfig(instance, RING);
  const verifier = createVerifier({ ...config, pollSeconds: 1, fetchText: fetchTextPatiently });
  const works = async (call: () => Promise<unknown>) =>
    call().then(
      () => true,
      () => false,
    );
  return {
    accessKey: await works(() => new S3Client({ credentials: key }).send(new ListBucketsCommand({}))),
    personalKey: await works(() =>
      kms.send(new SignCommand({ KeyId: kmsKeyArn, Message: Buffer.from('x'), SigningAlgorithm: 'ECDSA_SHA_256' })),
    ),
    token: await works(async () => verifier.verify(await issue(place, backend, worker.user))),
  };
}

async function snapshot() {
  const [keys, policies, user, own] = await Promise.all([
    iam.send(new ListAccessKeysCommand({ UserName: worker.user })),
    iam.send(new ListAttachedUserPoliciesCommand({ UserName: worker.user })),
    iam.send(new GetUserCommand({ UserName: worker.user })),
    kms.send(new DescribeKeyCommand({ KeyId: kmsKeyArn })),
  ]);
  return {
    keys: keys.AccessKeyMetadata?.map(({ AccessKeyId, Status }) => [AccessKeyId, Status]),
    policies: policies.AttachedPolicies?.map(({ PolicyArn }) => PolicyArn),
    tags: user.User?.Tags ?? [],
    kms: own.KeyMetadata?.KeyState,
  };
}

const ALL = { accessKey: true, personalKey: true, token: true };
const NONE = { accessKey: false, personalKey: false, token: false };

test('held, decided by two, closed, given back, and refused again', async () => {
  const before = await snapshot();
  expect(await whatWorks()).toEqual(ALL);
  await tell('worker.terminated');
  await until('the case has begun', 60, newestCase, (id) => id !== '');
  const caseId = await newestCase();
  // Taken back a moment later, and not in the same second, which nobody could tell from before: a question.
  await pause(1500);
  await tell('worker.rescinded');
  await until(
    'the case is held',
    120,
    () => state(caseId),
    (shown) => shown === 'HELD',
  );
  expect(await whatWorks()).toEqual(NONE);
  const said = await curfew(approver['approver-1'] as Key, 'case', 'explain', caseId);
  expect(said).toContain('the source took the departure back (people-system)');

  const go = (who: Key) => curfew(who, 'case', 'approve', caseId, '--reason', 'CHG-1');
  const [one, two, three] = ['approver-1', 'approver-2', 'approver-3'].map((name) => approver[name] as Key);
  expect(await go(one as Key)).toContain('1 of 2 approvals');
  expect(await go(one as Key)).toContain('1 of 2 approvals');
  expect(await go(await underRole())).toContain('no approver of this deployment');
  expect(await go(backend)).toMatch(/AccessDenied/);
  // Who changed what is known of the worker does not count.
  const people = join(dir, 'people.json');
  writeFileSync(people, JSON.stringify({ workers: [{ workerId: worker.id, principals: [], exposures: [] }] }));
  expect(await curfew(three as Key, 'people', 'import', people)).toContain('imported');
  expect(await go(three as Key)).toContain('does not count');
  await expect(
    instance.signed.post('/approvals', {
      caseId,
      question: 1,
      decision: 'go-on',
      about: 'x'.repeat(43),
      reason: 'CHG-1',
    }),
  ).rejects.toMatchObject({ code: 'ERR_NOT_APPROVED' });
  expect(openQuestion((await metaOf(caseId)) as never)?.n).toBe(1);
  expect(await go(two as Key)).toContain('decided: go-on');
  await until(
    'the case is closed',
    240,
    () => state(caseId),
    (shown) => shown === 'CLOSED',
  );

  const back = (who: Key) => curfew(who, 'case', 'give-back', caseId, '--reason', 'CHG-2');
  expect(await back(one as Key)).toContain('1 of 2 approvals');
  expect(await back(two as Key)).toContain('decided: give-back');
  await until('everything is open again', 180, snapshot, (now) => JSON.stringify(now) === JSON.stringify(before));
  await until('tokens are issued again', 60, whatWorks, ({ token }) => token);
  expect(await whatWorks()).toEqual(ALL);
  expect(await state(caseId)).toBe('GIVEN BACK');

  await tell('worker.terminated');
  await until('the second departure has begun', 60, newestCase, (id) => id !== caseId);
  const second = await newestCase();
  await until(
    'the second case is closed',
    240,
    () => state(second),
    (shown) => shown === 'CLOSED',
  );
  expect(await whatWorks()).toEqual(NONE);
});

/** The same person in a role that they assume, under a session name of their choice. */
async function underRole(): Promise<Key> {
  const RoleName = `approving-${unique()}`;
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:root' }, Action: 'sts:AssumeRole' },
        ],
      }),
    }),
  );
  const Statement = [{ Effect: 'Allow', Action: '*', Resource: '*' }];
  await iam.send(
    new PutRolePolicyCommand({
      RoleName,
      PolicyName: 'all',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
    }),
  );
  const { Credentials: session } = await new STSClient({}).send(
    new AssumeRoleCommand({ RoleArn: Role?.Arn ?? '', RoleSessionName: 'approver-2' }),
  );
  return {
    accessKeyId: session?.AccessKeyId ?? '',
    secretAccessKey: session?.SecretAccessKey ?? '',
    sessionToken: session?.SessionToken ?? '',
  };
}
