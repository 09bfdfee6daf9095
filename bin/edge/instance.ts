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
import { systemClock } from '../../lib/aws/clock';
import { DynamodbTables } from '../../lib/aws/dynamodb-tables';
import { awsError, errorName } from '../../lib/aws/errors';
import { LambdaFunctions } from '../../lib/aws/lambda-functions';
import { S3Objects } from '../../lib/aws/s3-objects';
import { pascal } from '../../lib/constructs/parts/names';
import { CurfewError } from '../../lib/domain/base/errors';
import type { Bucket } from '../../lib/domain/deployment/rights';
import type { TableName } from '../../lib/domain/store/table';
import { parsedTables } from '../../lib/parsed-tables';
import type { Tables } from '../../lib/ports';
import { webhookSecretsIn } from './hr-sources';
import { type SignedRequests, signedRequests } from './signed-requests';

/** Where the offboarding API is reached, if not at the output `IntakeUrl`: through a proxy or a VPC endpoint. */
const API_URL = 'CURFEW_API_URL';

export const STACKS = ['evidence', 'signing', 'offboarding'] as const;
export type StackName = (typeof STACKS)[number];

/** Whose rights are used; those of the process unless given. */
type Caller = Pick<CloudFormationClientConfig, 'credentials'>;

export class Instance {
  readonly clock = systemClock;
  readonly tables: Tables;
  readonly objects: S3Objects;
  readonly functions: LambdaFunctions;
  /** Routes of the offboarding API that ask who signed. */
  readonly signed: SignedRequests;

  private constructor(
    readonly name: string,
    private readonly outputs: Readonly<Record<StackName, Readonly<Record<string, string>>>>,
    caller: Caller,
  ) {
    this.tables = parsedTables(
      new DynamodbTables((table: TableName) => this.output(`Table${pascal(table)}Name`), new DynamoDBClient(caller)),
    );
    this.objects = new S3Objects((bucket: Bucket) => this.output(`${pascal(bucket)}BucketName`), new S3Client(caller));
    this.signed = signedRequests(() => process.env[API_URL] ?? this.output('IntakeUrl', 'offboarding'), caller);
    this.functions = new LambdaFunctions((fn) => this.output(`Function${pascal(fn)}Name`), new LambdaClient(caller));
  }

  /** All three stacks, or an error that names the one that is missing. */
  static async find(name: string, caller: Caller = {}): Promise<Instance> {
    const { instance, stacks } = await Instance.look(name, caller);
    const missing = STACKS.find((stack) => stacks[stack] === undefined);
    if (missing !== undefined) throw noStack(`curfew-${name}-${missing}`);
    return instance;
  }

  /** As many of its stacks as there are, their states, and the epoch seconds at which they were made. */
  static async look(name: string, caller: Caller = {}) {
    const client = new CloudFormationClient(caller);
    const found = await Promise.all(
      STACKS.map(async (stack) => [stack, await describe(client, `curfew-${name}-${stack}`)] as const),
    );
    const each = <T>(of: (stack: FoundStack | undefined) => T) =>
      Object.fromEntries(found.map(([stack, described]) => [stack, of(described)])) as Readonly<Record<StackName, T>>;
    return {
      instance: new Instance(
        name,
        each((stack) => stack?.outputs ?? {}),
        caller,
      ),
      stacks: each((stack) => stack?.status),
      madeAt: each((stack) => stack?.madeAt),
    };
  }

  /** The output of whichever stack has it. */
  output(name: string, stack?: StackName): string {
    const value = this.findOutput(name, stack);
    if (value !== undefined) return value;
    throw new CurfewError('ERR_NOT_FOUND', `instance ${this.name} has no output ${name}`, {
      got: name,
      fix: 'deploy all of its stacks',
    });
  }

  findOutput(name: string, stack?: StackName): string | undefined {
    return (stack ? [stack] : STACKS)
      .map((candidate) => this.outputs[candidate][name])
      .find((found) => found !== undefined);
  }

  /** ARNs of the secrets of the HR sources, by the names that their owner wrote. */
  get webhookSecretArns(): Readonly<Record<string, string>> {
    return webhookSecretsIn(this.outputs.offboarding);
  }
}

interface FoundStack {
  readonly status: string;
  readonly madeAt: number | undefined;
  readonly outputs: Readonly<Record<string, string>>;
}

async function describe(client: CloudFormationClient, stack: string): Promise<FoundStack | undefined> {
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    const [{ StackStatus = 'unknown', CreationTime, Outputs = [] } = {}] = Stacks ?? [];
    const outputs = Outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]);
    const madeAt = CreationTime && Math.floor(CreationTime.getTime() / 1000);
    return { status: StackStatus, madeAt, outputs: Object.fromEntries(outputs) };
  } catch (error) {
    // CloudFormation has no error of its own for it: "Stack with id … does not exist".
    if (errorName(error) === 'ValidationError') return undefined;
    throw awsError(`describe stack ${stack}`, error);
  }
}

function noStack(stack: string): CurfewError {
  return new CurfewError('ERR_NOT_FOUND', `there is no stack ${stack}`, {
    got: stack,
    fix: 'check --instance, the region and the account',
  });
}
