/** What a deployed instance tells of its stacks: over the wire, as CloudFormation answers. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Instance } from '../../../bin/edge/instance';

const STACK = (name: string) => `<member>
  <StackName>${name}</StackName><StackStatus>UPDATE_COMPLETE</StackStatus>
  <CreationTime>2027-01-15T08:00:00.000Z</CreationTime><LastUpdatedTime>2027-01-16T08:00:00.000Z</LastUpdatedTime>
  <Outputs>
    <member><OutputKey>HrSources</OutputKey><OutputValue>hr-core</OutputValue></member>
    <member><OutputKey>SecretWebhookHrCoreArn</OutputKey><OutputValue>arn:1</OutputValue></member>
  </Outputs></member>`;
const XMLNS = 'xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"';

const ENVIRONMENT = {
  AWS_ENDPOINT_URL: '',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'example',
};
const before = { ...process.env };
let server: Server;

beforeAll(async () => {
  server = createServer((request, response) => {
    let form = '';
    request.on('data', (chunk) => {
      form += chunk;
    });
    request.on('end', () => {
      const name = new URLSearchParams(form).get('StackName') ?? '';
      const isThere = name !== 'curfew-prod-evidence';
      response.writeHead(isThere ? 200 : 400, { 'content-type': 'text/xml' });
      response.end(
        isThere
          ? `<DescribeStacksResponse ${XMLNS}><DescribeStacksResult><Stacks>${STACK(name)}</Stacks></DescribeStacksResult></DescribeStacksResponse>`
          : `<ErrorResponse ${XMLNS}><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id ${name} does not exist</Message></Error></ErrorResponse>`,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  Object.assign(process.env, ENVIRONMENT, { AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` });
});

afterAll(async () => {
  for (const name of Object.keys(ENVIRONMENT)) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  await new Promise((resolve) => server.close(resolve));
});

test('each stack has its state and the instant at which it was made, not that of its last update; one may be absent', async () => {
  const { instance, stacks, madeAt } = await Instance.look('prod');
  expect(stacks).toEqual({ evidence: undefined, signing: 'UPDATE_COMPLETE', offboarding: 'UPDATE_COMPLETE' });
  expect(madeAt).toEqual({ evidence: undefined, signing: 1_800_000_000, offboarding: 1_800_000_000 });
  expect(instance.webhookSecretArns).toEqual({ 'hr-core': 'arn:1' });
});
