// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation fills these in
import { type App, CfnElement, CfnParameter, CfnResource, NestedStack, Stack, Stage, Validations } from 'aws-cdk-lib';
import { AccountRootPrincipal, ManagedPolicy, Role } from 'aws-cdk-lib/aws-iam';
import { CfnKey, Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
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
          'a signing key is outside a ring, and nothing rotates it; ' +
          `got {"keySpec":"${keySpec}","keyUsage":"${keyUsage}"}; ` +
          'allowed: a SigningKeyRing, or a key for ENCRYPT_DECRYPT or KEY_AGREEMENT',
        fix: 'declare a SigningKeyRing and have its issuer sign; until then, get an exemption approved for this path',
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

test('identity policies are not judged: an administrator of the app is let through, and signs with no ring key', () => {
  const found = refusals((stack) => {
    const administrator = ManagedPolicy.fromAwsManagedPolicyName('AdministratorAccess');
    new Role(stack, 'Role', { assumedBy: new AccountRootPrincipal(), managedPolicies: [administrator] });
  });
  expect(found).toEqual([]);
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

describe('a loop over resources', () => {
  const loop = (body: object) => ({ 'Fn::ForEach::Each': ['Name', ['A', 'B'], body] });
  const AT = 'Somebody/Fn::ForEach::Each';

  test('that makes keys is refused, whatever they are for, also within another loop', () => {
    const keys = loop({ 'Key${Name}': { Type: 'AWS::KMS::Key', Properties: { KeyUsage: { Ref: 'Name' } } } });
    expect(rawly(keys)).toEqual([['ERR_KEY_OUTSIDE_RING', AT]]);
    expect(rawly(loop({ 'Fn::ForEach::Inner': ['Other', ['C'], keys['Fn::ForEach::Each'][2]] }))).toEqual([
      ['ERR_KEY_OUTSIDE_RING', AT],
    ]);
    const [refusal] = refusals((stack) => new Raw(stack, { Resources: keys }));
    expect(refusal).toEqual({
      code: 'ERR_KEY_OUTSIDE_RING',
      at: AT,
      says:
        'a loop or a macro creates a key that may be able to sign; got AWS::KMS::Key; ' +
        'allowed: AWS::KMS::Key with a KeyUsage that stands in the template',
      fix: 'declare the key in the template itself',
    });
  });

  test('whose types are filled in is refused where they could be one', () => {
    expect(rawly(loop({ 'R${Name}': { Type: 'AWS::KMS::${Name}' } }))).toEqual([['ERR_KEY_OUTSIDE_RING', AT]]);
    expect(rawly(loop({ 'R${Name}': { Type: 'AWS::&{Name}::Key' } }))).toEqual([['ERR_KEY_OUTSIDE_RING', AT]]);
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
  expect(rawly(macro).map(([code]) => code)).toEqual(['ERR_KEY_OUTSIDE_RING']);
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
    for (const other of [{ subject: 'Somebody' }, { subject: 'Somebody/Key/Resource' }, { rule: 'ERR_RING_LIMIT' }])
      expect(said(refusalsOf((app) => withExemptions(app, { ...KEY, ...other })))).toEqual([
        ['ERR_KEY_OUTSIDE_RING', 'Somebody/Key'],
      ]);
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
