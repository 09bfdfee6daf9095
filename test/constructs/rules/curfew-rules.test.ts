// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation fills these in
import {
  type App,
  CfnElement,
  CfnParameter,
  CfnResource,
  Fn,
  NestedStack,
  Stack,
  Stage,
  Validations,
} from 'aws-cdk-lib';
import {
  AccountRootPrincipal,
  CfnPolicy,
  Effect,
  Group,
  ManagedPolicy,
  PolicyDocument,
  PolicyStatement,
  Role,
  User,
} from 'aws-cdk-lib/aws-iam';
import { CfnKey, Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Bucket, type CfnBucket } from 'aws-cdk-lib/aws-s3';
import { CfnPermissionSet } from 'aws-cdk-lib/aws-sso';
import * as published from '../../../lib';
import { EvidenceLog } from '../../../lib/constructs/evidence/evidence-log';
import type { Stage as CurfewStage } from '../../../lib/constructs/parts/stage';
import { SigningPlane } from '../../../lib/constructs/ring/signing-plane';
import { CurfewRules } from '../../../lib/constructs/rules/curfew-rules';
import { parseSettings } from '../../../lib/domain/deployment/settings';
import type { Exemption } from '../../../lib/domain/rings/exemption';
import { type Refusal, refusalsOf, refusedAtSynth, warningsOf } from '../refusals';
import { NO_CODE, newApp } from '../synthesised';

beforeAll(() => {
  jest.useFakeTimers({ now: new Date('2026-11-22T12:00:00Z') });
});
afterAll(() => {
  jest.useRealTimers();
});

/** What somebody's own stack is refused for, in an app in which the rules stand. */
function refusals(fill: (stack: Stack) => void): Refusal[] {
  return refusalsOf((app) => {
    CurfewRules.of(app);
    fill(new Stack(app, 'Somebody', { env: { region: 'us-east-1' } }));
  });
}
const said = (found: readonly Refusal[]) => found.map(({ code, at }) => [code, at]);

describe('a key that can sign and stands outside a ring', () => {
  test.each([
    [KeySpec.ECC_NIST_P256, KeyUsage.SIGN_VERIFY],
    [KeySpec.RSA_2048, KeyUsage.SIGN_VERIFY],
    [KeySpec.ECC_NIST_EDWARDS25519, KeyUsage.SIGN_VERIFY],
    [KeySpec.ML_DSA_65, KeyUsage.SIGN_VERIFY],
    [KeySpec.HMAC_256, KeyUsage.GENERATE_VERIFY_MAC],
  ])('is refused: %s for %s', (keySpec, keyUsage) => {
    expect(refusals((stack) => new Key(stack, 'Key', { keySpec, keyUsage }))).toEqual([
      {
        code: 'ERR_KEY_OUTSIDE_RING',
        at: 'Somebody/Key',
        says:
          'a key that can sign stands outside a ring, and nothing rotates it; ' +
          `got {"keySpec":"${keySpec}","keyUsage":"${keyUsage}"}; ` +
          'allowed: a SigningKeyRing, or a key for ENCRYPT_DECRYPT or KEY_AGREEMENT',
        fix: 'declare a SigningKeyRing and have its issuer sign; until then, have an exemption approved for this path',
      },
    ]);
  });

  test.each<[string, (stack: Stack) => void]>([
    ['Somebody/Raw', (stack) => new CfnResource(stack, 'Raw', { type: 'AWS::KMS::Key', properties: SIGNS })],
    [
      'Somebody/L1',
      (stack) => new CfnKey(stack, 'L1', { keyPolicy: {}, ...{ keySpec: 'RSA_2048', keyUsage: 'SIGN_VERIFY' } }),
    ],
    [
      'Somebody/Overridden',
      (stack) =>
        (new Key(stack, 'Overridden').node.defaultChild as CfnKey).addPropertyOverride('KeyUsage', 'SIGN_VERIFY'),
    ],
    [
      'Somebody/Later',
      (stack) =>
        new CfnKey(stack, 'Later', { keyPolicy: {}, keyUsage: new CfnParameter(stack, 'Usage').valueAsString }),
    ],
    ['Somebody/Nested/Key', (stack) => new Key(new NestedStack(stack, 'Nested'), 'Key', SIGNING)],
  ])('is found however it is written: %s', (path, fill) => {
    expect(said(refusals(fill))).toEqual([['ERR_KEY_OUTSIDE_RING', path]]);
  });

  test('is found in a stage within the app', () => {
    const found = refusalsOf((app) => {
      CurfewRules.of(app);
      new Key(new Stack(new Stage(app, 'Prod'), 'Somebody'), 'Key', SIGNING);
    });
    expect(said(found)).toEqual([['ERR_KEY_OUTSIDE_RING', 'Prod/Somebody/Key']]);
  });

  test('is none of those that sign nothing', () => {
    const found = refusals((stack) => {
      new Key(stack, 'Symmetric');
      new Key(stack, 'Rsa', { keySpec: KeySpec.RSA_2048, keyUsage: KeyUsage.ENCRYPT_DECRYPT });
      new Key(stack, 'Agreement', { keySpec: KeySpec.ECC_NIST_P256, keyUsage: KeyUsage.KEY_AGREEMENT });
    });
    expect(found).toEqual([]);
  });
});

