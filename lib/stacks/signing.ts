/** Stack `signing`: owns every Lambda that touches ring keys, and the rings. */
import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import type { Configuration } from '../config';
import { pascal } from '../constructs/names';
import { arnOf } from '../constructs/secret';
import { SigningKeyRing } from '../constructs/signing-key-ring';
import { SigningPlane, type SigningPlaneProps } from '../constructs/signing-plane';
import type { LegacyKeyConfig } from '../domain/keys/ring';

export interface SigningStackProps extends StackProps, SigningPlaneProps {
  readonly rings: Configuration['rings'];
}

export class SigningStack extends Stack {
  readonly plane: SigningPlane;

  constructor(scope: Construct, id: string, props: SigningStackProps) {
    super(scope, id, props);
    this.plane = new SigningPlane(this, 'Plane', props);
    for (const ring of props.rings)
      new SigningKeyRing(this, `Ring-${ring.id}`, {
        plane: this.plane,
        ringId: ring.id,
        issuer: ring.issuer,
        audience: ring.audience,
        algorithm: ring.algorithm,
        rotationSchedule: ScheduleExpression.rate(Duration.minutes(ring.rotationCheckMinutes)),
        period: Duration.days(ring.periodDays),
        maxTtl: ring.maxTtlSeconds === undefined ? undefined : Duration.seconds(ring.maxTtlSeconds),
        legacyKeys: ring.legacyKeys as readonly LegacyKeyConfig[],
      });

    new CfnOutput(this, 'PublicBaseUrl', { value: this.plane.publicBaseUrl });
    new CfnOutput(this, 'ApiId', { value: this.plane.http.api.apiId });
    new CfnOutput(this, 'FeedKeyArn', { value: this.plane.feedKey.keyArn });
    new CfnOutput(this, 'PepperSecretArn', { value: arnOf(this.plane.pepper) });
    new CfnOutput(this, 'PublicBucketName', { value: this.plane.publicBucket.bucketName });
    for (const [name, table] of Object.entries(this.plane.ownTables))
      new CfnOutput(this, `Table${pascal(name)}Name`, { value: table.tableName });
    for (const [name, fn] of Object.entries(this.plane.functions))
      new CfnOutput(this, `Function${pascal(name)}Name`, { value: fn.functionName });
  }
}
