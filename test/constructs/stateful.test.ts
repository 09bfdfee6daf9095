import { nameOf } from './physical-names';
import { synthesise } from './synthesised';
import { ofType, type Resources, type Statement, templatesOf } from './templates';

const STATEFUL = [
  'AWS::DynamoDB::GlobalTable',
  'AWS::S3::Bucket',
  'AWS::KMS::Key',
  'AWS::SecretsManager::Secret',
  'AWS::IAM::ManagedPolicy',
  'Custom::CurfewRing',
];
const production = templatesOf('production');
const trial = templatesOf('trial');

function stateful(resources: Resources): string[] {
  return STATEFUL.flatMap((type) => ofType(resources, type).map(([id]) => id)).sort();
}

test('logical ids of what carries state are pinned: CloudFormation would take another id for another resource', () => {
  expect(stateful(production.evidence)).toEqual([
    'BucketEvidence',
    'BucketHeads',
    'KeyCheckpoint',
    'KeyShred',
    'PolicyEvidenceReader',
    'TableLog',
    'TableShred',
  ]);
  expect(stateful(production.signing)).toEqual([
    'BucketPublic',
    'KeyBodies',
    'KeyFeed',
    'RingCustomerApi',
    'SecretPepper',
    'TableBodies',
    'TableCutOffs',
    'TableKeys',
    'TableLedger',
    'TableMarkers',
  ]);
  expect(stateful(production.offboarding)).toEqual([
    'PolicyApprover',
    'PolicyAuditor',
    'PolicyDenyLeavers',
    'PolicyOperator',
    'PolicyResponder',
    'SecretHrSources',
    'SecretWebhookBamboohr',
    'SecretWebhookPeopleSystem',
    'TableApprovals',
    'TableCases',
    'TableInbox',
    'TablePeople',
  ]);
});

test('in production what carries state outlives its stack; a first deploy that fails leaves no key, secret or role', () => {
  const { evidence, signing, offboarding } = production;
  for (const [id, { Type, DeletionPolicy, UpdateReplacePolicy }] of Object.entries({
    ...evidence,
    ...signing,
    ...offboarding,
  }))
    if (STATEFUL.includes(Type) && Type !== 'AWS::IAM::ManagedPolicy') {
      // A rollback cannot delete a protected table, nor a bucket with something in it, and would fail on it.
      const undeletable = ['AWS::DynamoDB::GlobalTable', 'AWS::S3::Bucket'].includes(Type);
      const policy = undeletable ? 'Retain' : 'RetainExceptOnCreate';
      expect([id, DeletionPolicy, UpdateReplacePolicy]).toEqual([id, policy, 'Retain']);
    }
});

/** What stays behind under a fixed name stops every later try: "already exists". */
describe('B4: a first deployment that failed can be repeated', () => {
  const cdn = synthesise('production', { publicBaseUrl: 'https://{cdn}', cdn: {} });
  const all = Object.entries({ ...cdn.evidence, ...cdn.signing, ...cdn.offboarding });

  test('whatever has a fixed name goes with the creation that failed', () => {
    const named = all.filter(([, resource]) => nameOf(resource) !== undefined);
    const policies = named.map(([id, { DeletionPolicy = 'Delete' }]) => [id, DeletionPolicy] as const);
    expect(policies.filter(([, policy]) => policy !== 'Delete').sort()).toEqual([
      ['RoleDisabler', 'RetainExceptOnCreate'],
      ['RoleIssuer', 'RetainExceptOnCreate'],
      ['RoleKeyEnabler', 'RetainExceptOnCreate'],
      ['RoleResigner', 'RetainExceptOnCreate'],
      ['RoleRotator', 'RetainExceptOnCreate'],
    ]);
  });

  test('nothing else has a fixed name, and each holds that of the instance', () => {
    const types = all.filter(([, resource]) => nameOf(resource) !== undefined).map(([, { Type }]) => Type);
    expect([...new Set(types)].sort()).toEqual([
      'AWS::CloudFront::CachePolicy',
      'AWS::CloudWatch::Alarm',
      'AWS::CloudWatch::Dashboard',
      'AWS::Events::EventBus',
      'AWS::IAM::ManagedPolicy',
      'AWS::IAM::Role',
    ]);
    for (const [, resource] of all)
      if (nameOf(resource) !== undefined) expect(nameOf(resource)).toMatch(/^curfew-example(-|$)/);
  });

  test('what a roll-back cannot delete is retained, and has no fixed name', () => {
    const retained = all.filter(([, { DeletionPolicy }]) => DeletionPolicy === 'Retain');
    expect([...new Set(retained.map(([, { Type }]) => Type))].sort()).toEqual([
      'AWS::DynamoDB::GlobalTable',
      'AWS::S3::Bucket',
      'AWS::S3::BucketPolicy',
    ]);
    expect(retained.map(([, resource]) => nameOf(resource))).toEqual(retained.map(() => undefined));
  });
});