const SIGNING = { keySpec: KeySpec.ECC_NIST_P256, keyUsage: KeyUsage.SIGN_VERIFY };
const SIGNS = { KeyUsage: 'SIGN_VERIFY', KeySpec: 'RSA_2048', KeyPolicy: {} };

describe('an identity policy that signs', () => {
  const allow = (actions: string[], resources: string[] = ['*'], conditions?: Record<string, object>) =>
    new PolicyStatement({ actions, resources, conditions });
  const policy = (...statements: PolicyStatement[]) =>
    said(refusals((stack) => new ManagedPolicy(stack, 'Policy', { statements })));
  const REFUSED = [['ERR_POLICY_SIGNS', 'Somebody/Policy']];
  const KEY_ARN = 'arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000';

  test.each([['kms:Sign'], ['KMS:sign'], ['kms:*'], ['kms:S*'], ['kms:GenerateMac'], ['kms:Generate*'], ['*']])(
    'is refused for %s',
    (action) => {
      expect(policy(allow(['s3:GetObject', action]))).toEqual(REFUSED);
    },
  );

  test.each(['kms:Sig?', '*:*', 'kms:????'])('is refused for %s, which only a raw resource can say', (Action) => {
    const properties = { PolicyDocument: { Statement: { Effect: 'Allow', Action, Resource: '*' } } };
    const found = refusals(
      (stack) => new CfnResource(stack, 'Policy', { type: 'AWS::IAM::ManagedPolicy', properties }),
    );
    expect(said(found)).toEqual(REFUSED);
  });

  test('says what it found, and what to do', () => {
    const [refusal] = refusals(
      (stack) => new ManagedPolicy(stack, 'Policy', { statements: [allow(['kms:*'], [KEY_ARN])] }),
    );
    expect(refusal).toEqual({
      code: 'ERR_POLICY_SIGNS',
      at: 'Somebody/Policy',
      says:
        'an identity policy grants kms:Sign or kms:GenerateMac; ' +
        `got {"Action":"kms:*","Resource":"${KEY_ARN}"}; ` +
        'allowed: the policies of ring keys, which leave signing to the issuer and the resigner and not to IAM',
      fix: 'name the actions that are needed; who wants tokens gets ring.grantIssue(), never a right of KMS',
    });
  });

  test('is refused whatever its condition, and where everything else is denied', () => {
    expect(policy(allow(['kms:Sign'], ['*'], { Bool: { 'aws:MultiFactorAuthPresent': 'true' } }))).toEqual(REFUSED);
    const deny = new PolicyStatement({ effect: Effect.DENY, actions: ['kms:*'], resources: ['*'] });
    expect(policy(deny, allow(['*']))).toEqual(REFUSED);
  });

  test('is refused where it allows all actions but some, unless the signing ones are among those', () => {
    const allBut = (...notActions: string[]) => new PolicyStatement({ notActions, resources: ['*'] });
    expect(policy(allBut('iam:*', 'organizations:*'))).toEqual(REFUSED);
    expect(policy(allBut('kms:Sign'))).toEqual(REFUSED);
    expect(policy(allBut('kms:*'))).toEqual([]);
    expect(policy(allBut('kms:Sign', 'kms:Generate*'))).toEqual([]);
  });

  test('is refused for every action where the resource could be a key, and only there', () => {
    expect(policy(allow(['*'], [KEY_ARN]))).toEqual(REFUSED);
    expect(policy(allow(['*'], ['arn:aws:k*:us-east-1:111122223333:*']))).toEqual(REFUSED);
    expect(policy(allow(['*'], [Fn.importValue('Somewhere')]))).toEqual(REFUSED);
    expect(policy(new PolicyStatement({ actions: ['*'], notResources: ['arn:aws:s3:::logs'] }))).toEqual(REFUSED);
    expect(policy(allow(['*'], ['arn:aws:s3:::logs/*', 'arn:aws:sqs:*:*:*']))).toEqual([]);
    const found = refusals((stack) => {
      const bucket = new Bucket(stack, 'Bucket');
      const own = stack.formatArn({ service: 'dynamodb', resource: 'table', resourceName: '*' });
      const statements = [allow(['*'], [bucket.bucketArn, bucket.arnForObjects('*'), own])];
      new ManagedPolicy(stack, 'Policy', { statements });
    });
    expect(found).toEqual([]);
  });

  test('is found where CDK itself writes it', () => {
    const found = refusals((stack) => {
      const imported = Key.fromKeyArn(stack, 'Imported', KEY_ARN);
      imported.grantSign(new Role(stack, 'Role', { assumedBy: new AccountRootPrincipal() }));
    });
    expect(said(found)).toEqual([['ERR_POLICY_SIGNS', 'Somebody/Role/DefaultPolicy']]);
  });

  test('is found in every kind of resource that holds one', () => {
    const document = new PolicyDocument({ statements: [allow(['kms:Sign'])] });
    const json = document.toJSON();
    const found = refusals((stack) => {
      const raw = (id: string, type: string, properties: object) =>
        new CfnResource(stack, id, { type, properties: properties as Record<string, unknown> });
      new CfnPolicy(stack, 'Policy', { policyDocument: json, policyName: 'p', users: ['u'] });
      new Role(stack, 'Role', { assumedBy: new AccountRootPrincipal(), inlinePolicies: { Sign: document } });
      new User(stack, 'User').addToPolicy(allow(['kms:*']));
      raw('Group', 'AWS::IAM::Group', { Policies: [{ PolicyName: 'p', PolicyDocument: json }] });
      raw('RolePolicy', 'AWS::IAM::RolePolicy', { PolicyDocument: json });
      raw('UserPolicy', 'AWS::IAM::UserPolicy', { PolicyDocument: json });
      raw('GroupPolicy', 'AWS::IAM::GroupPolicy', { PolicyDocument: json });
      raw('Condition', 'AWS::IAM::ManagedPolicy', {
        PolicyDocument: {
          Statement: [{ 'Fn::If': ['IsProd', { Effect: 'Allow', Action: 'kms:Sign', Resource: '*' }, {}] }],
        },
      });
      new CfnPermissionSet(stack, 'Set', { instanceArn: 'i', name: 's', inlinePolicy: json });
      const inline = (id: string, InlinePolicy: unknown) => raw(id, 'AWS::SSO::PermissionSet', { InlinePolicy });
      inline('Text', JSON.stringify(json));
      inline('Joined', stack.toJsonString({ Effect: 'Allow', Action: '*', Resource: `arn:${stack.partition}:kms:*` }));
      inline('NoJson', '{"Statement":');
    });
    expect(found.map(({ at }) => at?.replace('Somebody/', '')).sort()).toEqual(
      [
        'Policy',
        'Role',
        'User/DefaultPolicy',
        'Group',
        'RolePolicy',
        'UserPolicy',
        'GroupPolicy',
        'Condition',
        'Set',
        'Text',
        'Joined',
        'NoJson',
      ].sort(),
    );
    expect(new Set(found.map(({ code }) => code))).toEqual(new Set(['ERR_POLICY_SIGNS']));
  });

  test.each(['AdministratorAccess', 'PowerUserAccess'])('is AWS’s own %s too, attached to anybody', (name) => {
    const found = refusals((stack) => {
      const administrator = ManagedPolicy.fromAwsManagedPolicyName(name);
      new Role(stack, 'Role', { assumedBy: new AccountRootPrincipal(), managedPolicies: [administrator] });
      new Group(stack, 'Group', { managedPolicies: [administrator] });
      new CfnPermissionSet(stack, 'Set', {
        instanceArn: 'i',
        name: 's',
        managedPolicies: [`arn:aws:iam::aws:policy/${name}`],
      });
    });
    expect(said(found)).toEqual(['Role', 'Group', 'Set'].map((id) => ['ERR_POLICY_SIGNS', `Somebody/${id}`]));
  });

  test('is none of those that only use, read or deny', () => {
    const found = refusals((stack) => {
      const role = new Role(stack, 'Role', { assumedBy: new AccountRootPrincipal() });
      const key = new Key(stack, 'Key');
      key.grantEncryptDecrypt(role);
      key.grantAdmin(role);
      role.addToPolicy(allow(['kms:GetPublicKey', 'kms:Verify', 'kms:List*', 'kms:GenerateDataKey*']));
      role.addToPolicy(new PolicyStatement({ effect: Effect.DENY, actions: ['kms:*', '*'], resources: ['*'] }));
      role.addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName('ReadOnlyAccess'));
    });
    expect(found).toEqual([]);
  });
});

