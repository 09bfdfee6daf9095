/** The trial instance of a run: deployed by the CDK CLI as its owner would, and taken away again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DisableKeyCommand, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { GetResourcesCommand } from '@aws-sdk/client-resource-groups-tagging-api';
import {
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListBucketsCommand,
  ListObjectVersionsCommand,
  type ObjectIdentifier,
  type S3Client,
} from '@aws-sdk/client-s3';
import { deploy, destroy, type Outputs } from '../../emulator/deploy';
import type { Account } from './account';
import { PENDING_DAYS } from './kms-checks';

export const RING = 'account-check';

/** Where an HTTP API answers, but in China, and on an endpoint that is not AWS's. */
const PUBLIC_BASE_URL = 'https://{apiId}.execute-api.{region}.amazonaws.com';

export interface Instance {
  readonly name: string;
  /** Of all of its stacks. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Epoch seconds at which its last stack was there. */
  readonly deployedAt: number;
  readonly deploySeconds: number;
}

/** The least that issues tokens: one ring, no HR source, no CDN. */
export function configurationOf({ run, region }: Pick<Account, 'run' | 'region'>, publicBaseUrl = PUBLIC_BASE_URL) {
  return {
    instance: run,
    region,
    stage: 'trial',
    publicBaseUrl,
    logOrigin: `example.com/${run}`,
    rings: [
      {
        id: RING,
        issuer: `https://login.example.com/${RING}`,
        audience: 'https://api.example.com',
        rotationCheckMinutes: 5,
      },
    ],
  };
}

/**
 * What follows is noted before the first stack is made. If the run ends in the middle of the deployment, the stacks that
 * there are go by the same steps; a stack that is being made cannot be deleted, and is then named as left.
 */
export async function deployInstance(
  account: Account,
  log: (line: string) => void,
  publicBaseUrl?: string,
): Promise<Instance> {
  const { clock, undo, s3 } = account;
  const dir = mkdtempSync(join(tmpdir(), 'curfew-account-check-'));
  const configuration = configurationOf(account, publicBaseUrl);
  // The last noted goes first: the stacks, then what no stack has, then what the CDK CLI wrote here.
  undo.note(`folder ${dir}`, async () => rmSync(dir, { recursive: true, force: true }));
  undo.note('keys of the ring (disabled, and pending deletion)', () => endRingKeys(account));
  for (const bucket of ['heads', 'public'])
    undo.note(`bucket ${bucket}`, async () => {
      // By name, not by output: a deployment that failed has no outputs, and keeps its buckets.
      const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
      const mine = Buckets.flatMap(({ Name = '' }) => (isOf(account.run, bucket, Name) ? [Name] : []));
      if (mine.length === 0) throw Object.assign(new Error(`no bucket ${bucket}`), { name: 'NoSuchBucket' });
      for (const name of mine) await emptyAndDelete(s3, name);
    });
  undo.note('the stacks', () => destroy({ dir, configuration, log }));

  const from = clock.now();
  const outputs = await deploy({ dir, configuration, isBootstrapped: true, log });
  const deployedAt = clock.now();
  return { name: account.run, outputs: merged(outputs), deployedAt, deploySeconds: deployedAt - from };
}

/** CloudFormation makes the name of a bucket of its stack's, its logical id and some letters, with small letters alone. */
export function isOf(run: string, bucket: string, name: string): boolean {
  return name.startsWith(`curfew-${run}-`) && name.toLowerCase().includes(`-bucket${bucket}-`);
}

function merged(outputs: Outputs): Readonly<Record<string, string>> {
  return Object.assign({}, ...Object.values(outputs));
}

/** They are in no stack. One that the search does not show yet stays enabled: the last lines of a run say how to look. */
async function endRingKeys({ kms, tags, run }: Account): Promise<void> {
  const { ResourceTagMappingList = [] } = await tags.send(
    new GetResourcesCommand({
      TagFilters: [{ Key: 'curfew:instance', Values: [run] }],
      ResourceTypeFilters: ['kms:key'],
    }),
  );
  for (const { ResourceARN: KeyId } of ResourceTagMappingList) {
    await kms.send(new DisableKeyCommand({ KeyId }));
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: PENDING_DAYS }));
  }
}

/** Every version: the buckets are versioned, and what is hidden is still there. */
async function emptyAndDelete(s3: S3Client, Bucket: string): Promise<void> {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }): ObjectIdentifier => ({ Key, VersionId }));
    if (Objects.length === 0) break;
    const { Errors: [refused] = [] } = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }),
    );
    // Without this a version that may not go would be asked for, and listed again, for ever.
    if (refused) throw new Error(`${Bucket}: ${refused.Key} was not deleted: ${refused.Code}`);
  }
  await s3.send(new DeleteBucketCommand({ Bucket }));
}
