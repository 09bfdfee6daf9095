/** Who acts: each role of the templates with the policies on it, and whoever has one of the policies for people. */
import { ACCOUNT, type Resolved } from './resolved';

export interface Principal {
  readonly name: string;
  readonly arn: string;
  readonly policies: readonly { readonly name: string; readonly policy: unknown }[];
}

/** The text of AWS's policy, as https://docs.aws.amazon.com/aws-managed-policy/latest/reference has it. */
const OF_AWS: Readonly<Record<string, unknown>> = {
  'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole': {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: '*',
      },
    ],
  },
};

/** Their Deny is what they are for. */
const IS_DENIAL = /DenyLeavers/;

export function principalsOf({ resources, arnOf }: Resolved): Principal[] {
  const all = [...resources];
  const ofType = (type: string) => all.filter(([, { Type }]) => Type === type);
  const managed = new Map(
    ofType('AWS::IAM::ManagedPolicy').map(([id, { Properties }]) => [arnOf(id), Properties.PolicyDocument as unknown]),
  );
  const managedPolicy = (arn: string) => {
    const policy = managed.get(arn) ?? OF_AWS[arn];
    if (!policy) throw new Error(`a role has the policy ${arn}, which the tests do not know; write its text here`);
    return { name: arn, policy };
  };
  const roles = ofType('AWS::IAM::Role').map(([id, { Properties }]) => ({
    name: id,
    arn: arnOf(id),
    policies: [
      ...ofType('AWS::IAM::Policy')
        .filter(([, policy]) => (policy.Properties.Roles as string[]).includes(arnOf(id).split('/')[1] ?? ''))
        .map(([name, policy]) => ({ name, policy: policy.Properties.PolicyDocument as unknown })),
      ...((Properties.ManagedPolicyArns ?? []) as string[]).map(managedPolicy),
    ],
  }));
  const people = ofType('AWS::IAM::ManagedPolicy')
    .filter(([id]) => !IS_DENIAL.test(id))
    .map(([id]) => ({
      name: `whoever has ${id}`,
      arn: `arn:aws:iam::${ACCOUNT}:role/person-with-${id}`,
      policies: [managedPolicy(arnOf(id))],
    }));
  return [...roles, ...people];
}

/** No policy of ours: the account's own administrator, and a stranger from another account who may do everything at home. */
export const ADMINISTRATOR: Principal = {
  name: 'administrator',
  arn: `arn:aws:iam::${ACCOUNT}:role/administrator`,
  policies: [
    {
      name: 'AdministratorAccess',
      policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
    },
  ],
};
export const STRANGER: Principal = {
  ...ADMINISTRATOR,
  name: 'stranger',
  arn: 'arn:aws:iam::999988887777:role/administrator',
};