/** A template as somebody else wrote it, with what CDK's own classes cannot say. */
class Raw extends CfnElement {
  constructor(
    stack: Stack,
    private readonly sections: Readonly<Record<string, object>>,
  ) {
    super(stack, 'Raw');
  }

  _toCloudFormation(): object {
    return this.sections;
  }
}
const rawly = (Resources: object, sections: Readonly<Record<string, object>> = {}) =>
  said(refusals((stack) => new Raw(stack, { Resources, ...sections })));

describe('an identity policy that hides what it grants', () => {
  const HIDDEN = {
    'Fn::Transform': { Name: 'AWS::Include', Parameters: { Location: 's3://bucket/policy.json' } },
  };
  const IN_A_MAP = { 'Fn::FindInMap': ['Policies', 'Prod', 'Document'] };
  const READS = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };
  const SIGNS_ALL = { Effect: 'Allow', Action: 'kms:Sign', Resource: '*' };
  const REFUSED = [['ERR_POLICY_SIGNS', 'Somebody/Policy']];
  const policy = (properties: object, type = 'AWS::IAM::ManagedPolicy') =>
    rawly({ Policy: { Type: type, Properties: properties } });

  test.each<[string, object]>([
    ['the document behind Fn::Transform', { PolicyDocument: HIDDEN }],
    ['Fn::Transform beside its statements', { PolicyDocument: { Statement: [READS], ...HIDDEN } }],
    ['the statements behind Fn::Transform', { PolicyDocument: { Statement: HIDDEN } }],
    ['a statement behind Fn::Transform', { PolicyDocument: { Statement: [READS, HIDDEN] } }],
    ['Fn::Transform within a statement', { PolicyDocument: { Statement: [{ ...READS, ...HIDDEN }] } }],
    ['every property behind Fn::Transform', HIDDEN],
    ['the document behind Fn::FindInMap', { PolicyDocument: IN_A_MAP }],
    ['the statements behind Fn::FindInMap', { PolicyDocument: { Statement: IN_A_MAP } }],
    ['one side of an Fn::If', { PolicyDocument: { 'Fn::If': ['IsProd', { Statement: [READS] }, IN_A_MAP] } }],
    ['the other side of an Fn::If', { PolicyDocument: { Statement: { 'Fn::If': ['IsProd', [READS], [SIGNS_ALL]] } } }],
    ['a text of Fn::Sub', { PolicyDocument: { 'Fn::Sub': JSON.stringify({ Statement: [SIGNS_ALL] }) } }],
    ['a text that Fn::Sub fills in', { PolicyDocument: { 'Fn::Sub': '{"Statement": [${Statements}]}' } }],
    ['a text that begins with a value', { PolicyDocument: { 'Fn::Join': ['', [{ Ref: 'Document' }, '}']] } }],
    ['a loop', { 'Fn::ForEach::Each': ['Name', ['PolicyDocument'], { '${Name}': { Statement: [SIGNS_ALL] } }] }],
    ['no statement', { PolicyDocument: { Version: '2012-10-17' } }],
    ['what it excludes', { PolicyDocument: { Statement: [{ ...READS, Action: undefined, NotAction: IN_A_MAP }] } }],
  ])('is refused: %s', (_, properties) => {
    expect(policy(properties)).toEqual(REFUSED);
  });

  test('says what it could not read, and to write it out', () => {
    const [refusal] = refusals(
      (stack) =>
        new Raw(stack, {
          Resources: { Policy: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: IN_A_MAP } } },
        }),
    );
    expect(refusal).toEqual({
      code: 'ERR_POLICY_SIGNS',
      at: 'Somebody/Policy',
      says:
        'nobody can read here whether an identity policy grants kms:Sign; ' +
        `got ${JSON.stringify(IN_A_MAP)}; allowed: statements that stand in the template`,
      fix: 'write it out',
    });
  });

  test.each<[string, unknown]>([
    ['the document', JSON.stringify({ Statement: [SIGNS_ALL] })],
    ['the statements', { Statement: JSON.stringify([READS, SIGNS_ALL]) }],
    ['a statement', { Statement: [READS, JSON.stringify(SIGNS_ALL)] }],
    ['a text in a text', JSON.stringify({ Statement: JSON.stringify([JSON.stringify(SIGNS_ALL)]) })],
  ])('is read where JSON stands as a text: %s', (_, document) => {
    expect(policy({ PolicyDocument: document })).toEqual(REFUSED);
    expect(policy({ Policies: [{ PolicyName: 'p', PolicyDocument: document }] }, 'AWS::IAM::Role')).toEqual(REFUSED);
    const harmless = JSON.parse(JSON.stringify(document).replaceAll('kms:Sign', 's3:GetObject'));
    expect(policy({ PolicyDocument: harmless })).toEqual([]);
  });

  test.each([
    ['AdministratorAccess'],
    [['AWSLambdaBasicExecutionRole', 'arn:aws:iam::aws:policy/AdministratorAccess']],
    [[{ 'Fn::Sub': 'arn:${AWS::Partition}:iam::aws:policy/PowerUserAccess' }]],
    [{ Version: '2012-10-17', Statement: [SIGNS_ALL] }],
    [[{ S3ReadPolicy: { BucketName: 'b' } }, { Statement: SIGNS_ALL }]],
    [{ 'Fn::If': ['IsProd', 'AWSLambdaBasicExecutionRole', [{ Statement: [SIGNS_ALL] }]] }],
    [[IN_A_MAP]],
  ])('is refused in a function of SAM: %j', (Policies) => {
    expect(policy({ Policies }, 'AWS::Serverless::Function')).toEqual(REFUSED);
    expect(policy({ Policies }, 'AWS::Serverless::StateMachine')).toEqual(REFUSED);
  });

  test('is none of what functions of SAM have usually', () => {
    const Policies = [
      'AWSLambdaBasicExecutionRole',
      { S3ReadPolicy: { BucketName: 'b' } },
      { KMSDecryptPolicy: { KeyId: 'k' } },
      { Ref: 'Own' },
      { Statement: [READS] },
      { 'Fn::If': ['IsProd', { Statement: [READS] }, { Ref: 'AWS::NoValue' }] },
    ];
    expect(policy({ Policies }, 'AWS::Serverless::Function')).toEqual([]);
    expect(policy({ Handler: 'index.handler' }, 'AWS::Serverless::Function')).toEqual([]);
  });

  const role = (ManagedPolicyArns: unknown) =>
    rawly(
      { Policy: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns } } },
      {
        Parameters: {
          Administrator: { Type: 'String', Default: 'arn:aws:iam::aws:policy/AdministratorAccess' },
          Reader: { Type: 'String', Default: 'arn:aws:iam::aws:policy/ReadOnlyAccess' },
        },
      },
    );
  test.each([
    [[{ 'Fn::Sub': 'arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess' }]],
    [[{ 'Fn::Sub': ['arn:aws:iam::aws:policy/${Name}', { Name: 'AdministratorAccess' }] }]],
    [[{ 'Fn::Sub': 'arn:aws:iam::aws:policy/${Name}' }]],
    [[{ 'Fn::Join': ['', ['arn:aws-cn:iam::aws:policy/', 'Administrator', 'Access']] }]],
    [[{ 'Fn::Join': ['', [{ Ref: 'Prefix' }, 'AdministratorAccess']] }]],
    [{ 'Fn::If': ['IsProd', [], ['arn:aws-us-gov:iam::aws:policy/PowerUserAccess']] }],
    [[{ Ref: 'Administrator' }]],
    [[IN_A_MAP]],
  ])('is AdministratorAccess, attached as %j', (arns) => {
    expect(role(arns)).toEqual(REFUSED);
  });
  test.each([
    [[{ 'Fn::Sub': 'arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess' }]],
    [[{ 'Fn::Sub': 'arn:aws:iam::${AWS::AccountId}:policy/own' }]],
    [[{ Ref: 'Own' }, { Ref: 'Reader' }, { 'Fn::ImportValue': 'Shared' }]],
  ])('is no other that is attached, as %j', (arns) => {
    expect(role(arns)).toEqual([]);
  });
});

