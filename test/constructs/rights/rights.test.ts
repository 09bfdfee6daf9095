import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type Document, lenient } from '../../../emulator/conditions';
import { CurfewFunction } from '../../../lib/constructs/functions/curfew-function';
import { type FunctionName, RIGHTS, type Right } from '../../../lib/domain/deployment/rights';
import { TABLES } from '../../../lib/domain/store/table';
import { NO_CODE, synthesise } from '../synthesised';
import { asList, ofType, type Resource, type Resources, type Statement } from '../templates';

const { evidence, signing, offboarding, stacks } = synthesise();
const all: Resources = { ...evidence, ...signing, ...offboarding };

/** What each right may become, written a second time and by hand. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  get: ['dynamodb:GetItem'],
  query: ['dynamodb:Query'],
  scan: ['dynamodb:Scan'],
  put: ['dynamodb:PutItem'],
  update: ['dynamodb:UpdateItem'],
  delete: ['dynamodb:DeleteItem'],
  check: ['dynamodb:ConditionCheckItem'],
  'evidence:get': ['s3:GetObject', 's3:ListBucket'],
  'evidence:put': ['s3:PutObject'],
  'evidence:list': ['s3:ListBucket'],
  'heads:get': ['s3:GetObject', 's3:ListBucket'],
  'heads:put': ['s3:PutObject'],
  'heads:list': ['s3:ListBucket'],
  'public:get': ['s3:GetObject', 's3:ListBucket'],
  'public:put': ['s3:PutObject'],
  invoke: ['lambda:InvokeFunction'],
  'sign:ring': [],
  'sign:feed': [],
  'sign:checkpoint': [],
  'kms:lifecycle': ['kms:CreateKey', 'kms:TagResource', 'tag:GetResources', 'kms:ListGrants'],
  'kms:disable': [],
  seal: ['dynamodb:GetItem', 'dynamodb:PutItem', 'kms:GenerateDataKey', 'kms:Decrypt'],
  'secret:webhook': ['secretsmanager:GetSecretValue'],
  'hr-sources:get': ['secretsmanager:GetSecretValue'],
  'secret:pepper': ['secretsmanager:GetSecretValue'],
  'iam:read': ['iam:GetUser', 'iam:ListAccessKeys', 'iam:GetLoginProfile', 'iam:ListAttachedUserPolicies'],
  'iam:latch': ['iam:AttachUserPolicy', 'iam:TagUser'],
  'iam:disable': ['iam:UpdateAccessKey', 'iam:DeleteLoginProfile'],
  'iam:release': ['iam:DetachUserPolicy', 'iam:UntagUser'],
  'iam:enable': ['iam:UpdateAccessKey'],
  'kms:enable': [],
  'stacks:status': ['cloudformation:DescribeStacks'],
  'workflow:start': ['states:StartExecution', 'states:DescribeExecution'],
  'events:put': ['events:PutEvents'],
  'metrics:put': ['cloudwatch:PutMetricData'],
  'http:get': [],
};
const LOGS = ['logs:CreateLogStream', 'logs:PutLogEvents'];
/** DynamoDB encrypts the bodies under a key of ours, and asks for it in the caller's name. */
const BODIES_KEY = [
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];
const KNOW_NO_RESOURCE: { readonly [F in FunctionName]?: readonly string[] } = {
  rotator: ['kms:CreateKey', 'tag:GetResources'],
  'ring-deployer': ['kms:CreateKey', 'tag:GetResources'],
  watch: ['cloudwatch:PutMetricData'],
  ticker: ['cloudwatch:PutMetricData'],
};
const READS_A_STREAM: readonly FunctionName[] = ['outbox-signing', 'outbox-offboarding', 'case-folder', 'decider'];
const DEAD_LETTERS = ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl', 'sqs:SendMessage'];
const STREAM = ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'];
/** By a schedule or a rule, which do not wait for the outcome; the ring deployer is in the role of one of them. */
const CALLED_AND_LEFT: readonly FunctionName[] = [
  'rotator',
  'ring-deployer',
  'publisher',
  'committer',
  'watch',
  'ticker',
  'rechecker',
  'sweeper-signing',
  'sweeper-offboarding',
  'sequencer',
];

