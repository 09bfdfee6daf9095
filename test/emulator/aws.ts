/** What the contract suites need to stand in an AWS, made as its administrator: tables, buckets, roles, users, a Lambda. */
import { basename } from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateLoginProfileCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { CreateFunctionCommand, LambdaClient, waitUntilFunctionActiveV2 } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { buildSync } from 'esbuild';
import { zipOf } from '../../emulator/zip';
import { idsFor } from '../support/seeded';

const iam = new IAMClient({});

/** Names of this run and this suite, so that both may share an emulator with others. */
const id = idsFor(`names of ${basename(expect.getState().testPath ?? '')}`);
const run = id();
export const named = (name: string) => `contracts-${run}-${name}`;

export async function makeTable(name: string): Promise<void> {
  const command = new CreateTableCommand({
    TableName: named(name),
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
  });
  await new DynamoDBClient({}).send(command);
}

export async function makeBucket(name: string): Promise<void> {
  await new S3Client({}).send(new CreateBucketCommand({ Bucket: named(name) }));
}

/** A role that this account may assume; it has the given actions on everything, and no other. */
export async function makeRole(name: string, service: string | undefined, actions: readonly string[]): Promise<string> {
  const Principal = service ? { Service: service } : { AWS: 'arn:aws:iam::000000000000:root' };
  const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }] };
  const RoleName = named(name);
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }));
  if (actions.length > 0) {
    const rights = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] };
    const PolicyDocument = JSON.stringify(rights);
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'rights', PolicyDocument }));
  }
  return made(Role?.Arn);
}

export async function kmsAs(roleArn: string): Promise<KMSClient> {
  const command = new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'contracts' });
  const { Credentials } = await new STSClient({}).send(command);
  return new KMSClient({
    credentials: {
      accessKeyId: made(Credentials?.AccessKeyId),
      secretAccessKey: made(Credentials?.SecretAccessKey),
      sessionToken: made(Credentials?.SessionToken),
    },
  });
}

export async function makeDenyPolicy(): Promise<string> {
  const Condition = { Null: { 'aws:PrincipalTag/curfew:leaver': 'false' } };
  const document = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Deny', Action: '*', Resource: '*', Condition }],
  };
  const PolicyDocument = JSON.stringify(document);
  const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: named('leaver-deny'), PolicyDocument }));
  return made(Policy?.Arn);
}

export async function makeUser(accessKeys: number): Promise<string> {
  const UserName = named(id());
  await iam.send(new CreateUserCommand({ UserName, Tags: [{ Key: 'team', Value: 'auth' }] }));
  await iam.send(new CreateLoginProfileCommand({ UserName, Password: `Aa1!${id()}` }));
  for (let n = 0; n < accessKeys; n++) await iam.send(new CreateAccessKeyCommand({ UserName }));
  return UserName;
}

/** How the users of every suite are called who ask for nothing but rings of their own. */
export const isNamed = (userName: string) => userName.startsWith('contracts-');

/** The environment of a person who has this policy, or none. */
export async function personWith(name: string, policyArn: string | undefined): Promise<NodeJS.ProcessEnv> {
  const UserName = named(name);
  await iam.send(new CreateUserCommand({ UserName }));
  if (policyArn !== undefined) await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: policyArn }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return {
    ...process.env,
    AWS_ACCESS_KEY_ID: made(AccessKey?.AccessKeyId),
    AWS_SECRET_ACCESS_KEY: made(AccessKey?.SecretAccessKey),
  };
}

/** Bundled as the product's Lambdas are. */
export async function makeFunction(
  entryPoint: string,
  roleArn: string,
  environment: Record<string, string>,
): Promise<string> {
  const bundle = buildSync({
    entryPoints: [entryPoint],
    bundle: true,
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    write: false,
  });
  const lambda = new LambdaClient({});
  const FunctionName = named('callee');
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: roleArn,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Timeout: 30,
      Code: { ZipFile: zipOf('index.js', Buffer.from(made(bundle.outputFiles[0]).contents)) },
      Environment: { Variables: environment },
    }),
  );
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 30 }, { FunctionName });
  return FunctionName;
}

export function made<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('AWS answered without the thing that it made');
  return thing;
}
