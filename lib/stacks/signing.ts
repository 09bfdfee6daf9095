/** Stack `signing`: owns every Lambda that touches ring keys, and the rings. */
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Configuration } from '../config';
import { pascal } from '../constructs/parts/names';
import { arnOf } from '../constructs/parts/secret';
import { SigningPlane, type SigningPlaneProps } from '../constructs/ring/signing-plane';
import { addRings } from './rings';

interface SigningStackProps extends StackProps, SigningPlaneProps {
  readonly rings: Configuration['rings'];
}

export class SigningStack extends Stack {
  readonly plane: SigningPlane;

  constructor(scope: Construct, id: string, props: SigningStackProps) {
    super(scope, id, props);
    this.plane = new SigningPlane(this, 'Plane', props);
    addRings(this, this.plane, props.rings);

    new CfnOutput(this, 'Stage', { value: props.stage });
    new CfnOutput(this, 'PublicBaseUrl', { value: this.plane.publicBaseUrl });
    new CfnOutput(this, 'ApiId', { value: this.plane.http.api.apiId });
    new CfnOutput(this, 'ApiUrl', { value: this.plane.http.api.apiEndpoint });
    // What a name of your own is to point at; CloudFront chooses it.
    if (this.plane.cdn)
      new CfnOutput(this, 'CdnDomainName', { value: this.plane.cdn.distribution.distributionDomainName });
    new CfnOutput(this, 'FeedKeyArn', { value: this.plane.feedKey.keyArn });
    new CfnOutput(this, 'PepperSecretArn', { value: arnOf(this.plane.pepper) });
    new CfnOutput(this, 'PublicBucketName', { value: this.plane.publicBucket.bucketName });
    for (const [name, arn] of Object.entries(this.plane.targets.roleArns ?? {}))
      new CfnOutput(this, `Role${pascal(name)}Arn`, { value: arn });
    new CfnOutput(this, 'RolePublisherArn', { value: this.plane.publisher.role.roleArn });
    for (const [name, table] of Object.entries(this.plane.ownTables))
      new CfnOutput(this, `Table${pascal(name)}Name`, { value: table.tableName });
    for (const [name, fn] of Object.entries(this.plane.functions))
      new CfnOutput(this, `Function${pascal(name)}Name`, { value: fn.functionName });
  }
}
