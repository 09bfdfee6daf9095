/** The AWS adapters keep the promises of the ports, on the endpoint that AWS_ENDPOINT_URL names. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateStateMachineCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { systemClock } from '../../lib/aws/clock';
import { DynamodbTables } from '../../lib/aws/dynamodb-tables';
import { EventBridgeEvents } from '../../lib/aws/eventbridge-events';
import { FetchHttp } from '../../lib/aws/fetch-http';
import { AwsIamDisabler, AwsIamLatch, AwsIamReader } from '../../lib/aws/iam';
import { KmsKeyDisabler } from '../../lib/aws/kms-key-disabler';
import { KmsRingKeys } from '../../lib/aws/kms-ring-keys';
import { KmsSigner } from '../../lib/aws/kms-signer';
import { LambdaFunctions } from '../../lib/aws/lambda-functions';
import { systemRandom } from '../../lib/aws/random';
import { S3Objects } from '../../lib/aws/s3-objects';
import { KmsSealer } from '../../lib/aws/sealer-kms';
import { SecretsManagerSecrets } from '../../lib/aws/secrets';
import { SfnWorkflow } from '../../lib/aws/sfn-workflow';
import { CurfewError } from '../../lib/domain/base/errors';
import { ENV } from '../../lib/env';
import { httpContract } from '../contracts/http.contract';
import { iamContract } from '../contracts/iam.contract';
import { type KmsRole, kmsContract } from '../contracts/kms.contract';
import { objectsContract } from '../contracts/objects.contract';
import { sealerContract } from '../contracts/sealer.contract';
import { secretsContract } from '../contracts/secrets.contract';
import { tablesContract } from '../contracts/tables.contract';
import { kmsAs, made, makeBucket, makeDenyPolicy, makeFunction, makeRole, makeTable, makeUser, named } from './aws';

jest.setTimeout(60_000);
const ACCOUNT = '000000000000';

beforeAll(() => {
  if (!process.env.AWS_ENDPOINT_URL)
    throw new Error('these tests run against a local AWS only: start them with npm test, which sets AWS_ENDPOINT_URL');
});

describe('DynamoDB', () => {
  beforeAll(() => Promise.all(['cases', 'keys', 'log'].map(makeTable)));
  tablesContract(() => new DynamodbTables(named));
});

describe('KMS', () => {
  const roles: KmsRole[] = ['issuer', 'resigner', 'rotator', 'disabler'];
  const arns = {} as Record<KmsRole, string>;
  const clients = {} as Record<KmsRole, KMSClient>;
  beforeAll(async () => {
    // Birth and look-up stand in identity policies; everything on a key stands in its own policy.
    const birth = ['kms:CreateKey', 'kms:TagResource', 'tag:GetResources'];
    for (const role of roles) {
      arns[role] = await makeRole(role, undefined, role === 'rotator' ? birth : []);
      clients[role] = await kmsAs(arns[role]);
    }
  });
  kmsContract(() => ({
    accountId: ACCOUNT,
    roleArns: arns,
    now: () => systemClock.now(),
    signerAs: (role) => new KmsSigner(clients[role]),
    ringKeysAs: (role) => {
      const { credentials } = clients[role].config;
      return new KmsRingKeys('contracts', clients[role], new ResourceGroupsTaggingAPIClient({ credentials }));
    },
    disablerAs: (role) => new KmsKeyDisabler(clients[role]),
  }));
});

describe('S3', () => {
  beforeAll(() => makeBucket('heads'));
  objectsContract(() => new S3Objects(named));
});

describe('the sealer on KMS and DynamoDB', () => {
  let shredKeyArn: string;
  beforeAll(async () => {
    await makeTable('shred');
    shredKeyArn = made((await new KMSClient({}).send(new CreateKeyCommand({}))).KeyMetadata?.Arn);
  });
  sealerContract(() => ({
    sealer: new KmsSealer({ shredKeyArn, shredTable: named('shred') }, systemRandom),
    shred: async (pseudonym) => {
      const Key = { pk: { S: pseudonym }, sk: { S: 'DEK' } };
      await new DynamoDBClient({}).send(new DeleteItemCommand({ TableName: named('shred'), Key }));
    },
  }));
});

describe('IAM', () => {
  let denyPolicyArn: string;
  beforeAll(async () => {
    denyPolicyArn = await makeDenyPolicy();
  });
  iamContract(() => ({
    iam: new AwsIamReader(),
    latch: new AwsIamLatch(denyPolicyArn),
    iamDisabler: new AwsIamDisabler(),
    denyPolicyArn,
    makeUser,
  }));
});

describe('Secrets Manager', () => {
  const client = new SecretsManagerClient({});
  const arnOf = new Map<string, string>();
  secretsContract(() => ({
    fresh: () =>
      new SecretsManagerSecrets((name) => {
        const arn = arnOf.get(name);
        if (arn) return arn;
        throw new CurfewError('ERR_NOT_FOUND', 'unknown secret', { got: name });
      }, systemClock),
    rotate: async (name, SecretString) => {
      const SecretId = arnOf.get(name);
      if (SecretId) await client.send(new PutSecretValueCommand({ SecretId, SecretString }));
      else arnOf.set(name, made((await client.send(new CreateSecretCommand({ Name: named(name), SecretString }))).ARN));
    },
  }));
});

describe('fetch', () => {
  let server: Server;
  let port: number;
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/ok') response.end(request.headers['x-probe']);
      else if (request.url === '/moved') response.writeHead(302, { location: '/ok' }).end();
      else response.writeHead(404).end('gone');
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => new Promise((closed) => server.close(closed)));
  // Port 1 of loopback: nothing listens there.
  httpContract(() => ({
    http: new FetchHttp(),
    baseUrl: `http://127.0.0.1:${port}`,
    deadUrl: 'http://127.0.0.1:1/',
  }));
});

describe('Lambda, behind entry', () => {
  let functions: LambdaFunctions;
  beforeAll(async () => {
    const role = await makeRole('callee', 'lambda.amazonaws.com', []);
    const config = { instance: 'contracts', settings: {} };
    const environment = { [ENV.config]: JSON.stringify(config) };
    const name = await makeFunction(join(__dirname, 'callee.ts'), role, environment);
    functions = new LambdaFunctions(() => name);
  });

  test('a request and its answer travel', async () => {
    const answer = await functions.invoke('disabler', { kmsKeyArn: 'answer' });
    expect(answer).toEqual({ state: 'answer for contracts' });
  });

  test("a callee's refusal is thrown here with its code, message and fix, and no more", async () => {
    const refused = functions.invoke('disabler', { kmsKeyArn: 'refuse' });
    await expect(refused).rejects.toMatchObject({
      name: 'CurfewError',
      code: 'ERR_CASE_STATE',
      message: 'the case waits for people',
      fix: 'approve it',
      got: undefined,
    });
  });

  test("a callee's bug is unavailability, and what it said stays there", async () => {
    await expect(functions.invoke('disabler', { kmsKeyArn: 'break' })).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: 'disabler failed unexpectedly: TypeError',
    });
  });
});

describe('Step Functions', () => {
  test('starting the same name again is success, and there is one execution', async () => {
    const sfn = new SFNClient({});
    const definition = JSON.stringify({ StartAt: 'Done', States: { Done: { Type: 'Succeed' } } });
    const roleArn = await makeRole('conductor', 'states.amazonaws.com', []);
    const machine = await sfn.send(new CreateStateMachineCommand({ name: named('case'), definition, roleArn }));
    const stateMachineArn = made(machine.stateMachineArn);

    const workflow = new SfnWorkflow(stateMachineArn);
    for (const _ of ['once', 'twice']) await workflow.start('c-1.1', { caseId: 'c-1', attempt: 1 });
    const { executions } = await sfn.send(new ListExecutionsCommand({ stateMachineArn }));
    expect(executions?.map(({ name }) => name)).toEqual(['c-1.1']);
    // A machine of one Pass ends at once, and nobody started the other.
    expect([await ended(workflow, 'c-1.1'), await workflow.isRunning('c-1.2')]).toEqual([true, false]);
  });
});

async function ended(workflow: SfnWorkflow, name: string): Promise<boolean> {
  for (let n = 0; n < 100; n++) if (!(await workflow.isRunning(name))) return true;
  return false;
}

describe('EventBridge', () => {
  test('an event is taken', async () => {
    await expect(new EventBridgeEvents('default').put('CaseOpened', { id: 'c-1' })).resolves.toBeUndefined();
  });
});
