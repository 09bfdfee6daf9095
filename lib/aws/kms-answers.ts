/** What KMS answers, in Curfew's words; and which answers are no word about the key at all. */
import type { DescribeKeyCommandOutput, KMSClient } from '@aws-sdk/client-kms';
import { CurfewError, type ErrorCode, isCurfewError } from '../domain/base/errors';
import type { KmsKeyDescription } from '../ports';
import { awsError, errorName } from './errors';

export const KMS_CODES: Readonly<Record<string, ErrorCode>> = {
  DisabledException: 'ERR_KEY_DISABLED',
  // Waits for deletion, or is being made: it signs nothing, as a disabled one. ERR_KEY_STATE is a ring's own word.
  KMSInvalidStateException: 'ERR_KEY_DISABLED',
  NotFoundException: 'ERR_NOT_FOUND',
  InvalidKeyUsageException: 'ERR_INPUT_INVALID',
  InvalidArnException: 'ERR_CONFIG_INVALID',
};

/**
 * One call about one key. KMS says `NotFoundException: Invalid arn` of every key of another Region, and a replica may be
 * gone here while the same key signs elsewhere: neither may be taken for "the key is gone", so neither is ERR_NOT_FOUND.
 */
export async function askKms<T>(
  operation: string,
  kms: KMSClient,
  kmsKeyArn: string,
  call: () => Promise<T>,
): Promise<T> {
  const own = await kms.config.region();
  const region = regionOf(kmsKeyArn);
  if (region !== undefined && region !== own)
    throw new CurfewError('ERR_CONFIG_INVALID', `kms ${operation} was asked about a key of another Region`, {
      got: region,
      allowed: own,
      fix: 'disable that key in its own Region, by hand; Curfew works in one Region',
    });
  try {
    return await call();
  } catch (error) {
    if (isCurfewError(error)) throw error;
    if (errorName(error) === 'NotFoundException' && (isMultiRegion(kmsKeyArn) || isInvalidArn(error)))
      throw new CurfewError('ERR_CONFIG_INVALID', `kms ${operation} cannot tell whether the key still exists`, {
        got: isMultiRegion(kmsKeyArn) ? 'a multi-Region key' : 'Invalid arn',
        allowed: 'the ARN of a key of this Region alone',
        fix: 'look for the key and its replicas in every Region, and disable each of them there',
        cause: error,
      });
    throw awsError(`kms ${operation}`, error, KMS_CODES);
  }
}

/** `arn:aws:kms:REGION:ACCOUNT:key/ID`; undefined of what is no ARN of KMS. */
function regionOf(kmsKeyArn: string): string | undefined {
  const [, , service, region] = kmsKeyArn.split(':');
  return service === 'kms' ? region : undefined;
}

function isMultiRegion(kmsKeyArn: string): boolean {
  return /(^|\/)mrk-/.test(kmsKeyArn);
}

function isInvalidArn(error: unknown): boolean {
  return error instanceof Error && /invalid arn/i.test(error.message);
}

/** The SDK types every member of an answer as optional; one that is missing is no answer. */
export function present<T>(operation: string, member: T | undefined): T {
  if (member !== undefined) return member;
  throw new CurfewError('ERR_UNAVAILABLE', `kms ${operation} answered without its result`);
}

const STATES: Readonly<Record<string, KmsKeyDescription['state']>> = {
  Enabled: 'Enabled',
  Disabled: 'Disabled',
  PendingDeletion: 'PendingDeletion',
};

/**
 * Each replica of a multi-Region key keeps a state of its own, and all sign alike: one that is disabled here says nothing
 * of the others, so only "Enabled" is taken at its word. The rest is `Unavailable`, which nobody takes for dead.
 */
export function description({ KeyMetadata }: DescribeKeyCommandOutput): KmsKeyDescription {
  const { KeyState, Origin, Arn, MultiRegionConfiguration: regions } = present('DescribeKey', KeyMetadata);
  const relatives = [regions?.PrimaryKey, ...(regions?.ReplicaKeys ?? [])].filter((key) => key && key.Arn !== Arn);
  const state = STATES[KeyState ?? ''] ?? 'Unavailable';
  const tells = state === 'Enabled' || relatives.length === 0;
  return { state: tells ? state : 'Unavailable', origin: present('DescribeKey', Origin) };
}
