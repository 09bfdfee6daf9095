/**
 * A first production deployment that failed, as docs/runbook.md tells to repeat it. What fails stands for whatever may be
 * wrong: a legacy key that would be accepted for two years, which only the ring's birth can refuse, for it knows the day.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateDescribeStackEvents,
  type StackEvent,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { type DeployOptions, deploy } from '../../emulator/deploy';
import { LOCAL_REGION } from '../../emulator/emulator';
import { signingKey } from '../support/keys';

const cloudFormation = new CloudFormationClient({});
const dir = mkdtempSync(join(tmpdir(), 'curfew-first-'));
jest.setTimeout(240_000);
afterAll(() => rmSync(dir, { recursive: true }));

const IN_TWO_YEARS = Math.floor(Date.now() / 1000) + 2 * 365 * 86_400;
const REFUSED = [{ jwk: signingKey().jwk, verifyUntil: IN_TWO_YEARS, approver: 'CHG-7' }];

async function deployed(instance: string, legacyKeys: object[], more: Partial<DeployOptions> = {}): Promise<string> {
  const configuration = {
    instance,
    region: LOCAL_REGION,
    stage: 'production',
    publicBaseUrl: `${process.env.AWS_ENDPOINT_URL}/_aws/execute-api/{apiId}/$default`,
    logOrigin: `example.com/${instance}`,
    settings: { propagationSeconds: 1, verifierCacheSeconds: 1 },
    rings: [
      {
        id: 'customer-api',
        issuer: 'https://login.example.com/customer-api',
        audience: 'https://api.example.com',
        rotationCheckMinutes: 60,
        legacyKeys,
      },
    ],
    sources: { hr: { scheme: 'bamboohr' } },
  };
  return deploy({ dir, configuration, log: () => undefined, ...more }).then(
    () => 'deployed',
    (error: Error) => error.message,
  );
}

async function stackOf(instance: string) {
  const request = new DescribeStacksCommand({ StackName: `curfew-${instance}-signing` });
  const [{ StackStatus: status, EnableTerminationProtection: isProtected } = {}] =
    (await cloudFormation.send(request)).Stacks ?? [];
  return { status, isProtected };
}

async function eventsOf(instance: string): Promise<StackEvent[]> {
  const events: StackEvent[] = [];
  const pages = paginateDescribeStackEvents({ client: cloudFormation }, { StackName: `curfew-${instance}-signing` });
  for await (const { StackEvents = [] } of pages) events.push(...StackEvents);
  return events;
}

test('B4: rolled back, it stays protected; once it is not, the next deployment succeeds beside what stayed behind', async () => {
  expect(await deployed('first', REFUSED)).toContain('ERR_RING_LIMIT');
  expect(await stackOf('first')).toEqual({ status: 'ROLLBACK_COMPLETE', isProtected: true });
  const skipped = (await eventsOf('first')).filter(({ ResourceStatus }) => ResourceStatus === 'DELETE_SKIPPED');
  expect(skipped.map(({ ResourceType }) => ResourceType).sort()).toEqual([
    ...Array.from({ length: 5 }, () => 'AWS::DynamoDB::GlobalTable'),
    'AWS::S3::Bucket',
    'AWS::S3::BucketPolicy',
  ]);

  expect(await deployed('first', [], { isBootstrapped: true })).toContain(
    'cannot be deleted while TerminationProtection is enabled',
  );
  const StackName = 'curfew-first-signing';
  await cloudFormation.send(new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }));
  expect(await deployed('first', [], { isBootstrapped: true })).toBe('deployed');
  expect(await stackOf('first')).toEqual({ status: 'CREATE_COMPLETE', isProtected: true });
});

test('B4: with --no-rollback the same command again is all there is to do', async () => {
  const more = { isBootstrapped: true, isKeptOnFailure: true };
  expect(await deployed('again', REFUSED, more)).toContain('ERR_RING_LIMIT');
  expect(await stackOf('again')).toEqual({ status: 'CREATE_FAILED', isProtected: true });
  expect(await deployed('again', [], more)).toBe('deployed');
  const skipped = (await eventsOf('again')).filter(({ ResourceStatus }) => ResourceStatus?.startsWith('DELETE_'));
  expect(skipped).toEqual([]);
});
