/** The account that is looked at: a client per service, a clock, and what has to be undone. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { systemClock } from '../../lib/aws/clock';
import type { Clock } from '../../lib/ports';
import { Undo } from './undo';

/** How every client is made. A test gives the wire of its own. */
export type Settings = Pick<S3ClientConfig, 'credentials' | 'maxAttempts' | 'region' | 'requestHandler'>;

export interface Account {
  readonly id: string;
  readonly region: string;
  /** In the name of everything that a run makes. */
  readonly run: string;
  readonly clock: Clock;
  readonly undo: Undo;
  readonly kms: KMSClient;
  readonly tags: ResourceGroupsTaggingAPIClient;
  readonly iam: IAMClient;
  readonly dynamodb: DynamoDBClient;
  readonly s3: S3Client;
  readonly lambda: LambdaClient;
  readonly cloudwatch: CloudWatchClient;
  /** KMS as somebody else: a throw-away user. */
  readonly kmsAs: (credentials: NonNullable<Settings['credentials']>) => KMSClient;
}

interface Given {
  readonly run: string;
  readonly region: string;
  readonly settings?: Settings;
  readonly clock?: Clock;
  readonly log: (line: string) => void;
}

export async function openAccount({ run, region, settings = {}, clock = systemClock, log }: Given): Promise<Account> {
  // One attempt: what AWS refuses is what we are here to see.
  const config: Settings = { maxAttempts: 1, region, ...settings };
  const { Account: id = '' } = await new STSClient(config).send(new GetCallerIdentityCommand({}));
  return {
    id,
    region,
    run,
    clock,
    undo: new Undo(log),
    kms: new KMSClient(config),
    tags: new ResourceGroupsTaggingAPIClient(config),
    iam: new IAMClient(config),
    dynamodb: new DynamoDBClient(config),
    s3: new S3Client(config),
    lambda: new LambdaClient(config),
    cloudwatch: new CloudWatchClient(config),
    kmsAs: (credentials) => new KMSClient({ ...config, credentials }),
  };
}
