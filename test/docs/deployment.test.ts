/** docs/deploy.md, configuration.md, cost.md, remove.md and constructs.md, against the templates of the example. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { User } from 'aws-cdk-lib/aws-iam';
import { parseConfiguration } from '../../lib/config';
import { RETENTION_DAYS } from '../../lib/constructs/evidence/evidence-log';
import { parsePublicConcurrency } from '../../lib/constructs/functions/public-concurrency';
import { CASE_METRICS, METRICS } from '../../lib/domain/deployment/metrics';
import { SETTINGS } from '../../lib/domain/deployment/settings';
import { ALGORITHMS } from '../../lib/domain/jose/algorithm';
import { RING_LIMITS } from '../../lib/domain/rings/configuration';
import { EXEMPTABLE, parseExemptions } from '../../lib/domain/rings/exemption';
import { STANDBYS } from '../../lib/domain/rings/ring';
import { TABLES } from '../../lib/domain/store/table';
import { curfewStacks, EvidenceLog, Offboarding, SigningKeyRing, SigningPlane } from '../../lib/index';
import { EXAMPLE, ofType, templatesOf, unsynthesised } from '../constructs/synthesised';
import { compiled } from './compiled';
import { Page, PROJECT, unquoted } from './page';

const [deploy, configuration, cost, remove, constructs] = [
  'deploy',
  'configuration',
  'cost',
  'remove',
  'constructs',
].map((name) => new Page(`docs/${name}.md`)) as [Page, Page, Page, Page, Page];
const RING = { id: 'customer-api', issuer: 'https://login.example.com/customer-api', audience: 'orders' };

const PUBLIC_CONCURRENCY = { account: 1000, 'well-known': 100, exchange: 50, 'was-issued': 20, intake: 20 };

const templates = templatesOf('trial');
const stacks = [templates.evidence, templates.signing, templates.offboarding];
const all = (type: string) => stacks.flatMap((stack) => ofType(stack, type).map(([, resource]) => resource));
const count = (type: string) => all(type).length;
/** Those of a CDN are there where there is one. */
const withCdn = unsynthesised('trial', { publicBaseUrl: 'https://{cdn}', cdn: {} });
const outputs = Object.values(withCdn.stacks).flatMap((stack) => stack.node.children.map(({ node }) => node.id));

describe('docs/deploy.md', () => {
  test('the example parses, synthesises three stacks, and is named by every cdk command but bootstrap', () => {
    expect(parseConfiguration(EXAMPLE).instance).toBe('example');
    expect(Object.keys(withCdn.stacks)).toEqual(['evidence', 'signing', 'offboarding']);
    const commands = deploy.block('sh', 'cdk synth').trim().split('\n');
    expect(commands.map((command) => /npx cdk (\w+)/.exec(command)?.[1])).toEqual(['synth', 'bootstrap', 'deploy']);
    for (const command of commands.filter((one) => !one.includes('bootstrap')))
      expect(command).toMatch(/ -c config=\S+\.json/);
    expect(readFileSync(join(PROJECT, 'bin', 'app.ts'), 'utf8')).toContain("tryGetContext('config')");
  });
});

test.each(['hr', 'verifier', 'cli', 'runbook'])('every output that docs/%s.md names is there', (name) => {
  // `SecretWebhook…Arn` stands for one output per HR source.
  const code = new Page(`docs/${name}.md`).text.matchAll(/`([A-Z]\w*(?:…\w+)?)`/g);
  const named = [...code].map(([, output = '']) => output).filter((output) => /(Arn|Url|Name|Id)$/.test(output));
  const isThere = (output: string) => outputs.some((id) => new RegExp(`^${output.replace('…', '\\w+')}$`).test(id));
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((output) => !isThere(output))).toEqual([]);
});

describe('docs/configuration.md', () => {
  const parsed = (more: object) => parseConfiguration({ ...EXAMPLE, rings: [{ ...RING, ...more }] });

  test('the members are those there are', () => {
    const shown = configuration
      .tableAfter('## Members')
      .map(([member = '', fallback = '']) => [unquoted(member), fallback]);
    const everything = parseConfiguration({
      ...EXAMPLE,
      evidenceRetentionDays: 400,
      alarmTopicArn: 'arn:aws:sns:us-east-1:111122223333:pager',
      cdn: {},
      publicConcurrency: PUBLIC_CONCURRENCY,
      approversTopicArn: 'arn:aws:sns:us-east-1:111122223333:approvers',
    });
    expect(shown.map(([member]) => member).sort()).toEqual(Object.keys(everything).sort());
    expect(shown).toContainEqual(['evidenceRetentionDays', String(RETENTION_DAYS.default)]);
    expect(configuration.text).toContain(`${RETENTION_DAYS.min} to ${RETENTION_DAYS.max}`);
    const required = shown.filter(([member, fallback]) => fallback === '' && member !== 'settings');
    for (const [member = ''] of required) {
      const { [member]: _gone, ...rest } = EXAMPLE;
      expect(() => parseConfiguration(rest)).toThrow(member);
    }
  });

  test('the concurrency shown is accepted', () => {
    const given = JSON.parse(configuration.block('json', '"publicConcurrency"'));
    expect(given).toEqual({ publicConcurrency: PUBLIC_CONCURRENCY });
    expect(parsePublicConcurrency(PUBLIC_CONCURRENCY)).toEqual(PUBLIC_CONCURRENCY);
  });

  test('the settings are those there are, with their defaults and limits', () => {
    const known = Object.entries(SETTINGS).map(([name, { default: value, min, max, says }]) => [
      `\`${name}\``,
      String(value),
      `${min}, ${max}`,
      says,
    ]);
    expect(configuration.tableAfter('## Settings')).toEqual(known);
  });

  test('the members of a ring are those it has, with their defaults', () => {
    const [plain] = parsed({}).rings as unknown as Record<string, unknown>[];
    const [full] = parsed({ rotationCheckMinutes: 5, maxTtlSeconds: 60, standbyAgeSeconds: 1 }).rings;
    const shown = configuration
      .tableAfter('## Rings')
      .map(([members = '', value = '']) => [members.match(/\w+/g) ?? [], unquoted(value)] as const);
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
    for (const algorithm of Object.keys(ALGORITHMS))
      expect(configuration.section('## Rings')).toContain(`\`${algorithm}\``);
  });

  test('the members of a source are those it has', () => {
    const shown = configuration.tableAfter('## Sources').map(([member = '']) => unquoted(member));
    const whole = { scheme: 'bamboohr', zone: 'Asia/Seoul', dateMeans: 'access-end', origin: 'sap' };
    const { hr } = parseConfiguration({ ...EXAMPLE, sources: { hr: whole } }).sources;
    expect([...shown].sort()).toEqual(Object.keys(hr ?? {}).sort());
  });

  test('the exemption shown is one, and every rule that can be let through is named', () => {
    const { exemptions } = JSON.parse(configuration.block('json', '"exemptions"'));
    expect(parseExemptions(exemptions, Date.parse('2026-11-22') / 1000)).toHaveLength(1);
    const rules = configuration.tableAfter('| rule | subject |').map(([rule = '']) => unquoted(rule));
    expect(rules).toEqual(Object.keys(EXEMPTABLE));
  });
});

