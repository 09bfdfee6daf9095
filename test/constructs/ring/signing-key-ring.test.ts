import { Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { EvidenceLog } from '../../../lib/constructs/evidence/evidence-log';
import type { Stage } from '../../../lib/constructs/parts/stage';
import { SigningKeyRing, type SigningKeyRingProps } from '../../../lib/constructs/ring/signing-key-ring';
import { SigningPlane } from '../../../lib/constructs/ring/signing-plane';
import { VerifierCache } from '../../../lib/constructs/ring/verifier-cache';
import { rightsFor } from '../../../lib/domain/deployment/access';
import { METRICS, type MetricName } from '../../../lib/domain/deployment/metrics';
import { parseSettings } from '../../../lib/domain/deployment/settings';
import { ALGORITHMS, type SigningAlgorithm } from '../../../lib/domain/jose/algorithm';
import { THOROUGH } from '../../support/extent';
import { refusedAtSynth } from '../refusals';
import { NO_CODE, newApp } from '../synthesised';
import { asList, ofType, type Resources, type Statement, templatesOf } from '../templates';

function plane(stage: Stage = 'trial'): SigningPlane {
  const stack = new Stack(newApp(), 'Own', { env: { region: 'us-east-1' } });
  const common = { stage, lambdas: NO_CODE };
  const settings = parseSettings();
  const evidence = new EvidenceLog(stack, 'Log', { ...common, instance: 'own', settings, origin: 'example.com/own' });
  return new SigningPlane(stack, 'Plane', { ...common, evidence, publicBaseUrl: 'https://keys.example.com' });
}

function ring(
  on: SigningPlane,
  id: string,
  props: Partial<Record<keyof SigningKeyRingProps, unknown>> = {},
  scope?: Construct,
) {
  return new SigningKeyRing(scope ?? Stack.of(on), `Ring-${id}`, {
    plane: on,
    ringId: id,
    issuer: `https://login.example.com/${id}`,
    audience: 'https://api.example.com',
    rotationSchedule: ScheduleExpression.rate(Duration.minutes(5)),
    ...props,
  } as SigningKeyRingProps);
}

const resourcesOf = (scope: Construct) => Template.fromStack(Stack.of(scope)).toJSON().Resources as Resources;

test('a ring is born by a custom resource that waits for every role and route, and is asked on schedule', () => {
  const { signing } = templatesOf('trial');
  const [, born] = ofType(signing, 'Custom::CurfewRing')[0] ?? [];
  expect(JSON.parse(born?.Properties.ring)).toEqual({
    id: 'customer-api',
    issuer: 'https://login.example.com/customer-api',
    audience: 'https://api.example.com',
    algorithm: 'ES256',
    periodSeconds: 2_592_000,
    maxTtlSeconds: 3600,
    verifiers: [],
    legacyKeys: [],
    closing: false,
    exemptions: [],
  });
  expect(JSON.parse(born?.Properties.settings)).toMatchObject({ verifierCacheSeconds: 600 });
  expect(born?.Properties.ServiceTimeout).toBe('300');
  for (const role of ['Issuer', 'Resigner', 'Rotator', 'Disabler']) expect(born?.DependsOn).toContain(`Role${role}`);

  const inputs = ofType(signing, 'AWS::Scheduler::Schedule').map(([, { Properties }]) => [
    Properties.ScheduleExpression,
    Properties.Target.Input,
  ]);
  expect(inputs).toContainEqual(['rate(5 minutes)', '{"op":"tick","ring":"customer-api"}']);
  expect(inputs).toContainEqual(['rate(1 minute)', '{"ring":"customer-api"}']);
});

test('an app has as many rings as it wants, of every algorithm', () => {
  const on = plane();
  for (const [n, algorithm] of Object.keys(ALGORITHMS).entries())
    ring(on, `ring-${'abcde'[n]}`, { algorithm: algorithm as SigningAlgorithm });
  const born = ofType(resourcesOf(on), 'Custom::CurfewRing').map(([id, { Properties }]) => [
    id,
    JSON.parse(Properties.ring).algorithm,
  ]);
  expect(born).toEqual([
    ['RingRingA', 'ES256'],
    ['RingRingB', 'ES384'],
    ['RingRingC', 'RS256'],
    ['RingRingD', 'PS256'],
    ['RingRingE', 'EdDSA'],
  ]);
});

describe('kms.throttled, F-D1: KMS creates five keys a second, and CloudFormation makes all at once what depends on nothing', () => {
  /** Each ring with the rings that its resource waits for. */
  const waits = (resources: Resources) =>
    Object.fromEntries(
      ofType(resources, 'Custom::CurfewRing').map(([id, { DependsOn }]) => [
        id,
        (DependsOn ?? []).filter((other) => resources[other]?.Type === 'Custom::CurfewRing'),
      ]),
    );
  const chainOf = (names: readonly string[]) =>
    Object.fromEntries(names.map((id, n) => [id, names.slice(0, n).slice(-1)]));
  const letter = (n: number) => `${'abcdef'[n % 6]}${'ghijk'[Math.floor(n / 6)]}`;
  const idsOf = (count: number) => Array.from({ length: count }, (_, n) => `ring-${letter(n)}`);
  const nameOf = (id: string) => `RingRing${id.slice(5, 6).toUpperCase()}${id.slice(6)}`;

  // At night, as many as births.test.ts has born.
  test.each(THOROUGH ? [12, 30] : [12])('%i rings are born one after another', (count) => {
    const on = plane();
    for (const id of idsOf(count)) ring(on, id);
    expect(waits(resourcesOf(on))).toEqual(chainOf(idsOf(count).map(nameOf)));
  });

  test('a ring taken out of the middle leaves a chain, and changes nothing else of those that stay', () => {
    const [all, fewer] = [idsOf(12), idsOf(12).filter((_, n) => n !== 5)].map((ids) => {
      const on = plane();
      for (const id of ids) ring(on, id);
      return resourcesOf(on);
    }) as [Resources, Resources];
    const left = idsOf(12)
      .filter((_, n) => n !== 5)
      .map(nameOf);
    expect(waits(fewer)).toEqual(chainOf(left));
    for (const id of left) expect(fewer[id]?.Properties).toEqual(all[id]?.Properties);
  });

  test('rings of two stacks make two chains: CloudFormation knows no order across stacks but that of the stacks', () => {
    const on = plane();
    const other = new Stack(on.node.root as never, 'Other', { env: { region: 'us-east-1' } });
    for (const id of ['ring-ag', 'ring-bg']) ring(on, id);
    for (const id of ['ring-cg', 'ring-dg']) ring(on, id, {}, other);
    expect([waits(resourcesOf(on)), waits(resourcesOf(other))]).toEqual([
      chainOf(['RingRingAg', 'RingRingBg']),
      chainOf(['RingRingCg', 'RingRingDg']),
    ]);
  });
});

test('what is declared of a ring reaches the rotator', () => {
  const on = plane();
  const { config } = ring(on, 'partners', {
    period: Duration.days(7),
    maxTtl: Duration.minutes(10),
    standbyAge: Duration.days(1),
    verifiers: [
      { name: 'orders-service', cache: VerifierCache.of(Duration.hours(12)) },
      { name: 'gateway', cache: VerifierCache.UNBOUNDED },
    ],
    closing: true,
  });
  expect(config).toMatchObject({
    periodSeconds: 604_800,
    maxTtlSeconds: 600,
    standbyAgeSeconds: 86_400,
    verifiers: [
      { name: 'orders-service', cacheSeconds: 43_200 },
      { name: 'gateway', cacheSeconds: 'unbounded' },
    ],
    closing: true,
  });
  expect(JSON.parse(resourcesOf(on).RingPartners?.Properties.ring)).toEqual(JSON.parse(JSON.stringify(config)));
});

describe('the resource that carries a ring', () => {
  test('has the same logical id wherever its construct moves', () => {
    const ids = [undefined, 'Markets', 'Markets/Europe'].map((path) => {
      const on = plane();
      const scope = (path?.split('/') ?? []).reduce<Construct>((at, id) => new Construct(at, id), Stack.of(on));
      ring(on, 'customer-api', {}, scope);
      return Object.entries(resourcesOf(on))
        .filter(([, { Type }]) => ['Custom::CurfewRing', 'AWS::CloudWatch::Alarm'].includes(Type))
        .map(([id]) => id);
    });
    expect(ids[0]).toContain('RingCustomerApi');
    expect(ids[0]).toContain('AlarmCustomerApiFeedAge');
    expect(ids).toEqual([ids[0], ids[0], ids[0]]);
  });

  test.each([
    ['production', 'RetainExceptOnCreate', 'Retain'],
    ['trial', 'Delete', 'Delete'],
  ] as const)('of a %s stage: on deletion %s', (stage, deletion, replacement) => {
    const on = plane(stage);
    ring(on, 'customer-api');
    expect(resourcesOf(on).RingCustomerApi).toMatchObject({
      DeletionPolicy: deletion,
      UpdateReplacePolicy: replacement,
    });
  });

  test('may stand in a stack of its own', () => {
    const on = plane();
    const own = new Stack(on.node.root as Construct, 'Partners', { env: { region: 'us-east-1' } });
    ring(on, 'partners', {}, own);
    expect(refusedAtSynth(on.node.root as never)).toEqual([]);
    expect(own.dependencies).toEqual([Stack.of(on)]);
  });
});

describe('a ring that is refused', () => {
  test('stands in the report with everything else that is wrong, and does not stop who builds on it', () => {
    const on = plane();
    const role = new Role(Stack.of(on), 'BackEnd', { assumedBy: new AccountRootPrincipal() });
    const seldom = ring(on, 'customer-api', {
      period: Duration.days(91),
      rotationSchedule: ScheduleExpression.rate(Duration.hours(2)),
    });
    const young = ring(on, 'partners', {
      standbyAge: Duration.minutes(5),
      verifiers: [{ name: 'orders', cache: VerifierCache.of(Duration.minutes(10)) }],
    });
    const never = ring(on, 'Bad Name', { rotationSchedule: undefined });
    for (const refused of [seldom, young, never]) {
      refused.grantIssue(role);
      refused.metricFeedAge();
      expect(refused.alarms.all.length).toBe(8);
    }
    expect(refusedAtSynth(on.node.root as never)).toEqual([
      {
        code: 'ERR_RING_LIMIT',
        at: 'Own/Ring-customer-api',
        says:
          'the rotation period of ring customer-api is outside its limits; ' +
          'got 91 d; allowed: 1 h to 90 d, in whole seconds',
        fix: 'change periodDays in a configuration file, period of SigningKeyRing, or get a dated exemption from ERR_RING_LIMIT approved',
      },
      {
        code: 'ERR_RING_SCHEDULE',
        at: 'Own/Ring-customer-api',
        says:
          'the rotation schedule of ring customer-api is a rate of 1 to 60 minutes; ' +
          'got rate(2 hours); allowed: rate(1 minute) to rate(60 minutes)',
        fix: 'set rotationSchedule: ScheduleExpression.rate(Duration.minutes(5))',
      },
      {
        code: 'ERR_RING_STANDBY_AGE',
        at: 'Own/Ring-partners',
        says: 'a STANDBY of ring partners could sign before every verifier knows it; got 5 min; allowed: 11 min or more: propagation and the largest declared verifier cache',
        fix: 'leave it out, or give more: standbyAgeSeconds in a configuration file, standbyAge of SigningKeyRing',
      },
      {
        code: 'ERR_CONFIG_INVALID',
        at: 'Own/Ring-Bad Name',
        says: 'the ring id is not a short lower-case name; got Bad Name; allowed: /^[a-z][a-z0-9-]{1,38}[a-z0-9]$/',
        fix: 'name the ring after the purpose of its tokens: customer-api',
      },
      {
        code: 'ERR_RING_SCHEDULE',
        at: 'Own/Ring-Bad Name',
        says: 'ring Bad Name has no rotation schedule; got nothing; allowed: rate(1 minute) to rate(60 minutes)',
        fix: 'set rotationSchedule: ScheduleExpression.rate(Duration.minutes(5))',
      },
    ]);
  });

  test.each([
    ScheduleExpression.rate(Duration.days(1)),
    ScheduleExpression.expression('cron(0 3 * * ? *)'),
    ScheduleExpression.expression('rate(0 minutes)'),
    ScheduleExpression.expression('rate(61 minutes)'),
    ScheduleExpression.at(new Date('2026-11-22T12:00:00Z')),
    ScheduleExpression.expression(''),
  ])('is one whose schedule asks too seldom, or not at a rate: %j', (rotationSchedule) => {
    const on = plane();
    ring(on, 'customer-api', { rotationSchedule });
    expect(refusedAtSynth(on.node.root as never).map(({ code }) => code)).toEqual(['ERR_RING_SCHEDULE']);
  });

  test.each(['customer-api', 'customerapi-1', 'customer--api'])('is the second of one name: %s', (id) => {
    const on = plane();
    ring(on, id.startsWith('customerapi') ? 'customerapi1' : 'customer-api');
    ring(on, id, {}, new Construct(Stack.of(on), 'Elsewhere'));
    expect(refusedAtSynth(on.node.root as never)).toEqual([
      {
        code: 'ERR_CONFIG_INVALID',
        at: `Own/Elsewhere/Ring-${id}`,
        says: `two rings have the id ${id}; got ${id}; allowed: ids that differ in more than their hyphens`,
        fix: 'give each ring an id of its own',
      },
    ]);
  });

  test('keeps what it was given, for the rotator to refuse should it come that far', () => {
    const on = plane();
    expect(ring(on, 'customer-api', { period: Duration.days(400) }).config.periodSeconds).toBe(34_560_000);
  });
});

describe('grantIssue', () => {
  test('is a right to call one route, and none of KMS', () => {
    const on = plane();
    const role = new Role(Stack.of(on), 'BackEnd', { assumedBy: new AccountRootPrincipal() });
    expect(ring(on, 'customer-api').grantIssue(role).success).toBe(true);
    ring(on, 'partners');
    const [statement, ...more] = statementsOf(resourcesOf(on), 'BackEnd');
    const api = { Ref: 'ApiSigning' };
    const route = '/$default/POST/r/customer-api/issue';
    const arn = ['arn:aws:execute-api:us-east-1:', { Ref: 'AWS::AccountId' }, ':', api, route];
    expect([statement, more]).toEqual([
      { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: { 'Fn::Join': ['', arn] } },
      [],
    ]);
    expect(refusedAtSynth(on.node.root as never)).toEqual([]);
  });

  test('of a ring that another app made names the same route', () => {
    const stack = new Stack(newApp(), 'BackEnd', { env: { region: 'us-east-1', account: '111122223333' } });
    const role = new Role(stack, 'Role', { assumedBy: new AccountRootPrincipal() });
    const known = SigningKeyRing.fromSigningKeyRingAttributes(stack, 'Ring', {
      ringId: 'customer-api',
      instance: 'own',
      apiId: 'abc123',
      publicBaseUrl: 'https://keys.example.com',
    });
    known.grantIssue(role);
    expect(known.url).toBe('https://keys.example.com/r/customer-api');
    expect(known.metricFeedAge().dimensions).toEqual({ Instance: 'own', Ring: 'customer-api' });
    expect(statementsOf(resourcesOf(stack), 'Role')).toEqual([
      {
        Effect: 'Allow',
        Action: 'execute-api:Invoke',
        Resource: 'arn:aws:execute-api:us-east-1:111122223333:abc123/$default/POST/r/customer-api/issue',
      },
    ]);
    expect(() => known.grantAdminister(role)).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG_INVALID',
        message: 'ring customer-api was imported without its functions and its keys table',
        fix: 'give functionNames and keysTableName to fromSigningKeyRingAttributes',
      }),
    );
  });
});

