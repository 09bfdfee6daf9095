/** What KMS answers, in Curfew's words. */
import type { DescribeKeyCommandOutput } from '@aws-sdk/client-kms';
import { CurfewError, type ErrorCode } from '../domain/base/errors';
import type { KmsKeyDescription } from '../ports';

export const KMS_CODES: Readonly<Record<string, ErrorCode>> = {
  DisabledException: 'ERR_KEY_DISABLED',
  // Waits for deletion, or is being made: it signs nothing, as a disabled one. ERR_KEY_STATE is a ring's own word.
  KMSInvalidStateException: 'ERR_KEY_DISABLED',
  NotFoundException: 'ERR_NOT_FOUND',
  InvalidKeyUsageException: 'ERR_INPUT_INVALID',
};

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

export function description({ KeyMetadata }: DescribeKeyCommandOutput): KmsKeyDescription {
  const { KeyState, Origin } = present('DescribeKey', KeyMetadata);
  return { state: STATES[KeyState ?? ''] ?? 'Unavailable', origin: present('DescribeKey', Origin) };
}