describe('docs/cost.md', () => {
  const costs = cost.tableAfter('## Per month, idle');
  const costOf = (what: string) => costs.find(([name]) => name?.startsWith(what)) ?? [];

  test('the quantities follow from the templates', () => {
    expect(costOf('KMS keys')[1]).toBe(`${count('AWS::KMS::Key')} in the templates, ${STANDBYS + 1} of the ring`);
    expect(costOf('secrets')[1]).toBe(String(count('AWS::SecretsManager::Secret')));
    expect(costOf('CloudWatch')[0]).toContain(`${count('AWS::CloudWatch::Alarm')} alarms`);
    const schedules = all('AWS::Scheduler::Schedule').map(({ Properties }) => Properties.ScheduleExpression as string);
    const minutes = schedules.map((rate) => Number(/^rate\((\d+) minutes?\)$/.exec(rate)?.[1]));
    expect(minutes.sort()).toEqual([1, 1, 1, 1, 1, 1, 15, 15, 5]);
    expect(costOf('custom metrics')[1]).toBe(
      // Of the ring, and of the worst of all rings.
      String(
        2 * Object.keys(METRICS).filter((name) => name !== 'KeyPolicyPuts').length + Object.keys(CASE_METRICS).length,
      ),
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

describe('docs/remove.md', () => {
  test('what stays is what the templates retain', () => {
    const retained = (stage: 'trial' | 'production') => {
      const { evidence, signing, offboarding } = templatesOf(stage);
      const kept = Object.values({ ...evidence, ...signing, ...offboarding }).filter(({ DeletionPolicy }) =>
        DeletionPolicy?.startsWith('Retain'),
      );
      return Object.fromEntries(
        [...new Set(kept.map(({ Type }) => Type))]
          .sort()
          .map((type) => [type, kept.filter(({ Type }) => Type === type).length]),
      );
    };
    expect(retained('trial')).toEqual({ 'AWS::S3::Bucket': 3, 'AWS::S3::BucketPolicy': 3 });
    expect(retained('production')).toEqual({
      'AWS::DynamoDB::GlobalTable': TABLES.length,
      'AWS::IAM::Role': 5,
      'AWS::KMS::Key': 4,
      'AWS::S3::Bucket': 3,
      'AWS::S3::BucketPolicy': 3,
      'AWS::SecretsManager::Secret': 4,
      'Custom::CurfewRing': 1,
    });
    expect(remove.text).toMatch(
      /The three buckets and their policies always stay[\s\S]*eleven\s+tables[\s\S]*four\s+KMS keys/,
    );
  });

  test('the roles that stay are those with a fixed name', () => {
    const roles = all('AWS::IAM::Role').flatMap(({ Properties }) => Properties.RoleName ?? []);
    const [, names = ''] = /the roles\s+(`curfew-[\s\S]*?)\. /.exec(remove.text) ?? [];
    const shown = [...names.matchAll(/`(?:curfew-\{instance\})?-([\w-]+)`/g)].map(
      ([, name]) => `curfew-example-${name}`,
    );
    expect(shown.sort()).toEqual(roles.sort());
  });
});

describe('docs/constructs.md', () => {
  test('the package exports what is named', () => {
    const exported = { curfewStacks, EvidenceLog, SigningPlane, SigningKeyRing, Offboarding };
    const named = constructs.tableAfter('| export | is |').map(([name = '']) => unquoted(name));
    expect(named).toEqual(Object.keys(exported));
    for (const one of Object.values(exported)) expect(typeof one).toBe('function');
  });

  test('the ring shown compiles, and synthesises in an app of ours', async () => {
    await compiled('ring.ts', constructs.block('ts', 'SigningKeyRing'), (shown) => {
      const { partnerRing } = shown as {
        partnerRing(scope: unknown, plane: SigningPlane, backEnd: unknown): SigningKeyRing;
      };
      const { app, stacks: made } = unsynthesised('trial');
      const backEnd = new User(made.signing, 'BackEnd');
      expect(partnerRing(made.signing, made.signing.plane, backEnd).config.verifiers).toHaveLength(2);
      expect(() => app.synth()).not.toThrow();
    });
  });
});
