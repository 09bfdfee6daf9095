/**
 * Every command of the CLI under every managed policy, as the real users of a deployment: what the table of
 * `lib/domain/deployment/access.ts` gives a role works, and IAM refuses the rest. What changes a ring changes one of this test's own.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { Instance } from '../../bin/edge/instance';
import { pascal } from '../../lib/constructs/parts/names';
import { COMMAND_RIGHTS, type CommandName, ROLES, type RoleName } from '../../lib/domain/deployment/access';
import { parseRingConfig } from '../../lib/domain/rings/configuration';
import type { Ring } from '../../lib/domain/rings/ring';
import { loadRing } from '../../lib/work/rings/load-ring';
import { bundleCli, runCliPatiently } from '../support/cli';
import { extent } from '../support/extent';
import { seedFor } from '../support/seeded';
import { personWith } from './aws';
import { isReady, until } from './rings/stage';
import { deployRing, forgetRing } from './rings/test-ring';

const OUT = process.env.CURFEW_DEMO_OUT ?? '';
const RING = 'access-test';
/** The shop's ring, which is only looked at. */
const SHOP_RING = 'customer-api';
const WHO = [...(Object.keys(ROLES) as RoleName[]), 'nobody'] as const;
type Who = (typeof WHO)[number];

jest.setTimeout(300_000);
const dir = mkdtempSync(join(tmpdir(), 'curfew-access-'));
const bundle = bundleCli(dir);
const input = (name: string, text: string) => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const env = {} as Record<Who, NodeJS.ProcessEnv>;
let instance: Instance;

const curfew = (who: Who, args: readonly string[]) => runCliPatiently(bundle, args, env[who]);

const ring = (): Promise<Ring> => loadRing(instance, RING);
const reason = ['--reason', 'access-test'];
const demoCase = (): string => JSON.parse(readFileSync(join(OUT, 'summary.json'), 'utf8')).case;

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
  'case show': async () => [[demoCase()], /CLOSED/],
  'case list': async () => [[], /^case +kind/],
  'case explain': async () => [[demoCase()], /^case c-\S+ is departure 1 /],
  // Nothing stops the case of the demo, which whoever may look at it is told; `decisions.night.test.ts` has one that is held.
  'case approve': async () => [[demoCase(), ...reason], /it has no open question/],
  // The route was reached, and who signed is no approver.
  'case give-back': async () => [[demoCase(), ...reason], /no approver of this deployment/],
  // Nobody of this name departed.
  'case readmit': async () => [['W-0', '--subject', `${RING}/nobody`, ...reason], /keeps this subject shut/],
  // The case is closed, which whoever may look at it is told.
  'case accept': async () => [
    [demoCase(), '--item', '01', '--until', '2027-02-26', ...reason],
    /cannot be accepted: the case is closed/,
  ],
  'case due': async () => [[], /^what +due/],
  // The Lambda was asked, and refuses what it was given.
  'people import': async () => [[input('people.json', '{"workers":[]}')], /workers: too_small \(ERR_INPUT_INVALID\)/],
  'adopt record': async () => [[SHOP_RING, input('tokens.txt', 'junk')], /^0 recorded, 1 refused/],
  'verifier config': async () => [[SHOP_RING], /"pepper": "\S+"/],
  'evidence export': async (who) => [[join(dir, `evidence-${who}`), '--case', 'c-access'], /^\d+ records of /],
  'evidence verify': async () => [[join(OUT, 'evidence')], /the evidence holds/],
  'evidence report': async () => [[join(OUT, 'evidence'), '--out', join(dir, 'report.html')], /^wrote /],
};
const commands = Object.keys(CALLS) as CommandName[];
/** By day one pair in so many, which by the seed; `npm run verify:all` asks for each. Each is a process of the CLI. */
const EVERY = extent(5, 1);
const PAIRS = commands.flatMap((command) => WHO.map((who) => ({ command, who })));
const ASKED = PAIRS.filter((_, n) => n % EVERY === seedFor('access') % EVERY);
const whoAsks = (command: CommandName) => ASKED.filter((pair) => pair.command === command).map(({ who }) => who);
/** One at a time, so that each finds the ring as the one before has left it. */
const CHANGES_RING: readonly CommandName[] = ['ring rotate', 'ring taint', 'ring halt', 'ring resume'];

function isAllowed(who: Who, command: CommandName): boolean {
  if (COMMAND_RIGHTS[command].length === 0) return true;
  if (['case approve', 'case readmit', 'case accept'].includes(command)) return isAllowed(who, 'case show');
  return who !== 'nobody' && (ROLES[who] as readonly CommandName[]).includes(command);
}

