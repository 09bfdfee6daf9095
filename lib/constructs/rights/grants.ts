/**
 * What each right of `lib/domain/deployment/rights.ts` and `lib/domain/deployment/access.ts` means on AWS: its IAM statements, and for a Lambda
 * the environment that goes with them. The one place where a Lambda, or a policy for people, gets a permission. The
 * rights to use a signing key are not here: key policies give them.
 */
import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { IHttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import { type IManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { CurfewError } from '../../domain/base/errors';
import type { AccessRight, RoleName } from '../../domain/deployment/access';
import type { DeploymentConfig } from '../../domain/deployment/deployment-config';
import { METRICS_NAMESPACE } from '../../domain/deployment/metrics';
import { BUCKETS, type Bucket, type FunctionName } from '../../domain/deployment/rights';
import { ALGORITHMS } from '../../domain/jose/algorithm';
import { IMPORTED_PARTITION } from '../../domain/store/people';
import { TABLES, type TableName, type TableVerb } from '../../domain/store/table';
import { ENV } from '../../env';
import { arnOf } from '../parts/secret';
import { denyOn } from './break-glass';

/** The things a right may speak of. A construct hands over those it has; a right on any other does not synthesise. */
export interface Targets {
  readonly instance?: string;
  readonly tables?: { readonly [T in TableName]?: ITableV2 };
  readonly buckets?: { readonly [B in Bucket]?: IBucket };
  readonly functions?: { readonly [F in FunctionName]?: IFunction };
  /** Customer-managed keys of tables that have one: readers and writers need them too, through DynamoDB alone. */
  readonly tableKeys?: { readonly [T in TableName]?: IKey };
  /** Wraps the per-person keys that stand in the shred table. */
  readonly shredKey?: IKey;
  readonly feedKey?: IKey;
  readonly checkpointKey?: IKey;
  readonly pepper?: ISecret;
  /** By the name of their HR source: each verifies its deliveries. */
  readonly webhookSecrets?: Readonly<Record<string, ISecret>>;
  /** The document that says how each HR source signs and where its secret is. */
  readonly hrSources?: ISecret;
  /** ARNs of the roles that key policies name. */
  readonly roleArns?: DeploymentConfig['roleArns'];
  readonly denyPolicy?: IManagedPolicy;
  /** Users whom no Lambda may touch in IAM. */
  readonly breakGlassArns?: readonly string[];
  readonly stateMachineArn?: string;
  /** The API whose routes ask who signed. */
  readonly api?: IHttpApi;
  readonly eventBus?: IEventBus;
}

interface Grant {
  readonly statements: readonly PolicyStatement[];
  readonly environment: Readonly<Record<string, string>>;
  /** The members of CURFEW_CONFIG that this right makes a function need. */
  readonly config: Partial<DeploymentConfig>;
}

const TABLE_ACTIONS: Record<TableVerb, string> = {
  get: 'dynamodb:GetItem',
  query: 'dynamodb:Query',
  scan: 'dynamodb:Scan',
  put: 'dynamodb:PutItem',
  update: 'dynamodb:UpdateItem',
  delete: 'dynamodb:DeleteItem',
  check: 'dynamodb:ConditionCheckItem',
};

/**
 * What DynamoDB asks of a customer-managed key in its caller's name ("DynamoDB encryption at rest: usage notes"), through
 * DynamoDB alone. CreateGrant is asked once, of who makes the table, and no Lambda has it: a grant is a right beside a policy.
 */
const TABLE_KEY_ACTIONS = [
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

/** Without ListBucket S3 answers 403 for an absent object, and a reader could not tell "none yet" from "not allowed". */
const BUCKET_ACTIONS = {
  get: ['s3:GetObject', 's3:ListBucket'],
  put: ['s3:PutObject'],
  list: ['s3:ListBucket'],
} as const;

/**
 * What each writer of the locked bucket may name there, where it writes for good: the committer no tile and no
 * checkpoint, the sequencer no token list. Another function with `evidence:put` does not synthesise.
 */
const EVIDENCE_KEYS: { readonly [F in FunctionName]?: readonly string[] } = {
  committer: ['issued/*'],
  sequencer: ['tile/*', 'checkpoint/*', 'log.vkey'],
};

/**
 * Rights to one partition of a table. A transaction that deletes there names nothing else of that table: IAM compares every
 * key that a request leads with.
 */
const PARTITIONS: { readonly [F in FunctionName]?: { readonly [right: string]: string } } = {
  'case-folder': { 'people:delete': IMPORTED_PARTITION },
  ticker: { 'people:query': IMPORTED_PARTITION },
};

/** What the logical ids of webhook secrets begin with; CloudFormation makes their names of it. */
export const WEBHOOK_SECRET = 'SecretWebhook';

const IAM_READ = ['iam:GetUser', 'iam:ListAccessKeys', 'iam:GetLoginProfile', 'iam:ListAttachedUserPolicies'];
const IAM_DISABLE = ['iam:UpdateAccessKey', 'iam:DeleteLoginProfile'];

export function grantFor(scope: Construct, to: FunctionName | RoleName, right: AccessRight, targets: Targets): Grant {
  const [subject, verb] = right.split(':') as [string, string];
  if (isTable(subject)) return tableGrant(subject, verb as TableVerb, PARTITIONS[to as FunctionName]?.[right], targets);
  if (isBucket(subject)) {
    const keys = right === 'evidence:put' ? known(EVIDENCE_KEYS[to as FunctionName], `keys that ${to} may put`) : ['*'];
    return bucketGrant(subject, verb as keyof typeof BUCKET_ACTIONS, keys, targets);
  }
  if (subject === 'invoke') return invokeGrant(verb as FunctionName, targets);
  return OTHER[right as OtherRight](targets, Stack.of(scope));
}

type OtherRight = Exclude<AccessRight, `${TableName}:${string}` | `${Bucket}:${string}` | `invoke:${string}`>;

const OTHER: Record<OtherRight, (targets: Targets, stack: Stack) => Grant> = {
  'sign:ring': () => grant([]),
  'sign:feed': ({ feedKey }) => grant([], {}, { feedKeyArn: known(feedKey, 'feed key').keyArn }),
  'sign:checkpoint': ({ checkpointKey }) =>
    grant([], {}, { checkpointKeyArn: known(checkpointKey, 'checkpoint key').keyArn }),
  'kms:disable': () => grant([]),

  'kms:lifecycle': ({ roleArns }, stack) =>
    grant(
      [
        // CreateKey always carries these keys; IfExists asks no less of it, and holds where an endpoint does not pass them on.
        allow(['kms:CreateKey'], ['*'], {
          StringEqualsIfExists: {
            'kms:KeyUsage': 'SIGN_VERIFY',
            'kms:KeyOrigin': 'AWS_KMS',
            'kms:KeySpec': [...new Set(Object.values(ALGORITHMS).map(({ keySpec }) => keySpec))],
          },
          // Our key policies let nobody change them. Without the bypass KMS refuses that, or would ask for PutKeyPolicy, which
          // this role never has.
          BoolIfExists: { 'kms:BypassPolicyLockoutSafetyCheck': 'true' },
        }),
        allow(['kms:TagResource'], [anyKey(stack)], { 'ForAllValues:StringLike': { 'aws:TagKeys': 'curfew:*' } }),
        // A key born by a run that crashed before it wrote down the ARN is found by its slot tag. The tags of other
        // people's keys, and of other resources, are visible to it as well: GetResources knows no resource.
        allow(['tag:GetResources'], ['*']),
        // Their key policies leave List* to IAM.
        allow(['kms:ListGrants'], [anyKey(stack)]),
      ],
      {},
      { accountId: stack.account, roleArns: known(roleArns, 'roles that key policies name') },
    ),

  seal: ({ tables, shredKey }) => {
    const shred = known(tables?.shred, 'table shred');
    const key = known(shredKey, 'shred key');
    return grant(
      [
        allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [shred.tableArn]),
        allow(['kms:GenerateDataKey', 'kms:Decrypt'], [key.keyArn]),
      ],
      { [ENV.table('shred')]: shred.tableName },
      { shredKeyArn: key.keyArn },
    );
  },

  'secret:pepper': ({ pepper }) => {
    const secret = known(pepper, 'pepper secret');
    return grant([allow(['secretsmanager:GetSecretValue'], [arnOf(secret)])], {}, { pepperSecretArn: arnOf(secret) });
  },
  'secret:webhook': (targets) => {
    const secretArns = Object.values(known(targets.webhookSecrets, 'webhook secrets')).map(arnOf);
    // A statement each: CDK splits a policy that grows too long between its statements, and no statement.
    return grant(secretArns.map((arn) => allow(['secretsmanager:GetSecretValue'], [arn])));
  },
  'hr-sources:get': ({ hrSources }) => {
    const secret = known(hrSources, 'HR sources');
    return grant([allow(['secretsmanager:GetSecretValue'], [arnOf(secret)])], {}, { hrSourcesArn: arnOf(secret) });
  },

  'iam:read': ({ denyPolicy }, stack) => {
    const { managedPolicyArn } = known(denyPolicy, 'deny policy');
    return grant([allow(IAM_READ, [anyUser(stack)])], {}, { denyPolicyArn: managedPolicyArn });
  },
  'iam:latch': ({ denyPolicy, breakGlassArns = [] }, stack) => {
    const { managedPolicyArn } = known(denyPolicy, 'deny policy');
    return grant(
      [
        allow(['iam:AttachUserPolicy'], [anyUser(stack)], { ArnEquals: { 'iam:PolicyARN': managedPolicyArn } }),
        allow(['iam:TagUser'], [anyUser(stack)], { 'ForAllValues:StringEquals': { 'aws:TagKeys': 'curfew:leaver' } }),
        ...denyOn(breakGlassArns, ['iam:AttachUserPolicy', 'iam:TagUser']),
      ],
      {},
      { denyPolicyArn: managedPolicyArn },
    );
  },
  // It could also set a key Active again: IAM has no condition key for the status. What it did is read back by others.
  'iam:disable': ({ breakGlassArns = [] }, stack) =>
    grant([allow(IAM_DISABLE, [anyUser(stack)]), ...denyOn(breakGlassArns, IAM_DISABLE)]),

  'iam:release': ({ denyPolicy, breakGlassArns = [] }, stack) => {
    const { managedPolicyArn } = known(denyPolicy, 'deny policy');
    return grant(
      [
        allow(['iam:DetachUserPolicy'], [anyUser(stack)], { ArnEquals: { 'iam:PolicyARN': managedPolicyArn } }),
        allow(['iam:UntagUser'], [anyUser(stack)], { 'ForAllValues:StringEquals': { 'aws:TagKeys': 'curfew:leaver' } }),
        ...denyOn(breakGlassArns, ['iam:DetachUserPolicy', 'iam:UntagUser']),
      ],
      {},
      { denyPolicyArn: managedPolicyArn },
    );
  },
  // It could also set a key Inactive: IAM has no condition key for the status.
  'iam:enable': ({ breakGlassArns = [] }, stack) =>
    grant([allow(['iam:UpdateAccessKey'], [anyUser(stack)]), ...denyOn(breakGlassArns, ['iam:UpdateAccessKey'])]),
  'kms:enable': () => grant([]),

  'workflow:start': ({ stateMachineArn }, stack) => {
    const arn = known(stateMachineArn, 'state machine');
    const name = stack.splitArn(arn, ArnFormat.COLON_RESOURCE_NAME).resourceName ?? '';
    const executions = stack.formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${name}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    return grant(
      [allow(['states:StartExecution'], [arn]), allow(['states:DescribeExecution'], [executions])],
      {},
      { stateMachineArn: arn },
    );
  },
  'events:put': ({ eventBus }) => {
    const bus = known(eventBus, 'event bus');
    return grant([allow(['events:PutEvents'], [bus.eventBusArn])], {}, { eventBusName: bus.eventBusName });
  },
  // PutMetricData knows no resource. Docs: monitoring/iam-cw-condition-keys-namespace.html
  'metrics:put': () =>
    grant([
      allow(['cloudwatch:PutMetricData'], ['*'], { StringEquals: { 'cloudwatch:namespace': METRICS_NAMESPACE } }),
    ]),
  'http:get': () => grant([]),

  'stacks:status': ({ instance }, stack) => grant([describeStacks(instance, stack)]),
  'stacks:look': ({ instance }, stack) => grant([describeStacks(instance, stack)]),
  // Ring keys are born after this is written, so they are told by their tag: those of another instance are not shown.
  // A key without the tag is nobody's ring key; what it is for and who may use it can be seen as well, which is why it
  // is IfExists here: the feed key and the checkpoint key carry no such tag, and the doctor looks at them.
  'kms:look': ({ instance }, stack) =>
    grant([
      allow(['kms:DescribeKey', 'kms:GetKeyPolicy', 'kms:ListGrants'], [anyKey(stack)], {
        StringEqualsIfExists: { 'aws:ResourceTag/curfew:instance': known(instance, 'name of the instance') },
      }),
    ]),
  'births:look': ({ roleArns }) =>
    grant([allow(['iam:SimulatePrincipalPolicy'], [known(roleArns, 'roles that key policies name').rotator])]),
  'feed-key:read': ({ feedKey }) => grant([allow(['kms:GetPublicKey'], [known(feedKey, 'feed key').keyArn])]),
  // By name and tag, not one by one: with thirty sources their ARNs alone would fill a managed policy.
  'webhook-secrets:look': ({ instance }, stack) => {
    const resourceName = `*${WEBHOOK_SECRET}*`;
    const secrets = stack.formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    return grant([
      allow(['secretsmanager:DescribeSecret'], [secrets], {
        StringEqualsIfExists: { 'aws:ResourceTag/curfew:instance': known(instance, 'name of the instance') },
      }),
    ]);
  },
  'people-table:look': ({ tables }) =>
    grant([allow(['dynamodb:DescribeTable'], [known(tables?.people, 'table people').tableArn])]),
  // These know no resource, or, asked for what begins with a name, are asked of all.
  'alarms:look': () => grant([allow(['cloudwatch:DescribeAlarms'], ['*'])]),
  'metrics:look': () => grant([allow(['cloudwatch:GetMetricStatistics'], ['*'])]),
  'post:people': (targets, stack) => grant([postTo('people', targets, stack)]),
  'post:approvals': (targets, stack) => grant([postTo('approvals', targets, stack)]),
  'account:look': () =>
    grant([
      allow(
        ['lambda:GetAccountSettings', 'servicequotas:ListServiceQuotas', 'servicequotas:ListAWSDefaultServiceQuotas'],
        ['*'],
      ),
    ]),
};

function postTo(route: string, { api }: Targets, stack: Stack): PolicyStatement {
  const { apiId } = known(api, 'HTTP API');
  const resourceName = `*/POST/${route}`;
  return allow(['execute-api:Invoke'], [stack.formatArn({ service: 'execute-api', resource: apiId, resourceName })]);
}

/** Those of one instance: their names begin with its own. */
function describeStacks(instance: string | undefined, stack: Stack): PolicyStatement {
  const resourceName = `curfew-${known(instance, 'name of the instance')}-*/*`;
  return allow(
    ['cloudformation:DescribeStacks'],
    [stack.formatArn({ service: 'cloudformation', resource: 'stack', resourceName })],
  );
}

function tableGrant(name: TableName, verb: TableVerb, partition: string | undefined, targets: Targets): Grant {
  const table = known(targets.tables?.[name], `table ${name}`);
  const key = targets.tableKeys?.[name];
  const only =
    partition === undefined ? undefined : { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [partition] } };
  const statements = [allow([TABLE_ACTIONS[verb]], [table.tableArn], only)];
  if (key)
    statements.push(
      allow(TABLE_KEY_ACTIONS, [key.keyArn], {
        StringEquals: { 'kms:ViaService': `dynamodb.${Stack.of(table).region}.amazonaws.com` },
      }),
    );
  return grant(statements, { [ENV.table(name)]: table.tableName });
}

function bucketGrant(
  name: Bucket,
  verb: keyof typeof BUCKET_ACTIONS,
  keys: readonly string[],
  targets: Targets,
): Grant {
  const bucket = known(targets.buckets?.[name], `bucket ${name}`);
  const statements = BUCKET_ACTIONS[verb].map((action) =>
    allow([action], action === 's3:ListBucket' ? [bucket.bucketArn] : keys.map((key) => bucket.arnForObjects(key))),
  );
  return grant(statements, { [ENV.bucket(name)]: bucket.bucketName });
}

function invokeGrant(name: FunctionName, targets: Targets): Grant {
  const fn = known(targets.functions?.[name], `function ${name}`);
  return grant([allow(['lambda:InvokeFunction'], [fn.functionArn])], { [ENV.function(name)]: fn.functionName });
}

function grant(
  statements: readonly PolicyStatement[],
  environment: Readonly<Record<string, string>> = {},
  config: Partial<DeploymentConfig> = {},
): Grant {
  return { statements, environment, config };
}

function allow(
  actions: readonly string[],
  resources: readonly string[],
  conditions?: Readonly<Record<string, Readonly<Record<string, string | string[]>>>>,
): PolicyStatement {
  return new PolicyStatement({ actions: [...actions], resources: [...resources], conditions });
}

function anyUser(stack: Stack): string {
  return stack.formatArn({ service: 'iam', region: '', resource: 'user', resourceName: '*' });
}

function anyKey(stack: Stack): string {
  return stack.formatArn({
    service: 'kms',
    resource: 'key',
    resourceName: '*',
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
}

function isTable(name: string): name is TableName {
  return (TABLES as readonly string[]).includes(name);
}

function isBucket(name: string): name is Bucket {
  return (BUCKETS as readonly string[]).includes(name);
}

function known<T>(target: T | undefined, what: string): T {
  if (target !== undefined) return target;
  throw new CurfewError('ERR_CONFIG_INVALID', `a right names the ${what}, which this construct does not have`, {
    fix: 'pass it in `targets`, or remove the right from lib/domain/deployment/rights.ts',
  });
}
