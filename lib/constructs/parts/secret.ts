/** A secret that is named by its whole ARN, whose last six characters tell it from a later secret of the same name. */
import type { CfnSecret, ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Secret, type SecretProps } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { pinLogicalId, type Stage, statefulPolicy } from './stage';

interface CurfewSecretProps extends Pick<SecretProps, 'description' | 'generateSecretString' | 'secretStringValue'> {
  readonly stage: Stage;
  readonly logicalId: string;
}

export class CurfewSecret extends Secret {
  constructor(scope: Construct, id: string, { stage, logicalId, ...props }: CurfewSecretProps) {
    super(scope, id, { ...props, removalPolicy: statefulPolicy(stage) });
    pinLogicalId(this, logicalId);
    // CDK would make up a value. Once the real one is put, that would count as the one before it, and still be asked.
    if (!props.generateSecretString && !props.secretStringValue)
      (this.node.defaultChild as CfnSecret).addPropertyDeletionOverride('GenerateSecretString');
  }
}

export function arnOf(secret: ISecret): string {
  return (secret.node.defaultChild as CfnSecret).attrId;
}
