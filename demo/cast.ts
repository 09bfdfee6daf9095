/**
 * The people of the story: W-1042, who built the token service and leaves; a colleague, who stays and is every twin;
 * the shop's back end, which issues tokens; an auditor, who may read the log. Real IAM users with real access keys.
 */
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateLoginProfileCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  GetLoginProfileCommand,
  IAMClient,
} from '@aws-sdk/client-iam';
import { CreateKeyCommand, DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { LOCAL_ACCOUNT } from '../emulator/emulator';
import { keyPolicy } from '../lib/domain/rings/key-policy';

export const WORKER = 'W-1042';
export const WORKER_USER = 'w-1042';
const COLLEAGUE_USER = 'w-1043';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Cast {
  readonly worker: {
    readonly arn: string;
    readonly key: Credentials;
    readonly session: Credentials;
    readonly personalKeyArn: string;
  };
  readonly colleague: { readonly session: Credentials; readonly key: Credentials };
  readonly backend: Credentials;
  readonly auditor: Credentials;
}

const iam = new IAMClient({});
const kms = new KMSClient({});

/** Who decides together about cases in doubt. Nothing of the story is in doubt; the suites after it have use for them. */
export async function appointApprovers(): Promise<readonly { workerId: string; identity: string }[]> {
  const names = ['approver-1', 'approver-2', 'approver-3'];
  const users = await Promise.all(names.map((UserName) => iam.send(new CreateUserCommand({ UserName }))));
  return users.map(({ User }, n) => ({ workerId: `W-000${n + 1}`, identity: User?.UserId ?? '' }));
}

export interface Places {
  readonly apiId: string;
  readonly disablerRoleArn: string;
  readonly evidenceReaderRoleArn: string;
}

export async function hire({ apiId, disablerRoleArn, evidenceReaderRoleArn }: Places): Promise<Cast> {
  const buckets = await createPolicy('list-buckets', ['s3:ListAllMyBuckets', 'sts:GetSessionToken'], '*');
  const issue = await createPolicy(
    'issue',
    ['execute-api:Invoke'],
    `arn:aws:execute-api:*:${LOCAL_ACCOUNT}:${apiId}/*/POST/r/*/issue`,
  );
  const audit = await createPolicy('audit', ['sts:AssumeRole'], evidenceReaderRoleArn);

  const worker = await createUser(WORKER_USER, buckets);
  await iam.send(
    new CreateLoginProfileCommand({
      UserName: WORKER_USER,
      Password: 'Throw-away-1042!',
      PasswordResetRequired: false,
    }),
  );
  const colleague = await createUser(COLLEAGUE_USER, buckets);
  const backend = await createUser('shop-backend', issue);
  const auditor = await createUser('auditor', audit);
  return {
    worker: { ...worker, session: await sessionOf(worker.key), personalKeyArn: await personalKey(disablerRoleArn) },
    colleague: { key: colleague.key, session: await sessionOf(colleague.key) },
    backend: backend.key,
    auditor: auditor.key,
  };
}

async function createPolicy(name: string, actions: readonly string[], resource: string): Promise<string> {
  const document = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: resource }] };
  const { Policy } = await iam.send(
    new CreatePolicyCommand({ PolicyName: `demo-${name}`, PolicyDocument: JSON.stringify(document) }),
  );
  return Policy?.Arn ?? '';
}

async function createUser(name: string, policyArn: string): Promise<{ arn: string; key: Credentials }> {
  const { User } = await iam.send(new CreateUserCommand({ UserName: name }));
  await iam.send(new AttachUserPolicyCommand({ UserName: name, PolicyArn: policyArn }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  return {
    arn: User?.Arn ?? '',
    key: { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' },
  };
}

/** Taken before the departure: sessions outlive the key they came from, which is why the latch exists. */
async function sessionOf(key: Credentials): Promise<Credentials> {
  const { Credentials: session } = await new STSClient({ credentials: key }).send(new GetSessionTokenCommand({}));
  return {
    accessKeyId: session?.AccessKeyId ?? '',
    secretAccessKey: session?.SecretAccessKey ?? '',
    sessionToken: session?.SessionToken,
  };
}

/** A key of the worker's own. Its policy names the disabler: the documented step by which a team lets Curfew end one. */
async function personalKey(disablerRoleArn: string): Promise<string> {
  const statements = [
    { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${LOCAL_ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
    {
      Effect: 'Allow',
      Principal: { AWS: disablerRoleArn },
      Action: ['kms:DisableKey', 'kms:DescribeKey'],
      Resource: '*',
    },
  ];
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: 'W-1042 personal', Policy: policy }));
  return KeyMetadata?.Arn ?? '';
}

/** An enabled signing key under the shipped key policy: what ends it is its date and nothing else. */
export async function datedKey(
  signUntil: number,
  roleArns: Parameters<typeof keyPolicy>[0]['roleArns'],
): Promise<string> {
  const policy = keyPolicy({ accountId: LOCAL_ACCOUNT, roleArns, algorithm: 'ES256', signUntil });
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Policy: policy }),
  );
  return KeyMetadata?.Arn ?? '';
}

export async function kmsState(arn: string): Promise<string> {
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: arn }));
  return KeyMetadata?.KeyState ?? 'unknown';
}

/** Not GetCallerIdentity: that answers through any deny. */
export async function listBuckets(credentials: Credentials): Promise<void> {
  await new S3Client({ credentials, forcePathStyle: true }).send(new ListBucketsCommand({}));
}

export async function loginProfile(userName: string): Promise<void> {
  await iam.send(new GetLoginProfileCommand({ UserName: userName }));
}

export async function assumeRole(as: Credentials, roleArn: string): Promise<Credentials> {
  const { Credentials: session } = await new STSClient({ credentials: as }).send(
    new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'demo' }),
  );
  return {
    accessKeyId: session?.AccessKeyId ?? '',
    secretAccessKey: session?.SecretAccessKey ?? '',
    sessionToken: session?.SessionToken,
  };
}
