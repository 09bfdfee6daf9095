/**
 * Every command of the CLI under every managed policy, as the real users of a deployment: what the table of
 * `lib/domain/deployment/access.ts` gives a role works, and IAM refuses the rest. What changes a ring changes one of this test's own.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { AttachUserPolicyCommand, CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { Instance } from '../../bin/edge/instance';
import { pascal } from '../../lib/constructs/parts/names';
import { COMMAND_RIGHTS, type CommandName, ROLES, type RoleName } from '../../lib/domain/deployment/access';
import { parseRingConfig } from '../../lib/domain/rings/configuration';
import { activeKey, type Ring } from '../../lib/domain/rings/ring';
import { RING_ENTRY } from '../../lib/domain/store/ring-head';
import { loadRing } from '../../lib/work/rings/load-ring';
import { made, named } from './aws';
import { deployRing } from './rings/test-ring';

const CURFEW = resolve(__dirname, '..', '..', 'bin', 'curfew');
const OUT = process.env.CURFEW_DEMO_OUT ?? '';
const RING = 'access-test';
/** The shop's ring, which is only looked at. */
const SHOP_RING = 'customer-api';
const WHO = [...(Object.keys(ROLES) as RoleName[]), 'nobody'] as const;
type Who = (typeof WHO)[number];

jest.setTimeout(300_000);
const dir = mkdtempSync(join(tmpdir(), 'curfew-access-'));
const input = (name: string, text: string) => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const env = {} as Record<Who, NodeJS.ProcessEnv>;
let instance: Instance;

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function curfew(who: Who, args: readonly string[]): Promise<Ran> {
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, [CURFEW, ...args], { env: env[who] });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (said.stdout += chunk));
    child.stderr.on('data', (chunk) => (said.stderr += chunk));
    child.on('error', reject);
    child.on('close', (status) => done({ status, ...said }));
  });
}

const ring = (): Promise<Ring> => loadRing(instance, RING);
const reason = ['--reason', 'access-test'];

/** How each is called, and what it answers to whom it is allowed: without effect where input can be refused. */
const CALLS: { readonly [C in CommandName]: (who: Who) => Promise<readonly [readonly string[], RegExp]> } = {
  'ring list': async () => [[], /^customer-api /m],
  'ring show': async () => [[SHOP_RING], /^ring customer-api/],
  'ring rotate': async () => [[RING, ...reason], /^access-test rotated: /],
  'ring taint': async () => [
    [(await ring()).activeKid ?? '', '--class', 'compromise', ...reason],
    / DENIED, 0 tokens re-signed/,
  ],
  'ring halt': async () => [[RING, ...reason], /^access-test is halted/],
  'ring resume': async () => [[RING, ...reason], /^access-test issues again/],
  doctor: async () => [[], /^\d+ ok, \d+ problems?, \d+ unknown$/m],
  'case show': async () => [[JSON.parse(readFileSync(join(OUT, 'summary.json'), 'utf8')).case], /CLOSED/],
  'case due': async () => [[], /^case +due/],
  // The Lambda was asked, and refuses what it was given.
  'people import': async () => [[input('people.json', '{"workers":[]}')], /workers: too_small \(ERR_INPUT_INVALID\)/],
  'adopt record': async () => [[SHOP_RING, input('tokens.txt', 'junk')], /^0 recorded, 1 refused/],
  'verifier config': async () => [[SHOP_RING], /"pepper": "\S+"/],
  'evidence export': async (who) => [[join(dir, `evidence-${who}`), '--case', 'c-access'], /^\d+ records of /],
  'evidence verify': async () => [[join(OUT, 'evidence')], /the evidence holds/],
  'evidence report': async () => [[join(OUT, 'evidence'), '--out', join(dir, 'report.html')], /^wrote /],
};
const commands = Object.keys(CALLS) as CommandName[];
/** One at a time, so that each finds the ring as the one before has left it. */
const CHANGES_RING: readonly CommandName[] = ['ring rotate', 'ring taint', 'ring halt', 'ring resume'];

function isAllowed(who: Who, command: CommandName): boolean {
  if (COMMAND_RIGHTS[command].length === 0) return true;
  return who !== 'nobody' && (ROLES[who] as readonly CommandName[]).includes(command);
}

/** `works`: it answered as it does to whom it is allowed. `refused`: IAM said no, to all of it or to a part. */
async function outcomeOf(who: Who, command: CommandName): Promise<string> {
  const [args, answer] = await CALLS[command](who);
  const { status, stdout, stderr } = await curfew(who, [...command.split(' '), ...args, '--instance', 'demo']);
  if (/AccessDenied/.test(stdout + stderr)) return 'refused';
  return answer.test(stdout) || answer.test(stderr) ? 'works' : `exit ${status}: ${stdout}${stderr}`;
}

async function userOf(who: Who): Promise<NodeJS.ProcessEnv> {
  const iam = new IAMClient({});
  const UserName = named(who);
  await iam.send(new CreateUserCommand({ UserName }));
  if (who !== 'nobody')
    await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: instance.output(`Policy${pascal(who)}Arn`) }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return {
    ...process.env,
    AWS_ACCESS_KEY_ID: made(AccessKey?.AccessKeyId),
    AWS_SECRET_ACCESS_KEY: made(AccessKey?.SecretAccessKey),
  };
}

