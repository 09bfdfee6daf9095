/** Each condition of a policy decides: the request that fits it is allowed, and that which differs in one value is refused. */
import { ALGORITHMS, type SigningAlgorithm } from '../../../../lib/domain/jose/algorithm';
import { synthesise } from '../../synthesised';
import { ADMINISTRATOR, type Principal, principalsOf } from './principals';
import { ACCOUNT, REGION, resolved, ringKeyPolicy, SIGN_UNTIL } from './resolved';
import { isAllowed } from './simulate';
import { BREAK_GLASS, EVERYTHING, thingsOf } from './things';

const deployment = resolved(synthesise('production', { breakGlassArns: [BREAK_GLASS] }).app);
const principals = principalsOf(deployment);
const things = thingsOf(deployment);

function role(name: string): Principal {
  const found = principals.find((principal) => principal.name === name);
  if (!found) throw new Error(`no role ${name}`);
  return found;
}
function thing(name: string, type: string) {
  const found = [...things, EVERYTHING].find((one) => one.name === name && one.type.startsWith(type));
  if (!found) throw new Error(`nothing is called ${name}`);
  return found;
}

const at = (epochSeconds: number) => new Date(epochSeconds * 1000).toISOString().replace('.000Z', 'Z');
type Context = Readonly<Record<string, string | string[]>>;
const SIGNS = {
  'aws:CurrentTime': at(SIGN_UNTIL - 1),
  'kms:MessageType': 'DIGEST',
  'kms:SigningAlgorithm': 'ECDSA_SHA_256',
};
const BEARS = {
  'kms:KeyUsage': 'SIGN_VERIFY',
  'kms:KeyOrigin': 'AWS_KMS',
  'kms:KeySpec': 'ECC_NIST_P256',
  'kms:BypassPolicyLockoutSafetyCheck': 'true',
};
const TLS = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' };
const DENY_LEAVERS = deployment.arnOf('PolicyDenyLeavers');
const ofPolicy = (arn: string) => ({ 'iam:PolicyARN': arn });

interface Row {
  readonly by: string;
  readonly action: string;
  readonly on: readonly [name: string, type: string];
  readonly allowed: Context;
  /** Each says how it differs from `allowed`. */
  readonly refused: Readonly<Record<string, Context>>;
}

const ROWS: readonly Row[] = [
  ...['RoleIssuer', 'RoleResigner'].map((by) => ({
    by,
    action: 'kms:Sign',
    on: ['ring key', 'kms'] as const,
    allowed: SIGNS,
    refused: {
      'KMS would hash the message': { 'kms:MessageType': 'RAW' },
      'a second after signUntil': { 'aws:CurrentTime': at(SIGN_UNTIL + 1) },
      'a year after signUntil': { 'aws:CurrentTime': at(SIGN_UNTIL + 365 * 86_400) },
    },
  })),
  {
    by: 'RoleRotator',
    action: 'kms:CreateKey',
    on: ['*', '*'],
    allowed: BEARS,
    refused: {
      'kms.lockout: without the bypass': { 'kms:BypassPolicyLockoutSafetyCheck': 'false' },
      'a key that encrypts': { 'kms:KeyUsage': 'ENCRYPT_DECRYPT' },
      'a key whose material somebody brings along': { 'kms:KeyOrigin': 'EXTERNAL' },
      'a key of a kind that no ring uses': { 'kms:KeySpec': 'ECC_SECG_P256K1' },
    },
  },
  {
    by: 'RoleRotator',
    action: 'kms:TagResource',
    on: ['neighbour key', 'kms'],
    allowed: { 'aws:TagKeys': ['curfew:instance', 'curfew:slot'] },
    refused: {
      'a tag of somebody else': { 'aws:TagKeys': ['owner'] },
      'a tag of somebody else among ours': { 'aws:TagKeys': ['curfew:slot', 'owner'] },
    },
  },
  ...['RoleIssuer', 'RoleExchange', 'RoleResigner', 'RoleRecorder'].map((by) => ({
    by,
    action: 'kms:Decrypt',
    on: ['KeyBodies', 'kms'] as const,
    allowed: { 'kms:ViaService': `dynamodb.${REGION}.amazonaws.com` },
    refused: {
      'by another service': { 'kms:ViaService': `s3.${REGION}.amazonaws.com` },
      'by DynamoDB of another Region': { 'kms:ViaService': 'dynamodb.eu-west-1.amazonaws.com' },
    },
  })),
  {
    by: 'RoleLatch',
    action: 'iam:AttachUserPolicy',
    on: ['user worker', 'iam'],
    allowed: ofPolicy(DENY_LEAVERS),
    refused: {
      'another policy of ours': ofPolicy(deployment.arnOf('PolicyOperator')),
      AdministratorAccess: ofPolicy('arn:aws:iam::aws:policy/AdministratorAccess'),
      'a policy of that name in another account': ofPolicy(DENY_LEAVERS.replace(ACCOUNT, '999988887777')),
      'a policy whose name begins alike': ofPolicy(`${DENY_LEAVERS}2`),
    },
  },
  {
    by: 'RoleLatch',
    action: 'iam:TagUser',
    on: ['user worker', 'iam'],
    allowed: { 'aws:TagKeys': ['curfew:leaver'] },
    refused: {
      'another tag': { 'aws:TagKeys': ['team'] },
      'another tag as well': { 'aws:TagKeys': ['curfew:leaver', 'team'] },
    },
  },
  {
    by: 'RoleCommitter',
    action: 's3:PutObject',
    on: ['BucketEvidence/issued/x', 's3'],
    allowed: { ...TLS, 's3:if-none-match': '*' },
    refused: { 'without TLS': { 'aws:SecureTransport': 'false' }, 'by an old TLS': { 's3:TlsVersion': '1.1' } },
  },
  {
    by: 'RoleWellKnown',
    action: 's3:GetObject',
    on: ['BucketPublic/x', 's3'],
    allowed: TLS,
    refused: { 'without TLS': { 'aws:SecureTransport': 'false' }, 'by an old TLS': { 's3:TlsVersion': '1.1' } },
  },
  ...[
    ['RoleCaseFolder', 'dynamodb:DeleteItem'],
    ['RoleTicker', 'dynamodb:Query'],
  ].map(([by = '', action = '']) => ({
    by,
    action,
    on: ['TablePeople', 'dynamodb'] as const,
    allowed: { 'dynamodb:LeadingKeys': ['IMPORTED'] },
    refused: {
      'rows of a worker': { 'dynamodb:LeadingKeys': ['WORKER#w-1042'] },
      'rows of a worker among ours': { 'dynamodb:LeadingKeys': ['IMPORTED', 'WORKER#w-1042'] },
    },
  })),
  ...['PolicyOperator', 'PolicyResponder'].map((policy) => ({
    by: `whoever has ${policy}`,
    action: 'kms:GetKeyPolicy',
    on: ['ring key', 'kms'] as const,
    allowed: { 'aws:ResourceTag/curfew:instance': 'example' },
    refused: { 'a ring key of another instance': { 'aws:ResourceTag/curfew:instance': 'other' } },
  })),
];