function expectedActions(name: FunctionName): string[] {
  const rights = RIGHTS[name] as readonly Right[];
  const actions = rights.flatMap((right) => {
    const [subject = '', verb = ''] = right.split(':');
    const found = ACTIONS[right] ?? (subject === 'invoke' ? ACTIONS.invoke : ACTIONS[verb]);
    if (!found) throw new Error(`the test does not know the right ${right}`);
    return found;
  });
  const bodies = rights.some((right) => right.startsWith('bodies:')) ? BODIES_KEY : [];
  const stream = READS_A_STREAM.includes(name) ? STREAM : [];
  const failures = CALLED_AND_LEFT.includes(name) ? DEAD_LETTERS : [];
  return [...new Set([...actions, ...LOGS, ...bodies, ...stream, ...failures])].sort();
}

function functionOf(name: FunctionName): Resource {
  const found = ofType(all, 'AWS::Lambda::Function').find(
    ([, { Properties }]) => Properties.Environment?.Variables?.CURFEW_FUNCTION === name,
  );
  if (!found) throw new Error(`no function ${name}`);
  return found[1];
}

function statementsOf(name: FunctionName): Statement[] {
  const role = functionOf(name).Properties.Role['Fn::GetAtt'][0] as string;
  expect(all[role]?.Properties.ManagedPolicyArns).toBeUndefined();
  expect(all[role]?.Properties.Policies).toBeUndefined();
  return ofType(all, 'AWS::IAM::Policy')
    .filter(([, { Properties }]) => Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === role))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement as Statement[]);
}

describe.each(Object.keys(RIGHTS) as FunctionName[])('%s', (name) => {
  test('may do what its row of RIGHTS says, and write its log', () => {
    const actions = statementsOf(name).flatMap(({ Action }) => asList(Action));
    expect([...new Set(actions)].sort()).toEqual(expectedActions(name));
  });

  test('has no statement on every resource, but for the calls that know none', () => {
    const everything = statementsOf(name).filter(({ Resource: resource }) => asList(resource).includes('*'));
    const actions = everything.flatMap(({ Action }) => asList(Action)).sort();
    expect(actions).toEqual(KNOW_NO_RESOURCE[name] ?? []);
  });

  test('is told the address of each thing it has a right to', () => {
    const variables = Object.keys(functionOf(name).Properties.Environment.Variables);
    for (const right of RIGHTS[name] as readonly Right[]) {
      const [subject = '', verb = ''] = right.split(':');
      const slug = (text: string) => text.toUpperCase().replaceAll('-', '_');
      if (subject === 'invoke') expect(variables).toContain(`CURFEW_INVOKE_${slug(verb)}`);
      else if (['evidence', 'heads', 'public'].includes(subject))
        expect(variables).toContain(`CURFEW_BUCKET_${slug(subject)}`);
      else if ((TABLES as readonly string[]).includes(subject))
        expect(variables).toContain(`CURFEW_TABLE_${slug(subject)}`);
    }
  });
});

test('no identity policy anywhere grants a right to sign: it stands in key policies alone', () => {
  const statements = Object.values(all)
    .filter(({ Type }) => ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].includes(Type))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[])
    .filter(({ Effect }) => Effect === 'Allow');
  const actions = statements.flatMap(({ Action }) => asList(Action));
  expect(actions.length).toBeGreaterThan(100);
  expect(actions.filter((action) => /^(\*|kms:\*|kms:Sign.*|kms:S?\*|kms:CreateGrant)$/i.test(action))).toEqual([]);
});

test('the key of a table is used through DynamoDB alone, with every right that DynamoDB documents but CreateGrant', () => {
  const names = (Object.keys(RIGHTS) as FunctionName[]).filter((name) =>
    (RIGHTS[name] as readonly Right[]).some((right) => right.startsWith('bodies:')),
  );
  expect(names.length).toBeGreaterThan(1);
  for (const name of names) {
    const used = statementsOf(name).filter(({ Action }) => asList(Action).includes('kms:ReEncryptTo'));
    expect(used.length).toBeGreaterThan(0);
    for (const { Action, Condition } of used) {
      expect([...asList(Action)].sort()).toEqual(BODIES_KEY);
      expect(JSON.stringify(Condition)).toMatch(/kms:ViaService.*dynamodb\./);
    }
  }
});