describe('a loop over resources', () => {
  const loop = (body: object) => ({ 'Fn::ForEach::Each': ['Name', ['A', 'B'], body] });
  const AT = 'Somebody/Fn::ForEach::Each';

  test('that makes keys is refused, whatever they are for', () => {
    const keys = loop({ 'Key${Name}': { Type: 'AWS::KMS::Key', Properties: { KeyUsage: { Ref: 'Name' } } } });
    expect(rawly(keys)).toEqual([['ERR_KEY_OUTSIDE_RING', AT]]);
    const [refusal] = refusals((stack) => new Raw(stack, { Resources: keys }));
    expect(refusal).toEqual({
      code: 'ERR_KEY_OUTSIDE_RING',
      at: AT,
      says:
        'a key is made by a loop or a macro, and may be able to sign; got AWS::KMS::Key; ' +
        'allowed: AWS::KMS::Key with a KeyUsage that stands in the template',
      fix: 'write it out',
    });
  });

  test('that makes identity policies is refused, also within another loop', () => {
    const policies = { 'P${Name}': { Type: 'AWS::IAM::Policy', Properties: { PolicyDocument: { Statement: [] } } } };
    expect(rawly(loop(policies))).toEqual([['ERR_POLICY_SIGNS', AT]]);
    const inner = { 'Fn::ForEach::Inner': ['Other', ['C'], policies] };
    expect(rawly(loop(inner))).toEqual([['ERR_POLICY_SIGNS', AT]]);
  });

  test('whose types are filled in is refused where they could be one', () => {
    expect(rawly(loop({ 'R${Name}': { Type: 'AWS::KMS::${Name}' } }))).toEqual([['ERR_KEY_OUTSIDE_RING', AT]]);
    expect(rawly(loop({ 'R${Name}': { Type: 'AWS::IAM::&{Name}' } }))).toEqual([['ERR_POLICY_SIGNS', AT]]);
  });

  test('that makes anything else is let through', () => {
    expect(rawly(loop({ 'Queue${Name}': { Type: 'AWS::SQS::Queue', Properties: {} } }))).toEqual([]);
  });
});

