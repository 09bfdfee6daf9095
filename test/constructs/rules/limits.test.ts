/** F-D6: what AWS would refuse for its size is refused at synth, with the value, the limit and the way out. */
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { parseConfiguration } from '../../../lib/config';
import { curfewStacks } from '../../../lib/stacks/curfew-stacks';
import { refusalsOf } from '../refusals';
import { EXAMPLE, NO_CODE, ofType, type Resources, synthesise, templatesOf } from '../synthesised';

const SOURCE = { scheme: 'standard-webhooks', corroboration: 'signed-fact' };
const sources = (count: number, length = 24) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`hr-${'x'.repeat(length - 6)}${100 + n}`, SOURCE]));
const refused = (changes: object) =>
  refusalsOf((app) => curfewStacks(app, parseConfiguration({ ...EXAMPLE, stage: 'trial', ...changes }), NO_CODE)).map(
    ({ says, fix }) => [says, fix],
  );

/** As Lambda counts, with 90 characters for every reference: no ARN here is longer. */
function environments(resources: Resources): [string, number][] {
  return ofType(resources, 'AWS::Lambda::Function').map(([id, { Properties }]) => {
    const text = (value: unknown): string => {
      if (typeof value === 'string') return value;
      const [between, parts] = (value as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join'] ?? ['', ['x'.repeat(90)]];
      return parts.map((part) => (typeof part === 'string' ? part : 'x'.repeat(90))).join(between);
    };
    const variables = Object.entries(Properties.Environment?.Variables ?? {}).map(([name, value]) => [
      name,
      text(value),
    ]);
    return [id, JSON.stringify(Object.fromEntries(variables)).length];
  });
}

describe('30 HR sources with long names', () => {
  const many = synthesise('production', { sources: sources(30, 31) });

  test('synthesise, and nothing is refused', () => {
    expect(refused({ sources: sources(30, 31) })).toEqual([]);
  });

  test('leave every environment below 4 KB, and are in none of them', () => {
    const all = [many.evidence, many.signing, many.offboarding].flatMap(environments);
    expect(all.length).toBeGreaterThan(25);
    for (const [id, bytes] of all) expect([id, bytes < 4096]).toEqual([id, true]);
    const functions = ofType(many.offboarding, 'AWS::Lambda::Function').map(([, { Properties }]) => Properties);
    expect(JSON.stringify(functions)).not.toContain('SecretWebhook');
  });

  test('leave the policies for people as they are with two', () => {
    const sizes = (resources: Resources) =>
      ofType(resources, 'AWS::IAM::ManagedPolicy').map(([id, { Properties }]) => [
        id,
        JSON.stringify(Properties.PolicyDocument).length,
      ]);
    expect(sizes(many.offboarding)).toEqual(sizes(templatesOf('production').offboarding));
  });
});

test('an environment that would be too large is refused, whoever made it so', () => {
  const publicBaseUrl = `https://keys.example.com/${'x'.repeat(3000)}`;
  const found = refused({ publicBaseUrl });
  expect(found.length).toBeGreaterThan(3);
  for (const [says, fix] of found) {
    expect(says).toMatch(
      /^the environment of [a-z-]+ would be larger than AWS allows; got about \d{4}; allowed: at most 4096$/,
    );
    expect(fix).toBe('shorten publicBaseUrl, logOrigin, or the names of the stacks');
  }
});

test('quotation marks count as Lambda counts them: twice within CURFEW_CONFIG', () => {
  const sizes = environments(templatesOf('trial').offboarding);
  expect(Math.max(...sizes.map(([, bytes]) => bytes))).toBeGreaterThan(1500);
  const refusedWith = (path: string) => refused({ publicBaseUrl: `https://keys.example.com/${path}` }).length;
  // They fit as they are. A quotation mark is `\\"` within CURFEW_CONFIG, and that is `\\\\\\"` within the variables.
  expect([refusedWith('x'.repeat(700)), refusedWith('"'.repeat(700)) > 0]).toEqual([0, true]);
});

test('150 sources fit as well: CDK splits what the intake may read over policies that IAM takes', () => {
  expect(refused({ sources: sources(150) })).toEqual([]);
});

test('a managed policy that IAM would not take is refused', () => {
  const found = refusalsOf((app) => {
    const { offboarding } = curfewStacks(app, parseConfiguration(EXAMPLE), NO_CODE);
    const resources = Array.from({ length: 120 }, (_, n) => `arn:aws:s3:::${'x'.repeat(40)}-${n}`);
    new ManagedPolicy(offboarding, 'Own', {
      statements: [new PolicyStatement({ actions: ['s3:GetObject'], resources })],
    });
  });
  expect(found.map(({ at, says }) => [at, says])).toEqual([
    [
      'curfew-example-offboarding/Own',
      expect.stringMatching(
        /^the managed policy Own\w+ would be larger than AWS allows; got about 7\d{3}; allowed: at most 6144$/,
      ),
    ],
  ]);
});

test('more outputs than CloudFormation takes are refused', () => {
  expect(refused({ sources: sources(190) })).toContainEqual([
    expect.stringMatching(
      /^the number of outputs in the template of stack curfew-example-offboarding would be larger than AWS allows; got about 2\d\d; allowed: at most 200$/,
    ),
    'configure fewer HR sources in one instance',
  ]);
});

test('a template that CloudFormation would not take is refused', () => {
  const found = refusalsOf((app) => {
    const { signing } = curfewStacks(app, parseConfiguration(EXAMPLE), NO_CODE);
    signing.addMetadata('Own', 'x'.repeat(1_000_000));
  });
  expect(found.map(({ says, fix }) => [says, fix])).toEqual([
    [
      expect.stringMatching(
        /^the template of stack curfew-example-signing would be larger than AWS allows; got about 1\d{6}; allowed: at most 1000000$/,
      ),
      'give some rings another stack: "stack": 2',
    ],
  ]);
});
