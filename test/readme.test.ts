import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { User } from 'aws-cdk-lib/aws-iam';
import { COMMANDS } from '../bin/commands';
import { examine } from '../bin/commands/doctor';
import { exportBundle } from '../bin/commands/evidence';
import { append } from '../lambdas/appender';
import { cutOff } from '../lambdas/cutter';
import { issue } from '../lambdas/issuer';
import { importPeople } from '../lambdas/people-import';
import { sequence } from '../lambdas/sequencer';
import { parseConfiguration } from '../lib/config';
import { RETENTION_DAYS } from '../lib/constructs/evidence/evidence-log';
import { EXPOSURE_CLASSES, STEPS } from '../lib/domain/cases/plan';
import { ROLES } from '../lib/domain/deployment/access';
import { METRICS } from '../lib/domain/deployment/metrics';
import { SETTINGS } from '../lib/domain/deployment/settings';
import { parseStatements } from '../lib/domain/intake/statement';
import { ALGORITHMS } from '../lib/domain/jose/algorithm';
import { RING_LIMITS } from '../lib/domain/rings/configuration';
import { EXEMPTABLE, parseExemptions } from '../lib/domain/rings/exemption';
import { STANDBYS } from '../lib/domain/rings/ring';
import { TABLES } from '../lib/domain/store/table';
import { parseExchange } from '../lib/domain/tokens/exchange';
import { curfewStacks, EvidenceLog, Offboarding, SigningKeyRing, SigningPlane } from '../lib/index';
import { World } from '../lib/local/world';
import type { VerifierOptions } from '../lib/verifier';
import { EXAMPLE, ofType, synthesise, unsynthesised } from './constructs/synthesised';
import { CASE, RECORDS, storedLists } from './domain/audit/test-case';
import { issueTo, RING, signingWorld, verifierOptionsOf } from './scenarios/signing-world';
import { looksAt } from './support/looks';

const PROJECT = resolve(__dirname, '..');
const README = readFileSync(join(PROJECT, 'README.md'), 'utf8');
const PACKAGE = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));