test('a key whose properties a macro writes is refused', () => {
  const macro = { 'Fn::Transform': { Name: 'AWS::Include', Parameters: { Location: 's3://bucket/key.json' } } };
  expect(rawly({ Key: { Type: 'AWS::KMS::Key', Properties: macro } })).toEqual([
    ['ERR_KEY_OUTSIDE_RING', 'Somebody/Key'],
  ]);
  expect(rawly(macro).map(([code]) => code)).toEqual(['ERR_KEY_OUTSIDE_RING', 'ERR_POLICY_SIGNS']);
});

test('nobody who builds an app can say that a key of theirs is let through', () => {
  expect(Object.keys(published)).not.toContain('CurfewRules');
  expect(Object.keys(published)).not.toContain('PurposeKey');
  const app = newApp();
  const rules = CurfewRules.of(app);
  expect(Object.getOwnPropertyNames(CurfewRules.prototype)).not.toContain('admit');
  expect(Reflect.ownKeys(app).map((member) => (app as never)[member])).not.toContain(rules);
});

describe('the evidence bucket', () => {
  const unlocked = (stage: CurfewStage, change: (bucket: CfnBucket) => void) =>
    refusalsOf((app) => {
      const { evidenceBucket } = evidenceIn(new Stack(app, 'Own'), stage);
      change(evidenceBucket.node.defaultChild as CfnBucket);
    });
  const GOT = { objectLock: true, mode: 'COMPLIANCE', days: 2555, versioning: 'Enabled' };

  test.each<[string, CurfewStage, (bucket: CfnBucket) => void, object]>([
    ['no lock', 'production', (b) => b.addPropertyOverride('ObjectLockEnabled', false), { objectLock: false }],
    [
      'no configuration',
      'production',
      (b) => b.addPropertyDeletionOverride('ObjectLockConfiguration'),
      { objectLock: false, mode: undefined, days: 0 },
    ],
    [
      'no default retention',
      'production',
      (b) => b.addPropertyDeletionOverride('ObjectLockConfiguration.Rule'),
      { mode: undefined, days: 0 },
    ],
    [
      'no days',
      'production',
      (b) => b.addPropertyDeletionOverride('ObjectLockConfiguration.Rule.DefaultRetention.Days'),
      { days: 0 },
    ],
    [
      'a lock that a right can end, in production',
      'production',
      (b) => b.addPropertyOverride('ObjectLockConfiguration.Rule.DefaultRetention.Mode', 'GOVERNANCE'),
      { mode: 'GOVERNANCE' },
    ],
    [
      'no versions',
      'trial',
      (b) => b.addPropertyOverride('VersioningConfiguration.Status', 'Suspended'),
      { mode: 'GOVERNANCE', days: 1, versioning: 'Suspended' },
    ],
  ])('with %s is refused', (_, stage, change, got) => {
    const modes = stage === 'production' ? ['COMPLIANCE'] : ['COMPLIANCE', 'GOVERNANCE'];
    const allowed = { objectLock: true, mode: modes, days: 'at least 1', versioning: 'Enabled' };
    expect(unlocked(stage, change)).toEqual([
      {
        code: 'ERR_EVIDENCE_UNLOCKED',
        at: 'Own/Log/EvidenceBucket',
        says:
          `the evidence bucket of a ${stage} stage is not locked; ` +
          `got ${JSON.stringify({ ...GOT, ...got })}; allowed: ${JSON.stringify(allowed)}`,
        fix: 'leave the bucket as EvidenceLog makes it; stages are production and trial',
      },
    ]);
  });

  test.each(['production', 'trial'] as const)('of a %s stage is accepted as it is made', (stage) => {
    expect(unlocked(stage, () => undefined)).toEqual([]);
  });
});

