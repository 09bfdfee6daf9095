/** Stack `offboarding`: from the HR webhook to the closed case. It asks the signing stack, and holds no right to a key. */
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Offboarding, type OffboardingProps } from '../constructs/offboarding/offboarding';
import { pascal } from '../constructs/parts/names';
import { arnOf } from '../constructs/parts/secret';

export class OffboardingStack extends Stack {
  readonly offboarding: Offboarding;

  constructor(scope: Construct, id: string, props: StackProps & OffboardingProps) {
    super(scope, id, props);
    const made = new Offboarding(this, 'Offboarding', props);
    this.offboarding = made;

    new CfnOutput(this, 'IntakeUrl', { value: made.http.api.apiEndpoint });
    new CfnOutput(this, 'ApiId', { value: made.http.api.apiId });
    new CfnOutput(this, 'StateMachineArn', { value: made.workflow.stateMachine.stateMachineArn });
    new CfnOutput(this, 'DenyPolicyArn', { value: made.denyPolicy.managedPolicyArn });
    for (const [role, policy] of Object.entries(made.access.policies))
      new CfnOutput(this, `Policy${pascal(role)}Arn`, { value: policy.managedPolicyArn });
    // Names of outputs have no hyphens: the list says how the owner spells the sources.
    const sources = Object.keys(made.webhookSecrets);
    if (sources.length > 0) new CfnOutput(this, 'HrSources', { value: sources.sort().join(',') });
    for (const [source, secret] of Object.entries(made.webhookSecrets))
      new CfnOutput(this, `SecretWebhook${pascal(source)}Arn`, { value: arnOf(secret) });
    for (const table of ['inbox', 'cases', 'people', 'approvals'] as const)
      new CfnOutput(this, `Table${pascal(table)}Name`, { value: made[`${table}Table`].tableName });
    for (const [name, fn] of Object.entries(made.functions))
      new CfnOutput(this, `Function${pascal(name)}Name`, { value: fn.functionName });
  }
}
