/**
 * A deployed instance as the CLI sees it: names from the outputs of its stacks, ports under the caller's own rights.
 * The CLI holds no right of its own; what IAM refuses its caller, it refuses here.
 */
import {
  CloudFormationClient,
  type CloudFormationClientConfig,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { systemClock } from '../lib/aws/clock';
import { DynamodbTables } from '../lib/aws/dynamodb-tables';
import { LambdaFunctions } from '../lib/aws/lambda-functions';
import { S3Objects } from '../lib/aws/s3-objects';
import { pascal } from '../lib/constructs/names';
import { CurfewError } from '../lib/domain/errors';
import type { Bucket } from '../lib/domain/rights';
import type { TableName } from '../lib/domain/table';

export const STACKS = ['evidence', 'signing', 'offboarding'] as const;
export type StackName = (typeof STACKS)[number];

/** Whose rights are used; those of the process unless given. */
type Caller = Pick<CloudFormationClientConfig, 'credentials'>;

export class Instance {
  readonly clock = systemClock;
  readonly tables: DynamodbTables;
  readonly objects: S3Objects;
  readonly functions: LambdaFunctions;

  private constructor(
    readonly name: string,
    private readonly outputs: Readonly<Record<StackName, Readonly<Record<string, string>>>>,
    caller: Caller,
  ) {
    this.tables = new DynamodbTables(
      (table: TableName) => this.output(`Table${pascal(table)}Name`),
      new DynamoDBClient(caller),
    );
    this.objects = new S3Objects((bucket: Bucket) => this.output(`${pascal(bucket)}BucketName`), new S3Client(caller));
    this.functions = new LambdaFunctions((fn) => this.output(`Function${pascal(fn)}Name`), new LambdaClient(caller));
  }

  static async find(name: string, caller: Caller = {}): Promise<Instance> {
    const client = new CloudFormationClient(caller);
    const found = await Promise.all(
      STACKS.map(async (stack) => [stack, await outputsOf(client, `curfew-${name}-${stack}`)] as const),
    );
    return new Instance(name, Object.fromEntries(found) as Instance['outputs'], caller);
  }

  /** The output of whichever stack has it. */
  output(name: string, stack?: StackName): string {
    const value = (stack ? [stack] : STACKS)
      .map((candidate) => this.outputs[candidate][name])
      .find((found) => found !== undefined);
    if (value !== undefined) return value;
    throw new CurfewError('ERR_NOT_FOUND', `instance ${this.name} has no output ${name}`, {
      got: name,
      fix: 'deploy all of its stacks',
    });
  }
}

async function outputsOf(client: CloudFormationClient, stack: string): Promise<Record<string, string>> {
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    return Object.fromEntries(
      (Stacks?.[0]?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    );
  } catch (cause) {
    throw new CurfewError('ERR_NOT_FOUND', `there is no stack ${stack} that you may read`, {
      got: stack,
      fix: 'check --instance, the region and your credentials',
      cause,
    });
  }
}