describe('an exemption', () => {
  const KEY: Exemption = {
    rule: 'ERR_KEY_OUTSIDE_RING',
    subject: 'Somebody/Key',
    approver: 'CHG-7',
    reason: 'the partner cannot change theirs before spring',
    until: '2027-03-31',
  };
  const withExemptions = (app: App, ...exemptions: object[]) => {
    const own = new Stack(app, 'Own', { env: { region: 'us-east-1' } });
    planeIn(own, exemptions as Exemption[]);
    new Key(new Stack(app, 'Somebody'), 'Key', SIGNING);
  };

  test('lets a key through, until its date', () => {
    expect(refusalsOf((app) => withExemptions(app, KEY))).toEqual([]);
    expect(said(refusalsOf((app) => withExemptions(app)))).toEqual([['ERR_KEY_OUTSIDE_RING', 'Somebody/Key']]);
    const [past] = refusalsOf((app) => withExemptions(app, { ...KEY, until: '2026-11-21' }));
    expect(past).toEqual({
      code: 'ERR_EXEMPTION',
      at: 'Own/Plane',
      says: 'the exemption of Somebody/Key from ERR_KEY_OUTSIDE_RING is past its date; got 2026-11-21; allowed: 2026-11-22',
      fix: 'have it approved again with a new date, or do without it',
    });
  });

  test('is of one construct and one rule', () => {
    for (const other of [{ subject: 'Somebody' }, { subject: 'Somebody/Key/Resource' }, { rule: 'ERR_POLICY_SIGNS' }])
      expect(said(refusalsOf((app) => withExemptions(app, { ...KEY, ...other })))).toEqual([
        ['ERR_KEY_OUTSIDE_RING', 'Somebody/Key'],
      ]);
  });

  test('lets a policy through', () => {
    const signs = (...exemptions: Exemption[]) =>
      refusalsOf((app) => {
        planeIn(new Stack(app, 'Own', { env: { region: 'us-east-1' } }), exemptions);
        const statements = [new PolicyStatement({ actions: ['kms:Sign'], resources: ['*'] })];
        new ManagedPolicy(new Stack(app, 'Somebody'), 'Policy', { statements });
      });
    expect(said(signs())).toEqual([['ERR_POLICY_SIGNS', 'Somebody/Policy']]);
    expect(signs({ ...KEY, rule: 'ERR_POLICY_SIGNS', subject: 'Somebody/Policy' })).toEqual([]);
  });

  test('that lets nothing through is a warning', () => {
    const app = newApp();
    withExemptions(app, KEY, { ...KEY, rule: 'ERR_RING_LIMIT', subject: 'partners' });
    expect(warningsOf(app)).toEqual(['the exemption of partners from ERR_RING_LIMIT lets nothing through']);
  });

  test('is the only way: CDK’s acknowledgement, which knows no approver and no date, lets nothing through', () => {
    const app = newApp();
    withExemptions(app);
    Validations.of(app).acknowledge({ id: 'Curfew::ERR_KEY_OUTSIDE_RING', reason: 'because' });
    expect(said(refusedAtSynth(app))).toEqual([['ERR_KEY_OUTSIDE_RING', 'Somebody/Key']]);
  });
});

test('the rules stand once in an app, whichever construct of Curfew is in it', () => {
  const app = newApp();
  const own = new Stack(app, 'Own', { env: { region: 'us-east-1' } });
  planeIn(own, []);
  expect(CurfewRules.of(app)).toBe(CurfewRules.of(own));
  new Key(new Stack(app, 'Somebody'), 'Key', SIGNING);
  expect(said(refusedAtSynth(app))).toEqual([['ERR_KEY_OUTSIDE_RING', 'Somebody/Key']]);
});

function evidenceIn(stack: Stack, stage: CurfewStage): EvidenceLog {
  const settings = parseSettings();
  return new EvidenceLog(stack, 'Log', {
    instance: 'own',
    stage,
    lambdas: NO_CODE,
    settings,
    origin: 'example.com/own',
  });
}

function planeIn(stack: Stack, exemptions: readonly Exemption[]): SigningPlane {
  return new SigningPlane(stack, 'Plane', {
    stage: 'trial',
    lambdas: NO_CODE,
    evidence: evidenceIn(stack, 'trial'),
    publicBaseUrl: 'https://keys.example.com',
    exemptions,
  });
}
