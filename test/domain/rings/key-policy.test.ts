import { ALGORITHMS, type SigningAlgorithm } from '../../../lib/domain/jose/algorithm';
import { keyPolicy, policySha256, policyStateOf } from '../../../lib/domain/rings/key-policy';
import { isAllowed } from '../../../lib/local/key-policy';

const role = (name: string) => `arn:aws:iam::123456789012:role/curfew-shop-${name}`;
const roleArns = {
  issuer: role('issuer'),
  resigner: role('resigner'),
  rotator: role('rotator'),
  disabler: role('disabler'),
};
/** 2027-01-15T08:00:00Z. */
const SIGN_UNTIL = 1_800_000_000;
const policyOf = (algorithm: SigningAlgorithm) =>
  keyPolicy({ accountId: '123456789012', roleArns, algorithm, signUntil: SIGN_UNTIL });
const statements = (policy: string) =>
  (JSON.parse(policy) as { Statement: { Sid: string; Condition?: object }[] }).Statement;

function may(policy: string, principalArn: string, action: string, context: Record<string, string> = {}): boolean {
  return isAllowed(policy, {
    principalArn,
    action,
    context: { 'aws:CurrentTime': '2027-01-15T08:00:00Z', ...context },
  });
}

test('key policy v1 of an ES256 key is this text, byte for byte', () => {
  expect(JSON.parse(policyOf('ES256'))).toEqual({
    Version: '2012-10-17',
    Id: 'curfew-v1',
    Statement: [
      {
        Sid: 'Administration',
        Effect: 'Allow',
        Principal: { AWS: 'arn:aws:iam::123456789012:root' },
        Action: [
          'kms:Describe*',
          'kms:Get*',
          'kms:List*',
          'kms:PutKeyPolicy',
          'kms:EnableKey',
          'kms:DisableKey',
          'kms:ScheduleKeyDeletion',
          'kms:CancelKeyDeletion',
          'kms:TagResource',
        ],
        Resource: '*',
      },
      {
        Sid: 'Sign',
        Effect: 'Allow',
        Principal: { AWS: [role('issuer'), role('resigner')] },
        Action: ['kms:Sign'],
        Resource: '*',
      },
      {
        Sid: 'Lifecycle',
        Effect: 'Allow',
        Principal: { AWS: [role('rotator')] },
        Action: ['kms:DescribeKey', 'kms:GetPublicKey', 'kms:GetKeyPolicy', 'kms:EnableKey', 'kms:DisableKey'],
        Resource: '*',
      },
      {
        Sid: 'Disable',
        Effect: 'Allow',
        Principal: { AWS: [role('disabler')] },
        Action: ['kms:DisableKey', 'kms:DescribeKey', 'kms:ListGrants', 'kms:RevokeGrant'],
        Resource: '*',
      },
      {
        Sid: 'NoGrantNoReplica',
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: ['kms:CreateGrant', 'kms:ReplicateKey'],
        Resource: '*',
      },
      {
        Sid: 'DeadMan',
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: ['kms:Sign'],
        Resource: '*',
        Condition: { DateGreaterThan: { 'aws:CurrentTime': '2027-01-15T08:00:00Z' } },
      },
      {
        Sid: 'DigestOnly',
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: ['kms:Sign'],
        Resource: '*',
        Condition: { StringEquals: { 'kms:MessageType': 'RAW' } },
      },
    ],
  });
  expect(policySha256(policyOf('ES256'))).toBe('8yvwN-f1bAdW3qwb7dP6T5cOpCzcK-zBMb-AqTFDgL4');
});

test('issuer and resigner sign until signUntil, and a second later nobody does', () => {
  const policy = policyOf('ES256');
  for (const name of ['issuer', 'resigner'] as const) {
    expect(may(policy, roleArns[name], 'kms:Sign')).toBe(true);
    expect(may(policy, roleArns[name], 'kms:Sign', { 'aws:CurrentTime': '2027-01-15T08:00:01Z' })).toBe(false);
  }
});

test('each role has its own actions of the key, and no other role has them', () => {
  const policy = policyOf('ES256');
  const rights: Record<string, readonly string[]> = {
    issuer: ['kms:Sign'],
    resigner: ['kms:Sign'],
    rotator: ['kms:DescribeKey', 'kms:GetPublicKey', 'kms:GetKeyPolicy', 'kms:EnableKey', 'kms:DisableKey'],
    disabler: ['kms:DisableKey', 'kms:DescribeKey', 'kms:ListGrants', 'kms:RevokeGrant'],
    publisher: [],
  };
  const actions = [
    'kms:Sign',
    'kms:CreateGrant',
    'kms:ReplicateKey',
    'kms:PutKeyPolicy',
    'kms:EnableKey',
    'kms:DisableKey',
    'kms:DescribeKey',
    'kms:GetPublicKey',
    'kms:GetKeyPolicy',
    'kms:ListGrants',
    'kms:RevokeGrant',
    'kms:ScheduleKeyDeletion',
  ];
  for (const [name, own] of Object.entries(rights))
    expect([name, actions.filter((action) => may(policy, role(name), action))]).toEqual([
      name,
      actions.filter((action) => own.includes(action)),
    ]);
});

