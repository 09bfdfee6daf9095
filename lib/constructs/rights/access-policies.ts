/** The managed policies of the people who use the CLI: what the commands of each role need, attached to nobody. */
import { ManagedPolicy, type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { type CommandName, ROLES, type RoleName, rightsFor } from '../../domain/deployment/access';
import { pascal } from '../parts/names';
import { pinLogicalId } from '../parts/stage';
import { grantFor, type Targets } from './grants';

interface AccessPoliciesProps {
  readonly instance: string;
  readonly targets: Targets;
}

export class AccessPolicies extends Construct {
  readonly policies: Readonly<Record<RoleName, ManagedPolicy>>;

  constructor(scope: Construct, id: string, { instance, targets }: AccessPoliciesProps) {
    super(scope, id);
    const policies = (Object.keys(ROLES) as RoleName[]).map((role): [RoleName, ManagedPolicy] => {
      // To change its description is to replace it, which its fixed name does not allow: it says nothing that could.
      const policy = new ManagedPolicy(this, pascal(role), {
        managedPolicyName: `curfew-${instance}-${role}`,
        description: `curfew ${instance}: ${role}`,
        statements: statementsFor(this, role, ROLES[role], targets),
      });
      pinLogicalId(policy, `Policy${pascal(role)}`);
      return [role, policy];
    });
    this.policies = Object.fromEntries(policies) as Record<RoleName, ManagedPolicy>;
  }
}

/** Exactly what these commands need. */
export function statementsFor(
  scope: Construct,
  role: RoleName,
  commands: readonly CommandName[],
  targets: Targets,
): PolicyStatement[] {
  return rightsFor(commands).flatMap((right) => grantFor(scope, role, right, targets).statements);
}
