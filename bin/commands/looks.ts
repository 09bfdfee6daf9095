/** What a doctor needs to be shown of an instance, and what becomes of what it is not shown. */
import { errorName } from '../../lib/aws/errors';
import { isCurfewError } from '../../lib/domain/base/errors';
import type { BirthVerdict } from '../../lib/domain/health/birth-diagnosis';
import type { InstanceFacts } from '../../lib/domain/health/doctor';
import type { Seen } from '../../lib/domain/health/finding';
import type { KmsKeyFacts } from '../../lib/domain/health/kms-diagnosis';
import type { RingFacts } from '../../lib/domain/health/ring-diagnosis';
import type { PublicJwk } from '../../lib/domain/jose/jwk';
import type { StackName } from '../edge/instance';

/** Everything that a doctor looks at but the rings' records and their public documents. */
export interface Looks {
  readonly instance: string;
  readonly stacks: Readonly<Record<StackName, string | undefined>>;
  /** Epoch seconds. */
  readonly signingMadeAt?: number;
  readonly stage: InstanceFacts['stage'];
  readonly publicBaseUrl: string;
  readonly roles: RingFacts['roles'];
  feedKey(): Promise<Seen<PublicJwk>>;
  kmsKey(kmsKeyArn: string): Promise<KmsKeyFacts>;
  watchedAt(ring: string, now: number): Promise<RingFacts['watchedAt']>;
  webhookSecrets(): Promise<InstanceFacts['webhookSecrets']>;
  people(): Promise<InstanceFacts['people']>;
  purposeKeys(): Promise<InstanceFacts['purposeKeys']>;
  /** Those of them that are there. */
  alarms(names: readonly string[]): Promise<InstanceFacts['alarms']>;
  concurrency(now: number): Promise<InstanceFacts['concurrency']>;
  kmsQuotas(): Promise<InstanceFacts['kmsQuotas']>;
  /** What IAM would say of the birth of a key of this spec. */
  birth(keySpec: string): Promise<Seen<BirthVerdict>>;
}

/** Whatever the reason, what was not seen is not known. */
export async function see<T>(look: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { seen: await look() };
  } catch (error) {
    if (isCurfewError(error, 'ERR_ITEM_INVALID')) return { unseen: error.message, isBroken: true };
    // AWS's own name for it says more than our code of it.
    const name = isCurfewError(error) && typeof error.got === 'string' ? error.got : errorName(error);
    return { unseen: name };
  }
}