test('kms.lockout: a ring key is born with the bypass alone, and nobody may change a key policy', () => {
  for (const name of ['rotator', 'ring-deployer'] as const) {
    const births = statementsOf(name).filter(({ Action }) => asList(Action).includes('kms:CreateKey'));
    expect(births.map(({ Condition }) => (Condition as { BoolIfExists?: unknown }).BoolIfExists)).toEqual([
      { 'kms:BypassPolicyLockoutSafetyCheck': 'true' },
    ]);
  }
  const actions = (Object.keys(RIGHTS) as FunctionName[]).flatMap(statementsOf).flatMap(({ Action }) => asList(Action));
  expect(actions.filter((action) => /PutKeyPolicy/i.test(action))).toEqual([]);
});

test('the five roles that key policies name have their fixed names, and stay', () => {
  const named = ofType(all, 'AWS::IAM::Role').filter(([, { Properties }]) => Properties.RoleName !== undefined);
  expect(named.map(([, { Properties, DeletionPolicy }]) => [Properties.RoleName, DeletionPolicy]).sort()).toEqual([
    ['curfew-example-disabler', 'RetainExceptOnCreate'],
    ['curfew-example-issuer', 'RetainExceptOnCreate'],
    ['curfew-example-key-enabler', 'RetainExceptOnCreate'],
    ['curfew-example-resigner', 'RetainExceptOnCreate'],
    ['curfew-example-rotator', 'RetainExceptOnCreate'],
  ]);
});

describe('the ring deployer', () => {
  const [id = ''] =
    ofType(signing, 'AWS::Lambda::Function').find(
      ([, { Properties }]) => Properties.Environment.Variables?.CURFEW_FUNCTION === 'ring-deployer',
    ) ?? [];
  const names = (what: unknown) => JSON.stringify(what).includes(`"${id}"`);

  test('runs in the role of the rotator, which key policies name, with the same rights', () => {
    expect(RIGHTS['ring-deployer']).toEqual(RIGHTS.rotator);
    expect(functionOf('ring-deployer').Properties.Role).toEqual(functionOf('rotator').Properties.Role);
  });

  test('is invoked by the provider of custom resources and by nobody else', () => {
    const policies = Object.values(all).filter(
      ({ Type, Properties }) => /^AWS::IAM::|^AWS::Lambda::Permission$/.test(Type) && names(Properties),
    );
    expect(policies.map(({ Properties }) => Properties.Roles)).toEqual([[{ Ref: 'RoleRingProvider' }]]);
    // No schedule, no route, no stream, and no output by which another stack could grant it, but its name.
    const callers = Object.values(all).filter(
      ({ Type, Properties }) =>
        /^AWS::(Scheduler|Events|ApiGatewayV2)::|EventSourceMapping$/.test(Type) && names(Properties),
    );
    expect(callers).toEqual([]);
    const outputs = Template.fromStack(stacks.signing).toJSON().Outputs as Record<string, unknown>;
    const naming = Object.entries(outputs).flatMap(([output, value]) => (names(value) ? [output] : []));
    expect(naming).toEqual(['FunctionRingDeployerName']);
  });

  test('is the one that CloudFormation is given, not the rotator', () => {
    expect(signing.FunctionRingProvider?.Properties.Environment.Variables.USER_ON_EVENT_FUNCTION_ARN).toEqual({
      'Fn::GetAtt': [id, 'Arn'],
    });
  });
});

test('a function does not run in the role of one that has other rights', () => {
  const { plane } = synthesise('trial').stacks.signing;
  const share = () =>
    new CurfewFunction(Stack.of(plane), 'Sharing', {
      name: 'well-known',
      lambdas: NO_CODE,
      stage: 'trial',
      config: plane.config,
      targets: plane.targets,
      roleOf: plane.rotator,
    });
  expect(share).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFIG_INVALID',
      message: 'well-known shares a role with a function of other rights',
    }),
  );
});

