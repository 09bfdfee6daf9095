/** Buckets: private, TLS only, versioned, encrypted by S3's own key, never deleted by CloudFormation. */
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectLockRetention, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { Bucket as BucketName } from '../domain/rights';
import { pascal } from './names';
import { pinLogicalId, type Stage } from './stage';

const TRIAL_LOCK_DAYS = 1;

export interface BucketOptions {
  /**
   * Object Lock for every object. COMPLIANCE in production: not even the account's root shortens it.
   * @default - not locked
   */
  readonly lock?: { readonly stage: Stage; readonly days: number };
}

export function curfewBucket(scope: Construct, name: BucketName, { lock }: BucketOptions = {}): Bucket {
  const bucket = new Bucket(scope, `${pascal(name)}Bucket`, {
    // S3's key on purpose: evidence under a key of ours could be shredded by disabling that key.
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    versioned: true,
    objectLockEnabled: lock !== undefined,
    objectLockDefaultRetention: lock && retention(lock.stage, lock.days),
    lifecycleRules: lock ? undefined : [{ noncurrentVersionExpiration: Duration.days(30) }],
    // A bucket that holds objects cannot be deleted anyway; in a trial too its owner empties it.
    removalPolicy: RemovalPolicy.RETAIN,
  });
  pinLogicalId(bucket, `Bucket${pascal(name)}`);
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason:
      'access is recorded by CloudTrail data events, which cannot be delivered late or dropped as access logs can',
  });
  return bucket;
}

function retention(stage: Stage, days: number): ObjectLockRetention {
  return stage === 'production'
    ? ObjectLockRetention.compliance(Duration.days(days))
    : ObjectLockRetention.governance(Duration.days(TRIAL_LOCK_DAYS));
}