test('grantAdminister invokes what the CLI invokes and reads what it reads; it signs nothing', () => {
  const on = plane();
  const role = new Role(Stack.of(on), 'Responder', { assumedBy: new AccountRootPrincipal() });
  ring(on, 'customer-api').grantAdminister(role);
  const resources = resourcesOf(on);
  const statements = statementsOf(resources, 'Responder');
  expect(statements.map(({ Action }) => Action)).toEqual([
    'lambda:InvokeFunction',
    'dynamodb:Query',
    'cloudformation:DescribeStacks',
  ]);
  const [invoked, queried, described] = statements.map(({ Resource: resource }) => asList(resource));
  const functions = (invoked as { 'Fn::GetAtt': [string] }[]).map(({ 'Fn::GetAtt': [id] }) => resources[id]);
  const commands = ['ring list', 'ring show', 'ring rotate', 'ring taint', 'ring halt', 'ring resume'] as const;
  const needed = rightsFor(commands).flatMap((right) => /^invoke:((?!taint-opener).*)$/.exec(right)?.[1] ?? []);
  // Whose case it is to end a key stands in another construct: with this grant `ring taint` goes with --direct.
  expect(functions.map((fn) => fn?.Properties.Environment.Variables.CURFEW_FUNCTION).sort()).toEqual(needed.sort());
  const others = rightsFor(commands).filter((right) => !right.startsWith('invoke:'));
  expect(others).toEqual(['stacks:look', 'keys:query', 'cases:get']);
  expect(queried).toEqual([{ 'Fn::GetAtt': ['TableKeys', 'Arn'] }]);
  expect(JSON.stringify(described)).toContain(':stack/curfew-own-*/*');
  expect(refusedAtSynth(on.node.root as never)).toEqual([]);
});

