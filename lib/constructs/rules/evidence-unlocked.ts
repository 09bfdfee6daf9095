/** ERR_EVIDENCE_UNLOCKED: an evidence bucket in which a principal could replace or delete objects. */
import { CurfewError } from '../../domain/base/errors';
import { STAGES, type Stage } from '../parts/stage';
import type { Rendered } from './rendered';

/** S3's word for a lock that not even root can shorten, and for one that a special right can. */
const MODES: Readonly<Record<Stage, readonly string[]>> = {
  production: ['COMPLIANCE'],
  trial: ['COMPLIANCE', 'GOVERNANCE'],
};

interface BucketProperties {
  readonly ObjectLockEnabled?: unknown;
  readonly ObjectLockConfiguration?: {
    readonly ObjectLockEnabled?: unknown;
    readonly Rule?: {
      readonly DefaultRetention?: { readonly Mode?: string; readonly Days?: number; readonly Years?: number };
    };
  };
  readonly VersioningConfiguration?: { readonly Status?: unknown };
}

export function evidenceUnlocked({ properties }: Rendered, stage: Stage): CurfewError | undefined {
  const { ObjectLockEnabled, ObjectLockConfiguration, VersioningConfiguration } = properties as BucketProperties;
  const retention = ObjectLockConfiguration?.Rule?.DefaultRetention;
  const days = retention?.Days ?? 365 * (retention?.Years ?? 0);
  const got = {
    objectLock: ObjectLockEnabled === true && ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled',
    mode: retention?.Mode,
    days,
    versioning: VersioningConfiguration?.Status,
  };
  const isLocked = got.objectLock && MODES[stage].includes(got.mode ?? '') && days >= 1;
  if (isLocked && got.versioning === 'Enabled') return undefined;
  return new CurfewError('ERR_EVIDENCE_UNLOCKED', `the evidence bucket of a ${stage} stage is not locked`, {
    got,
    allowed: { objectLock: true, mode: MODES[stage], days: 'at least 1', versioning: 'Enabled' },
    fix: `leave the bucket as EvidenceLog makes it; stages are ${STAGES.join(' and ')}`,
  });
}