test('of the locked bucket the committer writes the token lists and the sequencer the tree, neither the other’s', () => {
  const keysOf = (name: FunctionName) =>
    statementsOf(name)
      .filter(({ Action }) => asList(Action).includes('s3:PutObject'))
      .flatMap(({ Resource: resource }) => asList(resource))
      .map((arn) => JSON.stringify(arn))
      .filter((arn) => arn.includes('BucketEvidence'))
      .map((arn) => /"\/([^"]*)"\]\]\}$/.exec(arn)?.[1]);
  expect(keysOf('committer')).toEqual(['issued/*']);
  expect(keysOf('sequencer')).toEqual(['checkpoint/*', 'log.vkey', 'tile/*']);
});

test('the watch puts figures into the namespace of Curfew and into no other', () => {
  const [statement] = statementsOf('watch').filter(({ Action }) => Action === 'cloudwatch:PutMetricData');
  expect(statement?.Condition).toEqual({ StringEquals: { 'cloudwatch:namespace': 'Curfew' } });
});

test('the latch attaches the deny policy and no other', () => {
  const [statement, ...more] = statementsOf('latch').filter(({ Action }) => Action === 'iam:AttachUserPolicy');
  expect(more).toEqual([]);
  // ArnEquals, not IfExists: a call in which the key is absent would pass that one.
  expect(statement?.Condition).toEqual({ ArnEquals: { 'iam:PolicyARN': { Ref: 'PolicyDenyLeavers' } } });
});

test('on the emulator alone a condition holds where its key is not resolved, and every other stays', () => {
  const policies = ofType(all, 'AWS::IAM::Policy').map(([, { Properties }]) => Properties.PolicyDocument as Document);
  const before = JSON.stringify(policies);
  const after = JSON.stringify(policies.map(lenient));
  expect(before).toMatch(/"ArnEquals":\{"iam:PolicyARN"/);
  expect(after).not.toBe(before);
  const rewritten = after
    .replaceAll('"ArnEqualsIfExists":{"iam:PolicyARN"', '"ArnEquals":{"iam:PolicyARN"')
    .replaceAll('"StringEqualsIfExists":{"cloudwatch:namespace"', '"StringEquals":{"cloudwatch:namespace"');
  expect(rewritten).toBe(before);
});

test('the evidence reader reads: objects, and the outputs of the stacks that name their buckets', () => {
  const [, reader] = ofType(evidence, 'AWS::IAM::ManagedPolicy')[0] ?? [];
  const statements = reader?.Properties.PolicyDocument.Statement as Statement[];
  expect(statements.flatMap(({ Action }) => asList(Action))).toEqual([
    'cloudformation:DescribeStacks',
    's3:GetObject',
    's3:ListBucket',
  ]);
  expect(JSON.stringify(statements[0]?.Resource)).toMatch(/:cloudformation:.*:stack\/curfew-example-\*\/\*"/);
});

test('the feed key and the checkpoint key have one signer each, and root is not it', () => {
  const signers = ofType(all, 'AWS::KMS::Key')
    .filter(([, { Properties }]) => Properties.KeyUsage === 'SIGN_VERIFY')
    .map(([id, { Properties }]) => [
      id,
      (Properties.KeyPolicy.Statement as (Statement & { Principal: unknown })[])
        .filter(({ Effect, Action }) => Effect === 'Allow' && asList(Action).some((action) => /Sign|\*$/.test(action)))
        .filter(({ Action }) => asList(Action).some((action) => action === 'kms:Sign' || action === 'kms:*'))
        .map(({ Principal }) => Principal),
    ]);
  expect(signers).toEqual([
    ['KeyCheckpoint', [{ AWS: { 'Fn::GetAtt': ['RoleSequencer', 'Arn'] } }]],
    ['KeyFeed', [{ AWS: { 'Fn::GetAtt': ['RolePublisher', 'Arn'] } }]],
  ]);
});