test('grantAdminister of an imported ring names the same functions, by the outputs of the signing stack', () => {
  const stack = new Stack(newApp(), 'Ops', { env: { region: 'us-east-1', account: '111122223333' } });
  const role = new Role(stack, 'Role', { assumedBy: new AccountRootPrincipal() });
  SigningKeyRing.fromSigningKeyRingAttributes(stack, 'Ring', {
    ringId: 'customer-api',
    instance: 'own',
    apiId: 'abc123',
    publicBaseUrl: 'https://keys.example.com',
    functionNames: { rotator: 'R', taint: 'T', halt: 'H', publisher: 'P', committer: 'C', resigner: 'S' },
    keysTableName: 'keys-table',
  }).grantAdminister(role);
  const text = JSON.stringify(statementsOf(resourcesOf(stack), 'Role'));
  for (const name of ['R', 'T', 'H', 'P', 'C', 'S'])
    expect(text).toContain(`:lambda:us-east-1:111122223333:function:${name}"`);
  expect(text).toContain(':dynamodb:us-east-1:111122223333:table/keys-table"');
});

test('each figure of a ring is a metric of its own name, of this instance and this ring', () => {
  const on = plane();
  const made = ring(on, 'customer-api');
  const metrics: Record<MetricName, unknown> = {
    ActiveKeyAge: made.metricActiveKeyAge(),
    StandbyKeys: made.metricStandbyKeys(),
    RotationOverdue: made.metricRotationOverdue(),
    FeedAge: made.metricFeedAge(),
    KeyPolicyDrift: made.metricKeyPolicyDrift(),
    InspectionAge: made.metricInspectionAge(),
    UndisabledKeys: made.metricUndisabledKeys(),
    KeyPolicyPuts: made.metricKeyPolicyPuts(),
  };
  for (const name of Object.keys(METRICS) as MetricName[])
    expect(metrics[name]).toMatchObject({
      namespace: 'Curfew',
      metricName: name,
      dimensions: { Instance: 'own', Ring: 'customer-api' },
      statistic: name === 'StandbyKeys' ? 'Minimum' : 'Maximum',
    });
  expect(made.metric('FeedAge', { statistic: 'p99', label: 'feed' })).toMatchObject({
    statistic: 'p99',
    label: 'feed',
  });
});

function statementsOf(resources: Resources, role: string): Statement[] {
  return ofType(resources, 'AWS::IAM::Policy')
    .filter(([, { Properties }]) => Properties.Roles.some(({ Ref }: { Ref: string }) => Ref.startsWith(role)))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement as Statement[]);
}