/** The bucket outlives its stack. Without its policy anybody who may use S3 could hide what is locked in it. */
test.each(['production', 'trial'] as const)(
  'F-D7, %s: every bucket keeps its policy when its stack is deleted',
  (stage) => {
    const resources = Object.entries({ ...templatesOf(stage).evidence, ...templatesOf(stage).signing });
    const policyOf = (bucket: string) =>
      resources.filter(
        ([, { Type, Properties }]) => Type === 'AWS::S3::BucketPolicy' && Properties.Bucket.Ref === bucket,
      );
    const buckets = resources.filter(([, { Type }]) => Type === 'AWS::S3::Bucket').map(([id]) => id);
    expect(buckets).toEqual(['BucketEvidence', 'BucketHeads', 'BucketPublic']);
    for (const bucket of buckets)
      expect(
        policyOf(bucket).map(([id, { DeletionPolicy, UpdateReplacePolicy }]) => [
          id,
          DeletionPolicy,
          UpdateReplacePolicy,
        ]),
      ).toEqual([[`BucketPolicy${bucket.slice('Bucket'.length)}`, 'Retain', 'Retain']]);
  },
);

/** No part of a template: CloudFormation is told of it beside. */
test('in production no stack is deleted by one command', () => {
  const { stacks } = synthesise('production');
  expect(Object.values(stacks).map(({ terminationProtection }) => terminationProtection)).toEqual([true, true, true]);
});

test('tables have generated names, and can be brought back; the shred table cannot', () => {
  const tables = [production.evidence, production.signing, production.offboarding].flatMap((resources) =>
    ofType(resources, 'AWS::DynamoDB::GlobalTable'),
  );
  expect(tables).toHaveLength(11);
  for (const [id, { Properties }] of tables) {
    expect(Properties.TableName).toBeUndefined();
    expect(Properties.BillingMode).toBe('PAY_PER_REQUEST');
    const [replica] = Properties.Replicas;
    expect([id, replica.DeletionProtectionEnabled]).toEqual([id, true]);
    expect([id, replica.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled]).toEqual([
      id,
      id !== 'TableShred',
    ]);
  }
});

test('evidence is locked for seven years in production, where nobody shortens it, and for a day in a trial', () => {
  const lock = ({ evidence }: typeof production) =>
    evidence.BucketEvidence?.Properties.ObjectLockConfiguration.Rule.DefaultRetention;
  expect(lock(production)).toEqual({ Mode: 'COMPLIANCE', Days: 2555 });
  expect(lock(trial)).toEqual({ Mode: 'GOVERNANCE', Days: 1 });
});

describe('what is in the evidence bucket', () => {
  const denials = ({ evidence }: typeof production) =>
    ofType(evidence, 'AWS::S3::BucketPolicy')
      .filter(([, { Properties }]) => Properties.Bucket.Ref === 'BucketEvidence')
      .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement as (Statement & { Sid?: string })[])
      .filter(({ Sid }) => Sid !== undefined);
  const objects = { 'Fn::Join': ['', [{ 'Fn::GetAtt': ['BucketEvidence', 'Arn'] }, '/*']] };
  const everybody = { Effect: 'Deny', Principal: { AWS: '*' } };

  test('is not exchanged in production: a put without If-None-Match is refused to everybody', () => {
    expect(denials(production)).toContainEqual({
      ...everybody,
      Sid: 'NothingIsExchanged',
      Action: 's3:PutObject',
      Resource: objects,
      Condition: { Null: { 's3:if-none-match': 'true' } },
    });
    expect(denials(trial).map(({ Sid }) => Sid)).toEqual(['NothingIsHidden', 'NothingExpires']);
  });

  test.each(['production', 'trial'] as const)(
    'is not hidden in %s, by a delete marker or by a lifecycle rule',
    (stage) => {
      expect(denials(stage === 'production' ? production : trial)).toEqual(
        expect.arrayContaining([
          {
            ...everybody,
            Sid: 'NothingIsHidden',
            Action: ['s3:BypassGovernanceRetention', 's3:DeleteObject'],
            Resource: objects,
          },
          {
            ...everybody,
            Sid: 'NothingExpires',
            Action: 's3:PutLifecycleConfiguration',
            Resource: { 'Fn::GetAtt': ['BucketEvidence', 'Arn'] },
          },
        ]),
      );
    },
  );
});

test('evidence is encrypted by S3’s own key: a key of ours could be disabled to shred it', () => {
  for (const id of ['BucketEvidence', 'BucketHeads'])
    expect(production.evidence[id]?.Properties.BucketEncryption.ServerSideEncryptionConfiguration).toEqual([
      { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
    ]);
});

test('a webhook secret is born without a value: a made-up one would count as the one before the real one', () => {
  const { GenerateSecretString, SecretString } = production.offboarding.SecretWebhookPeopleSystem?.Properties ?? {};
  expect({ GenerateSecretString, SecretString }).toEqual({});
});

test('the latch’s policy denies everything, and only to who carries the tag', () => {
  expect(production.offboarding.PolicyDenyLeavers?.Properties.PolicyDocument.Statement).toEqual([
    {
      Sid: 'DenyLeavers',
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      Condition: { StringLike: { 'aws:PrincipalTag/curfew:leaver': '*' } },
    },
  ]);
});

test('what Lambda allows for an environment is far from full', () => {
  const sizes = [production.evidence, production.signing, production.offboarding]
    .flatMap((resources) => ofType(resources, 'AWS::Lambda::Function'))
    .map(([id, { Properties }]) => [id, JSON.stringify(Properties.Environment ?? {}).length] as const);
  // 4 KiB of values; the references that stand here are longer than what they become.
  for (const [id, size] of sizes) expect([id, size < 4096]).toEqual([id, true]);
});