describe.each(ROWS)('$by, $action', ({ by, action, on, allowed, refused }) => {
  const asks = (context: Context) => isAllowed(role(by), action, thing(...on), context);

  test('is allowed when all of it fits', async () => expect(await asks(allowed)).toBe(true));

  test.each(Object.entries(refused))('is refused: %s', async (_, change) => {
    expect(await asks({ ...allowed, ...change })).toBe(false);
  });
});

/** What a condition says of a request that lacks its key is the difference between `ArnEquals` and `ArnEqualsIfExists`. */
test.each([
  ['RoleLatch', 'iam:AttachUserPolicy', 'user worker', 'iam', {}],
  ['RoleExchange', 'kms:Decrypt', 'KeyBodies', 'kms', {}],
  ['RoleCommitter', 's3:PutObject', 'BucketEvidence/issued/x', 's3', TLS],
])(
  '%s, %s: is refused when the request does not carry what the condition asks for',
  async (by, action, name, type, context) => {
    expect(await isAllowed(role(by), action, thing(name, type), context as Context)).toBe(false);
  },
);

test.each([
  ['RoleLatch', 'iam:AttachUserPolicy', ofPolicy(DENY_LEAVERS)],
  ['RoleLatch', 'iam:TagUser', { 'aws:TagKeys': ['curfew:leaver'] }],
  ['RoleIamDisabler', 'iam:UpdateAccessKey', {}],
  ['RoleIamDisabler', 'iam:DeleteLoginProfile', {}],
])('%s, %s: a worker, yes; a break-glass user, never', async (by, action, context) => {
  const asked = (user: string) => isAllowed(role(by), action, thing(user, 'iam'), context as Context);
  expect([await asked('user worker'), await asked('user break-glass')]).toEqual([true, false]);
});

test('an administrator cannot sign with a ring key, and can once the key policy is theirs', async () => {
  const key = thing('ring key', 'kms');
  expect(await isAllowed(ADMINISTRATOR, 'kms:Sign', key, SIGNS)).toBe(false);
  expect(await isAllowed(ADMINISTRATOR, 'kms:PutKeyPolicy', key)).toBe(true);
  const { policy } = thing('neighbour key', 'kms');
  expect(await isAllowed(ADMINISTRATOR, 'kms:Sign', { ...key, policy }, SIGNS)).toBe(true);
});

/** One RSA key can sign in each of these ways; an elliptic curve has one, and KMS refuses others before it asks a policy. */
const RSA_WAYS = ['RSASSA_PKCS1_V1_5', 'RSASSA_PSS'].flatMap((way) =>
  ['SHA_256', 'SHA_384', 'SHA_512'].map((hash) => `${way}_${hash}`),
);

test.each(Object.entries(ALGORITHMS))(
  'a ring key of %s signs as its tokens say, of digests where it can, and an RSA key in no other way',
  async (algorithm, { kms, message, keySpec }) => {
    const key = { ...thing('ring key', 'kms'), policy: ringKeyPolicy(deployment, algorithm as SigningAlgorithm) };
    const asks = (type: string, way: string) =>
      isAllowed(role('RoleIssuer'), 'kms:Sign', key, {
        ...SIGNS,
        'kms:MessageType': type,
        'kms:SigningAlgorithm': way,
      });
    expect(await asks(message, kms)).toBe(true);
    if (message === 'DIGEST') expect(await asks('RAW', kms)).toBe(false);
    const others = keySpec.startsWith('RSA') ? RSA_WAYS.filter((way) => way !== kms) : [];
    for (const way of others) expect([way, await asks(message, way)]).toEqual([way, false]);
  },
);