/** `works`: it answered as it does to whom it is allowed. `refused`: IAM said no, to all of it or to a part. */
async function outcomeOf(who: Who, command: CommandName): Promise<string> {
  const [args, answer] = await CALLS[command](who);
  const { status, stdout, stderr } = await curfew(who, [...command.split(' '), ...args, '--instance', 'demo']);
  const said = (stdout + stderr).replaceAll(/IAM did not simulate\s+CreateKey:\s+AccessDenied/g, '');
  if (/AccessDenied/.test(said)) return 'refused';
  return answer.test(stdout) || answer.test(stderr) ? 'works' : `exit ${status}: ${stdout}${stderr}`;
}

const policyOf = (who: Who) => (who === 'nobody' ? undefined : instance.output(`Policy${pascal(who)}Arn`));

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
  const people = WHO.map((who) => personWith(who, policyOf(who)));
  const [, ...users] = await Promise.all([deployRing(instance, 'Create', config), ...people]);
  // The emulator serves an API under a path of its own.
  const apiId = instance.output('ApiId', 'offboarding');
  const CURFEW_API_URL = `${process.env.AWS_ENDPOINT_URL}/_aws/execute-api/${apiId}/$default`;
  for (const [n, who] of WHO.entries()) env[who] = { ...users[n], CURFEW_API_URL };
});

afterAll(async () => {
  await forgetRing(instance, RING);
  rmSync(dir, { recursive: true, force: true });
});

test('every command under every policy: what the table gives works, IAM refuses the rest', async () => {
  const expected = Object.fromEntries(
    commands.map((command) => [
      command,
      Object.fromEntries(whoAsks(command).map((who) => [who, isAllowed(who, command) ? 'works' : 'refused'])),
    ]),
  );
  const found = Object.fromEntries(commands.map((command) => [command, {} as Record<string, string>]));
  const ask = async (command: CommandName, who: Who) => {
    (found[command] as Record<string, string>)[who] = await outcomeOf(who, command);
  };
  // Those that change the ring mostly wait for its drain; meanwhile the others are asked.
  const changes = async () => {
    for (const command of CHANGES_RING)
      for (const who of whoAsks(command)) {
        await until('a STANDBY may sign', 60, ring, isReady);
        await ask(command, who);
      }
  };
  const looks = async () => {
    for (const command of commands.filter((one) => !CHANGES_RING.includes(one)))
      await Promise.all(whoAsks(command).map((who) => ask(command, who)));
  };
  await Promise.all([changes(), looks()]);
  process.stdout.write(matrix(found));
  expect(found).toEqual(expected);
});

function lambdaAs(who: Who): LambdaClient {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = env[who];
  return new LambdaClient({ credentials: { accessKeyId, secretAccessKey } });
}

/** A ring's configuration says whose keys are believed: CloudFormation alone asks for it. */
test.each(WHO)('IAM refuses %s to bear or change a ring beside a deployment', async (who) => {
  const before = await ring();
  const event = { RequestType: 'Update', ResourceProperties: { ring: JSON.stringify({ ...config, closing: true }) } };
  const FunctionName = instance.output('FunctionRingDeployerName');
  await expect(
    lambdaAs(who).send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) })),
  ).rejects.toMatchObject({
    name: 'AccessDeniedException',
  });
  expect(await ring()).toEqual(before);
});

test.each(['operator', 'responder'] as const)(
  'the rotator, which the %s may invoke, refuses what a deployment asks',
  async (who) => {
    const event = { RequestType: 'Update', ResourceProperties: { ring: JSON.stringify({ ...config, closing: true }) } };
    const FunctionName = instance.output('FunctionRotatorName');
    const before = await ring();
    const { FunctionError, Payload } = await lambdaAs(who).send(
      new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }),
    );
    expect([FunctionError, Buffer.from(Payload ?? []).toString()]).toEqual([
      expect.any(String),
      expect.stringContaining('the rotator does not know this operation'),
    ]);
    expect(await ring()).toEqual(before);
  },
);

/** The right names the one role that is asked about, as AWS has it; the emulator asks for a right on everything. */
const NOT_HERE = ['birth of keys'];

/** What the emulator does not tell anybody (figures of its own, states of alarms) is unknown as well. */
test('the doctor is refused nothing under the policies that have it', async () => {
  for (const who of ['operator', 'responder'] as const) {
    const { stdout } = await curfew(who, ['doctor', '--json', '--instance', 'demo']);
    const { findings } = JSON.parse(stdout) as { findings: { check: string; state: string; found: string }[] };
    const unknown = findings.filter(({ state }) => state === 'unknown');
    process.stdout.write(`doctor, ${who}: unknown ${unknown.map(({ check }) => check).join(', ')}\n`);
    const refused = unknown.filter(({ found }) => /AccessDenied/.test(found)).map(({ check }) => check);
    expect([who, [...new Set(refused)]]).toEqual([who, NOT_HERE]);
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
