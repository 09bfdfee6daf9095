/** CreateKey, and its refusals: which of them pass, which are final, and what to do about those. */
import { CreateKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { CurfewError, isCurfewError } from '../domain/base/errors';
import { ALGORITHMS } from '../domain/jose/algorithm';
import type { RingKeys } from '../ports';
import { awsError, type Codes, errorName } from './errors';
import { KMS_CODES, present } from './kms-answers';
import type { Pause } from './pause';

export const SLOT_TAG = 'curfew:slot';
export const INSTANCE_TAG = 'curfew:instance';

/** IAM shows a new role to KMS after seconds, at worst a minute; until then a policy that names it counts as malformed. */
const UNSEEN_MILLISECONDS = 75_000;
const PAUSE_MILLISECONDS = { min: 1_000, max: 5_000 };

export async function createRingKey(
  kms: KMSClient,
  instance: string,
  request: Parameters<RingKeys['create']>[0],
  pause: Pause,
): Promise<string> {
  const { algorithm, slotTag, policy, bypassPolicyLockoutSafetyCheck } = request;
  const command = new CreateKeyCommand({
    KeySpec: ALGORITHMS[algorithm].keySpec,
    KeyUsage: 'SIGN_VERIFY',
    Origin: 'AWS_KMS',
    MultiRegion: false,
    Policy: policy,
    BypassPolicyLockoutSafetyCheck: bypassPolicyLockoutSafetyCheck,
    Description: `curfew ${instance} ${slotTag}`,
    Tags: [
      { TagKey: SLOT_TAG, TagValue: slotTag },
      { TagKey: INSTANCE_TAG, TagValue: instance },
    ],
  });
  for (let waited = 0; ; ) {
    try {
      return present('CreateKey', (await kms.send(command)).KeyMetadata?.Arn);
    } catch (error) {
      // Refused before anything was made: to ask again makes no second key.
      if (isCurfewError(error)) throw error;
      if (!mayPass(error) || waited >= UNSEEN_MILLISECONDS) throw refused(error);
    }
    const { min, max } = PAUSE_MILLISECONDS;
    const milliseconds = min + Math.floor(Math.random() * (max - min));
    await pause(milliseconds);
    waited += milliseconds;
  }
}

/** Whatever is malformed for any other reason than the lock-out: a principal that KMS cannot see yet has no code of its own. */
function mayPass(error: unknown): boolean {
  return errorName(error) === 'MalformedPolicyDocumentException' && !isLockout(error);
}

function isLockout(error: unknown): boolean {
  return error instanceof Error && /not allow you to update the key policy in the future/i.test(error.message);
}

function refused(cause: unknown): CurfewError {
  const name = errorName(cause);
  if (name === 'MalformedPolicyDocumentException' && isLockout(cause))
    return new CurfewError('ERR_CONFIG_INVALID', 'kms CreateKey was refused by the lock-out check of key policies', {
      got: name,
      allowed: 'BypassPolicyLockoutSafetyCheck: true',
      fix: 'deploy this version again: it sends the bypass with every key, and the rotator’s role allows it',
      cause,
    });
  return awsError('kms CreateKey', cause, CODES);
}

const CODES: Codes = {
  ...KMS_CODES,
  MalformedPolicyDocumentException: {
    code: 'ERR_CONFIG_INVALID',
    fix: 'check that the four roles curfew-INSTANCE-issuer, -resigner, -rotator and -disabler exist in this account',
  },
  AccessDeniedException: {
    code: 'ERR_ACCESS_DENIED',
    fix: 'look for a service control policy that denies kms:BypassPolicyLockoutSafetyCheck (AWS Control Tower: CT.KMS.PV.3), and exempt the role curfew-INSTANCE-rotator from it (ExemptedPrincipalArns)',
  },
  LimitExceededException: {
    code: 'ERR_UNAVAILABLE',
    fix: 'ask Service Quotas for more KMS keys in this account and Region',
  },
};