const config = parseRingConfig({
  id: RING,
  issuer: `https://login.shop.example/${RING}`,
  audience: 'https://api.shop.example',
  algorithm: 'ES256',
  periodSeconds: 30 * 86_400,
  maxTtlSeconds: 3600,
});

beforeAll(async () => {
  instance = await Instance.find('demo');
  const [, ...users] = await Promise.all([deployRing(instance, 'Create', config), ...WHO.map(userOf)]);
  for (const [n, who] of WHO.entries()) env[who] = users[n] ?? {};
});

/** No schedule turns this ring: what comes after this test shall not find it. */
afterAll(async () => {
  const kmsKeyArn = activeKey(await ring())?.kmsKeyArn;
  if (kmsKeyArn) await new KMSClient({}).send(new DisableKeyCommand({ KeyId: kmsKeyArn }));
  const { pk, sk } = RING_ENTRY.key(RING);
  const Key = { pk: { S: pk }, sk: { S: sk } };
  await new DynamoDBClient({}).send(new DeleteItemCommand({ TableName: instance.output('TableKeysName'), Key }));
  rmSync(dir, { recursive: true, force: true });
});

test('every command under every policy: what the table gives works, IAM refuses the rest', async () => {
  const expected = Object.fromEntries(
    commands.map((command) => [
      command,
      Object.fromEntries(WHO.map((who) => [who, isAllowed(who, command) ? 'works' : 'refused'])),
    ]),
  );
  const found: Record<string, Record<string, string>> = {};
  for (const command of commands) {
    const outcomes: Record<string, string> = {};
    const ask = async (who: Who) => {
      outcomes[who] = await outcomeOf(who, command);
    };
    if (CHANGES_RING.includes(command)) for (const who of WHO) await ask(who);
    else await Promise.all(WHO.map(ask));
    found[command] = outcomes;
  }
  process.stdout.write(matrix(found));
  expect(found).toEqual(expected);
});

/** A ring's configuration says whose keys are believed: CloudFormation alone asks for it. */
test.each(WHO)('IAM refuses %s to bear or change a ring beside a deployment', async (who) => {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = env[who];
  const lambda = new LambdaClient({ credentials: { accessKeyId, secretAccessKey } });
  const before = await ring();
  const event = { RequestType: 'Update', ResourceProperties: { ring: JSON.stringify({ ...config, closing: true }) } };
  const FunctionName = instance.output('FunctionRingDeployerName');
  await expect(lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }))).rejects.toMatchObject({
    name: 'AccessDeniedException',
  });
  expect(await ring()).toEqual(before);
});

test('the rotator, which operator and responder may invoke, refuses what a deployment asks', async () => {
  const event = { RequestType: 'Update', ResourceProperties: { ring: JSON.stringify({ ...config, closing: true }) } };
  const FunctionName = instance.output('FunctionRotatorName');
  const before = await ring();
  const { FunctionError, Payload } = await new LambdaClient({}).send(
    new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }),
  );
  expect([FunctionError, Buffer.from(Payload ?? []).toString()]).toEqual([
    expect.any(String),
    expect.stringContaining('the rotator does not know this operation'),
  ]);
  expect(await ring()).toEqual(before);
});

/** What the emulator does not tell anybody (figures of its own, states of alarms) is unknown as well. */
test('the doctor is refused nothing under the policies that have it', async () => {
  for (const who of ['operator', 'responder'] as const) {
    const { stdout } = await curfew(who, ['doctor', '--json', '--instance', 'demo']);
    const { findings } = JSON.parse(stdout) as { findings: { check: string; state: string; found: string }[] };
    const unknown = findings.filter(({ state }) => state === 'unknown');
    process.stdout.write(`doctor, ${who}: unknown ${unknown.map(({ check }) => check).join(', ')}\n`);
    expect([who, unknown.filter(({ found }) => /AccessDenied/.test(found))]).toEqual([who, []]);
    const seen = findings.filter(({ state }) => state !== 'unknown').map(({ check }) => check);
    expect(seen).toEqual(
      expect.arrayContaining(['keys in KMS', 'key policies', 'KMS grants', 'feed key', 'checkpoint key']),
    );
  }
});

function matrix(found: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  const lines = Object.entries(found).map(
    ([command, by]) => `${command.padEnd(17)}${WHO.map((who) => (by[who] ?? '').slice(0, 10).padEnd(11)).join('')}`,
  );
  const count = Object.values(found).flatMap((by) => Object.values(by));
  const works = count.filter((outcome) => outcome === 'works').length;
  const refused = count.filter((outcome) => outcome === 'refused').length;
  return [
    '',
    `${''.padEnd(17)}${WHO.map((who) => who.padEnd(11)).join('')}`,
    ...lines,
    `access: ${count.length} tries, ${works} work, ${refused} refused by IAM`,
    '',
  ].join('\n');
}