const section = (heading: string) => {
  const from = README.indexOf(`\n${heading}\n`);
  if (from < 0) throw new Error(`the README has no section ${heading}`);
  return README.slice(from + heading.length + 2).split(/^##/m)[0] ?? '';
};
const RING_JSON = { id: 'customer-api', issuer: 'https://login.example.com/customer-api', audience: 'orders' };

/** Blocks of one language, without the indent of a list. */
const blocks = (language: string) =>
  [...README.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, 'gm'))].map(
    ([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
const block = (language: string, holding: string) => {
  const [found, ...more] = blocks(language).filter((text) => text.includes(holding));
  if (found === undefined || more.length > 0)
    throw new Error(`the README has not one block of ${language} with ${holding}`);
  return found;
};
/** Cells of the body rows of the first table after a text; `\|` is a bar within a cell. */
function tableAfter(text: string): string[][] {
  const rows = README.slice(README.indexOf(text)).match(/(^\|.*\|\n)+/m)?.[0] ?? '';
  return rows
    .trim()
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
}
const unquoted = (cell = '') => cell.replaceAll('`', '');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'curfew-readme-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const curfew = (...args: string[]) =>
  spawnSync(process.execPath, [join(PROJECT, 'bin', 'curfew'), ...args], { encoding: 'utf8' });

describe('the order of a departure', () => {
  test('is the order in which the state machine is built', () => {
    const listed = [...section('## The order of a departure').matchAll(/^(\d+)\. `([a-z-]+)`: /gm)];
    expect(listed.map(([, n]) => Number(n))).toEqual(STEPS.map((_, index) => index + 1));
    expect(listed.map(([, , name]) => name)).toEqual(STEPS.map(({ name }) => name));
  });
});

describe('try it', () => {
  test('the commands are scripts, and Node and Python are as old as they may be', () => {
    const [install, demo] = block('sh', 'npm install').trim().split(' && ');
    expect([install, demo]).toEqual(['npm install', 'npm run demo']);
    expect(PACKAGE.scripts.demo).toMatch(/local\.ts demo$/);
    expect(`Node ${PACKAGE.engines.node.replace('>=', '≥ ')}`).toBe('Node ≥ 20.19');
    expect(section('## Try it')).toContain('Node ≥ 20.19 and Python ≥ 3.10');
  });

  test('each file that the table names is one that the demo writes', () => {
    const sources = ['summary', 'story', 'proof', 'before', 'after', 'departure'].map((name) =>
      readFileSync(join(PROJECT, 'bin', 'local', 'story', `${name}.ts`), 'utf8'),
    );
    const files = tableAfter('It leaves in `demo-out/`').flatMap(([names = '']) => unquoted(names).split(', '));
    expect(files.length).toBe(6);
    for (const file of files)
      expect([file, sources.some((source) => source.includes(file.replace(/\/$/, '')))]).toEqual([file, true]);
  });
});

describe('deploy it', () => {
  const templates = synthesise('trial');
  const stacks = [templates.evidence, templates.signing, templates.offboarding];
  const all = (type: string) => stacks.flatMap((stack) => ofType(stack, type).map(([, resource]) => resource));
  const count = (type: string) => all(type).length;
  const costs = tableAfter('### What it costs a month, idle');
  const costOf = (what: string) => costs.find(([name]) => name?.startsWith(what)) ?? [];

  test('the example parses, synthesises three stacks, and is named by every cdk command but bootstrap', () => {
    expect(parseConfiguration(EXAMPLE).instance).toBe('example');
    expect(Object.keys(templates.stacks)).toEqual(['evidence', 'signing', 'offboarding']);
    const commands = block('sh', 'cdk synth').trim().split('\n');
    expect(commands.map((command) => /npx cdk (\w+)/.exec(command)?.[1])).toEqual(['synth', 'bootstrap', 'deploy']);
    for (const command of commands.filter((one) => !one.includes('bootstrap')))
      expect(command).toMatch(/ -c config=\S+\.json/);
    expect(readFileSync(join(PROJECT, 'bin', 'app.ts'), 'utf8')).toContain("tryGetContext('config')");
  });

  test('the settings are those there are, with their defaults and limits', () => {
    const shown = tableAfter('`settings` in the configuration');
    const known = Object.entries(SETTINGS).map(([name, { default: value, min, max, says }]) => [
      `\`${name}\``,
      String(value),
      `${min}, ${max}`,
      says,
    ]);
    expect(shown).toEqual(known);
  });

  test('the members of a ring are those it has, with their defaults', () => {
    const rings = (more: object) => parseConfiguration({ ...EXAMPLE, rings: [{ ...RING_JSON, ...more }] }).rings;
    const [plain] = rings({}) as unknown as Record<string, unknown>[];
    const [full] = rings({ rotationCheckMinutes: 5, maxTtlSeconds: 60, standbyAgeSeconds: 1 });
    const shown = tableAfter('Each of the `rings`').map(
      ([members = '', value = '']) => [members.match(/\w+/g) ?? [], unquoted(value)] as const,
    );
    expect(shown.flatMap(([members]) => members).sort()).toEqual(Object.keys(full ?? {}).sort());
    const defaults = shown.filter(([, value]) => value !== '').map(([[member = ''], value]) => [member, value]);
    expect(defaults).toEqual(
      defaults.map(([member = '']) => [
        member,
        member === 'maxTtlSeconds'
          ? String(RING_LIMITS.maxTtlSeconds.default)
          : String(plain?.[member]).replace(/^$/, 'none'),
      ]),
    );
    for (const algorithm of Object.keys(ALGORITHMS)) expect(section('## Deploy it')).toContain(`\`${algorithm}\``);
  });

  test('the exemption shown is one, and every rule that can be let through is named', () => {
    const [, shown = ''] = /`"exemptions": (\[.*?\])`/.exec(README) ?? [];
    expect(parseExemptions(JSON.parse(shown), Date.parse('2026-11-22') / 1000)).toHaveLength(1);
    expect(/Rules:\n([\s\S]*?)\n\n/.exec(README)?.[1]?.match(/ERR_\w+/g)).toEqual(Object.keys(EXEMPTABLE));
  });

  test('the import is accepted, and the classes of custody are all there are', async () => {
    const world = new World();
    expect(await importPeople(JSON.parse(block('json', '"workers"')), world.deps('people-import'))).toEqual({
      imported: 3,
    });
    const classes = /Classes: ([^.]*)\./s.exec(README)?.[1] ?? '';
    expect(classes.match(/[a-z-]+(?=`)/g)).toEqual([...EXPOSURE_CLASSES]);
  });

  test('every output and role it names is there', () => {
    const outputs = Object.values(templates.stacks).flatMap((stack) => stack.node.children.map(({ node }) => node.id));
    for (const output of ['IntakeUrl', 'EvidenceReaderRoleArn', 'SecretWebhookPeopleSystemArn', 'PublicBaseUrl'])
      expect(outputs).toContain(output);
    const roles = all('AWS::IAM::Role').flatMap(({ Properties }) => Properties.RoleName ?? []);
    expect(roles.sort()).toEqual(['disabler', 'issuer', 'resigner', 'rotator'].map((name) => `curfew-example-${name}`));
    expect(section('### Remove it')).toContain('`curfew-{instance}-issuer`,\n   `-resigner`, `-rotator`, `-disabler`');
    expect(section('## Deploy it')).toContain(`(${RETENTION_DAYS.default} unless set)`);
  });

  test('what stays after a removal is what the templates retain', () => {
    const retained = (stage: 'trial' | 'production') => {
      const { evidence, signing, offboarding } = stage === 'trial' ? templates : synthesise('production');
      const kept = Object.values({ ...evidence, ...signing, ...offboarding }).filter(({ DeletionPolicy }) =>
        DeletionPolicy?.startsWith('Retain'),
      );
      return Object.fromEntries(
        [...new Set(kept.map(({ Type }) => Type))]
          .sort()
          .map((type) => [type, kept.filter(({ Type }) => Type === type).length]),
      );
    };
    expect(retained('trial')).toEqual({ 'AWS::S3::Bucket': 3 });
    expect(retained('production')).toEqual({
      'AWS::DynamoDB::GlobalTable': TABLES.length,
      'AWS::IAM::Role': 4,
      'AWS::KMS::Key': 4,
      'AWS::S3::Bucket': 3,
      'AWS::SecretsManager::Secret': 3,
      'Custom::CurfewRing': 1,
    });
    expect(section('### Remove it')).toMatch(/The three buckets always stay[\s\S]*ten tables[\s\S]*four KMS keys/);
  });

  test('the quantities of the bill follow from the templates', () => {
    expect(costOf('KMS keys')[1]).toBe(`${count('AWS::KMS::Key')} in the templates, ${STANDBYS + 1} of the ring`);
    expect(costOf('secrets')[1]).toBe(String(count('AWS::SecretsManager::Secret')));
    expect(costOf('CloudWatch')[0]).toContain(`${count('AWS::CloudWatch::Alarm')} alarms`);
    const schedules = all('AWS::Scheduler::Schedule').map(({ Properties }) => Properties.ScheduleExpression as string);
    const minutes = schedules.map((rate) => Number(/^rate\((\d+) minutes?\)$/.exec(rate)?.[1]));
    expect(minutes.sort()).toEqual([1, 1, 1, 1, 1, 5]);
    expect(costOf('custom metrics')[1]).toBe(
      // Of the ring, and of the worst of all rings.
      String(2 * Object.keys(METRICS).filter((name) => name !== 'KeyPolicyPuts').length),
    );
    expect(costOf('dashboard')[1]).toBe(String(count('AWS::CloudWatch::Dashboard')));
    const calls = minutes.reduce((sum, every) => sum + (30 * 24 * 60) / every, 0);
    for (const what of ['Scheduler', 'Lambda']) expect(costOf(what)[1]).toBe(calls.toLocaleString('en'));
  });

  test('the bill adds up', () => {
    const amounts = costs.map(([what, , , usd = '']) => ({
      what,
      cents: Math.round(Number(usd.replaceAll('*', '')) * 100),
    }));
    const together = amounts.find(({ what }) => what === '**together**')?.cents;
    expect(amounts.filter(({ what }) => what !== '**together**').reduce((sum, { cents }) => sum + cents, 0)).toBe(
      together,
    );
    for (const [, quantity = '', price = '', usd] of costs) {
      const [n, each, unit] = [
        quantity.replaceAll(',', ''),
        ...(/^([\d.]+)(?: per ([\w,]+))?$/.exec(price)?.slice(1) ?? []),
      ];
      const per = unit === undefined ? 1 : unit === 'million' ? 1_000_000 : Number(unit.replaceAll(',', ''));
      if (each !== undefined && /^\d+$/.test(n))
        expect([quantity, ((Number(n) / per) * Number(each)).toFixed(2)]).toEqual([quantity, usd]);
    }
  });
});

describe('use it', () => {
  test('the claims shown are issued, and live as long as they ask', async () => {
    const world = await signingWorld();
    const claims = JSON.parse(/-d '(\{.*\})'/.exec(block('sh', '/issue'))?.[1] ?? '');
    const { token, exp } = await issue(
      { op: 'issue', ring: RING, claims, callerArn: 'arn:test' },
      world.deps('issuer'),
    );
    expect([token.split('.').length, exp]).toEqual([3, world.clock.now() + claims.lifeSeconds]);
  });

  test('the verifier shown compiles, accepts a token, and refuses it once its subject is cut off', async () => {
    const within = join(PROJECT, '.curfew', `readme-${process.pid}`);
    mkdirSync(within, { recursive: true });
    try {
      writeFileSync(join(within, 'guard.ts'), block('ts', 'createVerifier'));
      writeFileSync(
        join(within, 'tsconfig.json'),
        JSON.stringify({ extends: '../../tsconfig.json', include: ['guard.ts'], exclude: [] }),
      );
      const { status, stdout } = spawnSync(join(PROJECT, 'node_modules', '.bin', 'tsc'), ['-p', within], {
        encoding: 'utf8',
      });
      expect([stdout, status]).toEqual(['', 0]);

      const { guard } = require(join(within, 'guard.ts')) as {
        guard(options: VerifierOptions): (bearer: string) => Promise<string | undefined>;
      };
      const world = await signingWorld();
      const ask = guard(await verifierOptionsOf(world));
      const token = await issueTo(world, 'member-1');
      expect(await ask(token)).toBe('member-1');

      const subjects = [{ type: 'sub' as const, value: 'member-1' }];
      await cutOff({ ring: RING, subjects, caseId: 'c-test', notBefore: world.clock.now() }, world.deps('cutter'));
      await world.functions.invoke('publisher', { ring: RING });
      world.clock.advance(SETTINGS.feedPollSeconds.default);
      expect(await ask(token)).toBeUndefined();
    } finally {
      rmSync(within, { recursive: true, force: true });
    }
  });

  test('the exchange shown is one that is understood', () => {
    const asked = [...block('sh', '/exchange').matchAll(/(?:-d |--data-urlencode )"?([a-z_]+)=([^\s"\\]+)/g)];
    const form = new URLSearchParams(asked.map(([, name = '', value = '']): [string, string] => [name, value]));
    expect(parseExchange(form.toString())).toEqual({ subjectToken: '$OLD' });
  });

  test('the HR fact shown is one, and so is each other type it names', () => {
    const fact = JSON.parse(block('json', 'worker.terminated'));
    const types = [...new Set(README.match(/worker\.[a-z_]+/g))];
    expect(types.length).toBe(5);
    for (const type of types)
      expect(parseStatements('standard-webhooks', Buffer.from(JSON.stringify({ ...fact, type })), 'd')).toMatchObject([
        { workerId: 'W-1042', effectiveAt: Date.parse('2026-11-30T09:00:00Z') / 1000 },
      ]);
  });

  test('the table of the CLI is its own usage', () => {
    const { stderr, status } = curfew('--help');
    const usage = stderr
      .split('\n')
      .filter((line) => line.startsWith('  curfew '))
      .map((line) => line.trim().replace(/\s+/g, ' '));
    expect([status, usage.length]).toEqual([0, Object.keys(COMMANDS).length]);
    expect(tableAfter('**The CLI**').map(([command, says]) => `curfew ${unquoted(command)} ${says}`)).toEqual(usage);
  });

  test('the roles and their commands are those of the policies', () => {
    const shown = tableAfter('`curfew-{instance}-operator`').map(([role = '', commands = '']) => [
      unquoted(role),
      unquoted(commands).split(', '),
    ]);
    expect(shown).toEqual(Object.entries(ROLES).map(([role, commands]) => [role, [...commands]]));
    const outputs = Object.values(synthesise('trial').stacks).flatMap((stack) =>
      stack.node.children.map(({ node }) => node.id),
    );
    for (const output of ['PolicyOperatorArn', 'PolicyResponderArn', 'PolicyAuditorArn'])
      expect(outputs).toContain(output);
  });

  test('the doctor shown is what it says of an instance that was deployed and not set up', async () => {
    const world = await signingWorld();
    await world.functions.invoke('publisher', { ring: RING });
    world.clock.advance(20);
    const looks = looksAt(world, {
      stage: { seen: 'trial' },
      webhookSecrets: async () => ({ PeopleSystem: { seen: false } }),
      people: async () => ({ seen: { items: 0, tableMadeAt: world.clock.now() - 900 } }),
      alarms: async (names) => ({ seen: names.map((name) => ({ name, state: 'OK', tells: false })) }),
      concurrency: async () => ({ seen: { limit: 1000 } }),
    });
    const { text, exitCode } = await examine({ clock: world.clock, tables: world.tables, http: world.http }, looks);
    expect(exitCode).toBe(1);
    // The kids of a run are its own.
    const known = (said: string) => said.replaceAll(/[\w-]{8}(?= (of the issuer|has issued|is Enabled))/g, '{kid}');
    expect(known(block('console', 'curfew doctor'))).toBe(known(`$ npx curfew doctor --instance example\n${text}\n`));
  });

  test('evidence verify says by its exit code whether the evidence holds', async () => {
    const world = new World();
    for (const [key, text] of storedLists(RECORDS)) await world.objects.put('evidence', key, Buffer.from(text));
    await append({ records: RECORDS }, world.deps('appender'));
    await sequence({}, world.deps('sequencer'));
    const objects = world.objects.restricted<'evidence:get' | 'heads:get'>(['evidence:get', 'heads:get']);
    const [whole, touched] = [join(folder, 'whole'), join(folder, 'touched')];
    await exportBundle({ case: CASE, dir: whole }, { objects, clock: world.clock });
    cpSync(whole, touched, { recursive: true });
    const tile = join(touched, 'tile', 'entries', '000.p', String(RECORDS.length));
    const bytes = readFileSync(tile);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(tile, bytes);

    const holds = curfew('evidence', 'verify', whole, '--vkey', readFileSync(join(whole, 'log.vkey'), 'utf8').trim());
    expect([holds.stderr, holds.status]).toEqual(['', 0]);
    expect(holds.stdout).toContain('the evidence holds');
    const fails = curfew('evidence', 'verify', touched);
    expect(fails.status).toBe(1);
    expect(fails.stdout).toMatch(/ERR_EVIDENCE_TREE[\s\S]*the evidence does not hold/);
  });

  test('the package exports what it says, under both of its names', () => {
    expect(PACKAGE.exports).toEqual({
      '.': './lib/index.ts',
      './verifier': './lib/verifier/index.ts',
      './package.json': './package.json',
    });
    const named = /\*\*Constructs\.\*\* (.*?) from `curfew`/s.exec(README)?.[1]?.match(/\w+(?=`)/g);
    const exported = [SigningKeyRing, SigningPlane, Offboarding, EvidenceLog, curfewStacks];
    expect(named).toEqual(exported.map(({ name }) => name));
  });

  test('the ring shown compiles, and synthesises in an app of ours', () => {
    const within = join(PROJECT, '.curfew', `readme-ring-${process.pid}`);
    mkdirSync(within, { recursive: true });
    try {
      writeFileSync(join(within, 'ring.ts'), block('ts', 'SigningKeyRing'));
      writeFileSync(
        join(within, 'tsconfig.json'),
        JSON.stringify({ extends: '../../tsconfig.json', include: ['ring.ts'], exclude: [] }),
      );
      const { status, stdout } = spawnSync(join(PROJECT, 'node_modules', '.bin', 'tsc'), ['-p', within], {
        encoding: 'utf8',
      });
      expect([stdout, status]).toEqual(['', 0]);

      const { partnerRing } = require(join(within, 'ring.ts')) as {
        partnerRing(scope: unknown, plane: SigningPlane, backEnd: unknown): SigningKeyRing;
      };
      const { app, stacks } = unsynthesised('trial');
      const backEnd = new User(stacks.signing, 'BackEnd');
      expect(partnerRing(stacks.signing, stacks.signing.plane, backEnd).config.verifiers).toHaveLength(2);
      expect(() => app.synth()).not.toThrow();
    } finally {
      rmSync(within, { recursive: true, force: true });
    }
  });

  test('another project imports both names through tsx', () => {
    const project = join(folder, 'node_modules', 'curfew');
    for (const part of ['package.json', 'tsconfig.json', 'lib'])
      cpSync(join(PROJECT, part), join(project, part), { recursive: true });
    writeFileSync(
      join(folder, 'app.mjs'),
      "import { createVerifier } from 'curfew/verifier';\nimport pkg from 'curfew/package.json' with { type: 'json' };\nconsole.log(typeof createVerifier, pkg.name);\n",
    );
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', require.resolve('tsx'), 'app.mjs'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect([stdout.trim(), stderr]).toEqual(['function curfew', expect.any(String)]);
  });
});
