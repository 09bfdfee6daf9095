/**
 * Sets what the emulator's CloudFormation leaves out of the templates it accepts, by the real API, and reads it back.
 *
 * What is wanted is read from the very templates that were deployed, so AWS and the local AWS get the same. What the
 * emulator did set is left alone: the answer lists only what was missing, for the summary to say so.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import {
  GetBucketLifecycleConfigurationCommand,
  GetObjectLockConfigurationCommand,
  type ObjectLockRetentionMode,
  PutBucketLifecycleConfigurationCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { CurfewError } from '../lib/domain/base/errors';
import { conditions } from './conditions';

export type Properties = Readonly<Record<string, unknown>>;
/** Physical ids by logical id, of one stack. */
export type PhysicalIds = Readonly<Record<string, string>>;

export interface Patch<Wanted> {
  readonly type: string;
  readonly says: string;
  /** Undefined: this resource asks for nothing of the kind. */
  wanted(properties: Properties, ids: PhysicalIds): Wanted | undefined;
  /** In the shape of `wanted`, so that the two can be compared. */
  read(id: string, wanted: Wanted): Promise<Wanted | undefined>;
  set(id: string, wanted: Wanted): Promise<unknown>;
}

const s3 = new S3Client({});
const dynamodb = new DynamoDBClient({});
const secrets = new SecretsManagerClient({});

const objectLock: Patch<{ Mode: ObjectLockRetentionMode; Days: number }> = {
  type: 'AWS::S3::Bucket',
  says: 'Object Lock',
  wanted: (properties) => at(properties, 'ObjectLockConfiguration.Rule.DefaultRetention'),
  read: async (Bucket) => {
    const answer = await orAbsent(s3.send(new GetObjectLockConfigurationCommand({ Bucket })));
    const { Mode, Days } = answer?.ObjectLockConfiguration?.Rule?.DefaultRetention ?? {};
    return Mode && Days ? { Mode, Days } : undefined;
  },
  set: (Bucket, DefaultRetention) =>
    s3.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention } },
      }),
    ),
};

const lifecycle: Patch<{ NoncurrentDays: number }> = {
  type: 'AWS::S3::Bucket',
  says: 'lifecycle of old versions',
  wanted: (properties) => at(properties, 'LifecycleConfiguration.Rules.0.NoncurrentVersionExpiration'),
  read: async (Bucket) => {
    const answer = await orAbsent(s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket })));
    const NoncurrentDays = answer?.Rules?.[0]?.NoncurrentVersionExpiration?.NoncurrentDays;
    return NoncurrentDays === undefined ? undefined : { NoncurrentDays };
  },
  set: (Bucket, NoncurrentVersionExpiration) =>
    s3.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: {
          Rules: [{ ID: 'old-versions', Status: 'Enabled', Filter: { Prefix: '' }, NoncurrentVersionExpiration }],
        },
      }),
    ),
};

const timeToLive: Patch<string> = {
  type: 'AWS::DynamoDB::GlobalTable',
  says: 'time to live',
  wanted: (properties) => at(properties, 'TimeToLiveSpecification.AttributeName'),
  read: async (TableName) => {
    const { TimeToLiveDescription } = await dynamodb.send(new DescribeTimeToLiveCommand({ TableName }));
    return TimeToLiveDescription?.AttributeName;
  },
  set: (TableName, AttributeName) =>
    dynamodb.send(
      new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { AttributeName, Enabled: true } }),
    ),
};

const pointInTimeRecovery: Patch<boolean> = {
  type: 'AWS::DynamoDB::GlobalTable',
  says: 'point-in-time recovery',
  wanted: (properties) =>
    at<boolean>(properties, 'Replicas.0.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled') || undefined,
  read: async (TableName) => {
    const { ContinuousBackupsDescription } = await dynamodb.send(new DescribeContinuousBackupsCommand({ TableName }));
    return ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED';
  },
  set: (TableName, PointInTimeRecoveryEnabled) =>
    dynamodb.send(
      new UpdateContinuousBackupsCommand({
        TableName,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled },
      }),
    ),
};