test('the root of the account administers and neither signs nor grants', () => {
  const root = 'arn:aws:iam::123456789012:root';
  for (const action of ['kms:Sign', 'kms:CreateGrant', 'kms:ReplicateKey', 'kms:GenerateMac'])
    expect([action, may(policyOf('ES256'), root, action)]).toEqual([action, false]);
  expect(may(policyOf('ES256'), root, 'kms:PutKeyPolicy')).toBe(true);
});

describe('an identity policy that allows kms:* on *', () => {
  const root = 'arn:aws:iam::123456789012:root';
  /** An identity policy counts for what the key policy leaves to the account, which is what it allows the root. */
  const mayByIdentity = (policy: string, action: string) =>
    may(policy, 'arn:aws:iam::123456789012:user/administrator', action) || may(policy, root, action);

  test.each(Object.keys(ALGORITHMS) as SigningAlgorithm[])(
    'does not let its holder sign with a %s key: so says our model of KMS of the policy as written, not KMS, and not of a policy that its holder has put in the place of this one',
    (algorithm) => {
      const policy = policyOf(algorithm);
      const signing = ['kms:Sign', 'kms:CreateGrant', 'kms:ReplicateKey', 'kms:GenerateMac'];
      expect(signing.filter((action) => mayByIdentity(policy, action))).toEqual([]);
      // The way around: it may change the policy, and then it signs.
      expect(mayByIdentity(policy, 'kms:PutKeyPolicy')).toBe(true);
      const changed = JSON.parse(policy) as { Statement: { Sid: string; Action: string[] }[] };
      for (const { Sid, Action } of changed.Statement) if (Sid === 'Administration') Action.push('kms:Sign');
      expect(mayByIdentity(JSON.stringify(changed), 'kms:Sign')).toBe(true);
    },
  );
});

test.each(Object.keys(ALGORITHMS) as SigningAlgorithm[])(
  'a %s key signs the one kind of message under the one algorithm',
  (algorithm) => {
    const policy = policyOf(algorithm);
    const { kms, message, keySpec } = ALGORITHMS[algorithm];
    const signs = (type: string, name: string) =>
      may(policy, roleArns.issuer, 'kms:Sign', { 'kms:MessageType': type, 'kms:SigningAlgorithm': name });
    expect(signs(message, kms)).toBe(true);
    if (message === 'DIGEST') expect(signs('RAW', kms)).toBe(false);
    if (!keySpec.startsWith('RSA')) return;
    const all = ['PKCS1_V1_5', 'PSS'].flatMap((scheme) =>
      ['256', '384', '512'].map((bits) => `RSASSA_${scheme}_SHA_${bits}`),
    );
    expect(all.filter((name) => signs('DIGEST', name))).toEqual([kms]);
  },
);

test('an Ed25519 key, which signs raw messages, has no line that denies them', () => {
  expect(statements(policyOf('EdDSA')).map(({ Sid }) => Sid)).toEqual([
    'Administration',
    'Sign',
    'Lifecycle',
    'Disable',
    'NoGrantNoReplica',
    'DeadMan',
  ]);
});

describe('a policy as read back', () => {
  const written = policyOf('ES256');
  const gone = (policy: string) => policy.replaceAll(roleArns.resigner, 'AROAEXAMPLEID0123456789');

  test('is as written in whatever order KMS tells its lists, and one value for a list of one', () => {
    const { Statement, ...rest } = JSON.parse(written) as { Statement: { Principal: { AWS: string | string[] } }[] };
    const told = Statement.map((statement) => ({
      ...statement,
      Principal: {
        AWS: Array.isArray(statement.Principal.AWS)
          ? [...statement.Principal.AWS].reverse()
          : [statement.Principal.AWS],
      },
    })).reverse();
    expect(policyStateOf(JSON.stringify({ Statement: told, ...rest }, undefined, 2), written)).toBe('as-written');
  });

  test('is orphaned only where nothing but the ids of deleted roles is different', () => {
    expect(policyStateOf(gone(written), written)).toBe('orphaned');
    const more = JSON.parse(written) as { Statement: object[] };
    more.Statement.push({
      Sid: 'AROAX',
      Effect: 'Allow',
      Principal: { AWS: role('mallory') },
      Action: 'kms:Sign',
      Resource: '*',
    });
    expect(policyStateOf(JSON.stringify(more), written)).toBe('changed');
    expect(policyStateOf(JSON.stringify(more), gone(written))).toBe('changed');
    expect(policyStateOf(gone(written).replace('DeadMan', 'Harmless'), written)).toBe('changed');
    expect(policyStateOf(written.replaceAll(roleArns.resigner, role('mallory')), written)).toBe('changed');
  });

  test.each([
    '{}',
    '[]',
    'null',
    '{"Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"x"},"Action":"kms:*"}}',
    '{"Statement":[null]}',
  ])('is changed, whatever somebody wrote there: %s', (found) => expect(policyStateOf(found, written)).toBe('changed'));

  test('is unreadable where we are not told', () => expect(policyStateOf(undefined, written)).toBe('unreadable'));
});
