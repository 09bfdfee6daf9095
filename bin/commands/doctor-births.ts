/** Asks IAM what would become of a CreateKey by the rotator, as the rotator makes it. Nothing is created. */
import { type ContextEntry, type IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import type { BirthVerdict } from '../../lib/domain/health/birth-diagnosis';

interface Birth {
  readonly rotatorArn: string;
  readonly keySpec: string;
  readonly region: string;
}

/** With the check skipped; and where the organisation denies that, also without, to tell whether it is that alone. */
export async function simulateBirth(client: IAMClient, birth: Birth): Promise<BirthVerdict> {
  const asBorn = await simulate(client, birth, true);
  if (!asBorn.organizationDenies) return asBorn;
  const { organizationDenies = false } = await simulate(client, birth, false);
  return { ...asBorn, deniesBypassOnly: !organizationDenies };
}

async function simulate(
  client: IAMClient,
  { rotatorArn, keySpec, region }: Birth,
  skips: boolean,
): Promise<BirthVerdict> {
  const { EvaluationResults = [] } = await client.send(
    new SimulatePrincipalPolicyCommand({
      PolicySourceArn: rotatorArn,
      ActionNames: ['kms:CreateKey'],
      ContextEntries: [
        entry('kms:BypassPolicyLockoutSafetyCheck', 'boolean', String(skips)),
        entry('kms:KeyUsage', 'string', 'SIGN_VERIFY'),
        entry('kms:KeyOrigin', 'string', 'AWS_KMS'),
        entry('kms:KeySpec', 'string', keySpec),
        entry('kms:MultiRegion', 'boolean', 'false'),
        // What control policies ask for most: the Region, and who is exempt.
        entry('aws:RequestedRegion', 'string', region),
        entry('aws:PrincipalArn', 'string', rotatorArn),
      ],
    }),
  );
  const [
    { EvalDecision, OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail, MissingContextValues = [] } = {},
  ] = EvaluationResults;
  return {
    // Without a result nothing was allowed.
    allowed: EvalDecision === 'allowed',
    organizationDenies: OrganizationsDecisionDetail?.AllowedByOrganizations === false,
    boundaryDenies: PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary === false,
    missing: MissingContextValues,
  };
}

function entry(ContextKeyName: string, ContextKeyType: ContextEntry['ContextKeyType'], value: string): ContextEntry {
  return { ContextKeyName, ContextKeyType, ContextKeyValues: [value] };
}