const tableKey: Patch<string> = {
  type: 'AWS::DynamoDB::GlobalTable',
  says: 'customer-managed key',
  wanted: (properties, ids) => {
    const key = at<{ 'Fn::GetAtt'?: readonly [string, string] }>(
      properties,
      'Replicas.0.SSESpecification.KMSMasterKeyId',
    );
    const logicalId = key?.['Fn::GetAtt']?.[0];
    return logicalId && ids[logicalId];
  },
  read: async (TableName) => {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
    return Table?.SSEDescription?.KMSMasterKeyArn?.split('/').at(-1);
  },
  set: (TableName, KMSMasterKeyId) =>
    dynamodb.send(
      new UpdateTableCommand({ TableName, SSESpecification: { Enabled: true, SSEType: 'KMS', KMSMasterKeyId } }),
    ),
};

/** The emulator makes an empty value where AWS makes none; it would be asked as the value before the first real one. */
const noValue: Patch<'none'> = {
  type: 'AWS::SecretsManager::Secret',
  says: 'no value until one is put',
  wanted: ({ GenerateSecretString, SecretString }) => (GenerateSecretString || SecretString ? undefined : 'none'),
  read: async (SecretId) => ((await emptyVersion(SecretId)) === undefined ? 'none' : undefined),
  set: async (SecretId) =>
    secrets.send(
      new UpdateSecretVersionStageCommand({
        SecretId,
        VersionStage: 'AWSCURRENT',
        RemoveFromVersionId: await emptyVersion(SecretId),
      }),
    ),
};

async function emptyVersion(SecretId: string): Promise<string | undefined> {
  const { Versions } = await secrets.send(new ListSecretVersionIdsCommand({ SecretId }));
  const current = Versions?.find(({ VersionStages }) => VersionStages?.includes('AWSCURRENT'))?.VersionId;
  if (current === undefined) return undefined;
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId, VersionId: current }));
  return SecretString === '' ? current : undefined;
}

const PATCHES = [
  noValue,
  objectLock,
  lifecycle,
  timeToLive,
  pointInTimeRecovery,
  tableKey,
  conditions,
] as readonly Patch<unknown>[];

/** @param assembly folder of the deployed templates: `cdk.out` */
export async function patchAfterDeploy(assembly: string): Promise<string[]> {
  const patched: string[] = [];
  for (const file of readdirSync(assembly).filter((name) => name.endsWith('.template.json'))) {
    const stack = file.replace('.template.json', '');
    const { Resources } = JSON.parse(readFileSync(join(assembly, file), 'utf8')) as {
      Resources: Readonly<Record<string, { readonly Type: string; readonly Properties?: Properties }>>;
    };
    const ids = await physicalIds(stack);
    for (const [logicalId, { Type, Properties = {} }] of Object.entries(Resources))
      for (const patch of PATCHES.filter(({ type }) => type === Type))
        if (await apply(patch, ids[logicalId] ?? '', patch.wanted(Properties, ids)))
          patched.push(`${logicalId}: ${patch.says}`);
  }
  return patched;
}

async function apply<Wanted>(patch: Patch<Wanted>, id: string, wanted: Wanted | undefined): Promise<boolean> {
  if (wanted === undefined || isDeepStrictEqual(await patch.read(id, wanted), wanted)) return false;
  await patch.set(id, wanted);
  const got = await patch.read(id, wanted);
  if (isDeepStrictEqual(got, wanted)) return true;
  throw new CurfewError('ERR_UNAVAILABLE', `${patch.says} of ${id} was set, and has another value when read back`, {
    got,
    allowed: wanted,
  });
}

async function physicalIds(StackName: string): Promise<PhysicalIds> {
  const { StackResources } = await new CloudFormationClient({}).send(new DescribeStackResourcesCommand({ StackName }));
  return Object.fromEntries(
    (StackResources ?? []).map(({ LogicalResourceId, PhysicalResourceId }) => [LogicalResourceId, PhysicalResourceId]),
  );
}

function at<T>(properties: Properties, path: string): T | undefined {
  let found: unknown = properties;
  for (const step of path.split('.')) found = (found as Properties | undefined)?.[step];
  return found as T | undefined;
}

/** S3 answers "there is none" with an error of its own for each kind of configuration. */
async function orAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Error && /^(ObjectLockConfigurationNotFound|NoSuchLifecycleConfiguration)/.test(error.name))
      return undefined;
    throw error;
  }
}
