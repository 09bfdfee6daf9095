/** Buckets: private, TLS only, versioned, encrypted by S3's own key, never deleted by CloudFormation; evidence is also locked. */
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectLockRetention, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { Bucket as BucketName } from '../../domain/deployment/rights';
import { pascal } from './names';
import { pinLogicalId, type Stage } from './stage';

const TRIAL_LOCK_DAYS = 1;

interface BucketOptions {
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
  keepPolicy(bucket, name);
  if (lock) for (const statement of writtenOnce(bucket, lock.stage)) bucket.addToResourcePolicy(statement);
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason:
      'access is recorded by CloudTrail data events, which cannot be delivered late or dropped as access logs can',
  });
  return bucket;
}

/**
 * The bucket stays when its stack goes, so what protects it stays too: without its policy anybody with rights to S3
 * could hide what is locked. A bucket has one policy, so under another logical id it "already exists".
 */
function keepPolicy(bucket: Bucket, name: BucketName): void {
  if (!bucket.policy) throw new Error(`bucket ${name} has no policy yet; \`enforceSSL\` makes one`);
  bucket.policy.applyRemovalPolicy(RemovalPolicy.RETAIN);
  pinLogicalId(bucket.policy, `BucketPolicy${pascal(name)}`);
}

/**
 * Object Lock keeps every version, and still lets a later one, or a delete marker, become what readers are given. So
 * nobody puts what is there already, hides it, or uses the right to shorten a GOVERNANCE lock. Versions past their lock
 * can be deleted; one by one, because a lifecycle rule would hide current ones as well.
 */
function writtenOnce(bucket: Bucket, stage: Stage): PolicyStatement[] {
  const deny = (sid: string, actions: string[], resources: string[], conditions?: Record<string, object>) =>
    new PolicyStatement({
      sid,
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions,
      resources,
      conditions,
    });
  const objects = [bucket.arnForObjects('*')];
  return [
    deny('NothingIsHidden', ['s3:DeleteObject', 's3:BypassGovernanceRetention'], objects),
    deny('NothingExpires', ['s3:PutLifecycleConfiguration'], [bucket.bucketArn]),
    // S3 takes no If-None-Match but `*`. docs/decisions says why a trial goes without.
    ...(stage === 'production'
      ? [deny('NothingIsExchanged', ['s3:PutObject'], objects, { Null: { 's3:if-none-match': 'true' } })]
      : []),
  ];
}

function retention(stage: Stage, days: number): ObjectLockRetention {
  return stage === 'production'
    ? ObjectLockRetention.compliance(Duration.days(days))
    : ObjectLockRetention.governance(Duration.days(TRIAL_LOCK_DAYS));
}
