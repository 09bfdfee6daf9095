import { COMMANDS } from '../../../bin/commands';
import { COMMAND_RIGHTS, ROLES, type RoleName, rightsFor } from '../../../lib/domain/deployment/access';
import { asList, ofType, type Statement, templatesOf } from '../templates';

const { offboarding } = templatesOf('production');
const policyOf = (role: RoleName) => {
  const found = ofType(offboarding, 'AWS::IAM::ManagedPolicy').find(
    ([, { Properties }]) => Properties.ManagedPolicyName === `curfew-example-${role}`,
  );
  if (!found) throw new Error(`no policy of ${role}`);
  return found[1];
};
const statementsOf = (role: RoleName) => policyOf(role).Properties.PolicyDocument.Statement as Statement[];
const actionsOf = (role: RoleName) => [...new Set(statementsOf(role).flatMap(({ Action }) => asList(Action)))].sort();
/** The functions a role may invoke, by their construct. */
const invoked = (role: RoleName) =>
  statementsOf(role)
    .filter(({ Action }) => asList(Action).includes('lambda:InvokeFunction'))
    .flatMap(({ Resource: resource }) => asList(resource))
    .map((arn) => /Function([A-Z][A-Za-z]+?)(?:"|Arn)/.exec(JSON.stringify(arn))?.[1])
    .sort();

/** Written a second time and by hand. */
const GOLDEN: Readonly<Record<RoleName, readonly string[]>> = {
  operator: [
    'cloudformation:DescribeStacks',
    'cloudwatch:DescribeAlarms',
    'cloudwatch:GetMetricStatistics',
    'dynamodb:DescribeTable',
    'dynamodb:GetItem',
    'dynamodb:Query',
    'execute-api:Invoke',
    'iam:SimulatePrincipalPolicy',
    'kms:DescribeKey',
    'kms:GetKeyPolicy',
    'kms:GetPublicKey',
    'kms:ListGrants',
    'lambda:GetAccountSettings',
    'lambda:InvokeFunction',
    'secretsmanager:DescribeSecret',
    'secretsmanager:GetSecretValue',
    'servicequotas:ListAWSDefaultServiceQuotas',
    'servicequotas:ListServiceQuotas',
  ],
  responder: [
    'cloudformation:DescribeStacks',
    'cloudwatch:DescribeAlarms',
    'cloudwatch:GetMetricStatistics',
    'dynamodb:DescribeTable',
    'dynamodb:GetItem',
    'dynamodb:Query',
    'iam:SimulatePrincipalPolicy',
    'kms:DescribeKey',
    'kms:GetKeyPolicy',
    'kms:GetPublicKey',
    'kms:ListGrants',
    'lambda:GetAccountSettings',
    'lambda:InvokeFunction',
    'secretsmanager:DescribeSecret',
    'servicequotas:ListAWSDefaultServiceQuotas',
    'servicequotas:ListServiceQuotas',
  ],
  approver: ['cloudformation:DescribeStacks', 'dynamodb:GetItem', 'dynamodb:Query', 'execute-api:Invoke'],
  auditor: ['cloudformation:DescribeStacks', 'dynamodb:GetItem', 'dynamodb:Query', 's3:GetObject', 's3:ListBucket'],
};
const INVOKED: Readonly<Record<RoleName, readonly string[]>> = {
  operator: ['Recorder', 'Rotator'],
  responder: ['Committer', 'Halt', 'Publisher', 'Resigner', 'Rotator', 'Taint', 'TaintOpener'],
  approver: [],
  auditor: [],
};
const roles = Object.keys(ROLES) as RoleName[];

test('the CLI has the commands whose rights are known, and no other', () => {
  expect(Object.keys(COMMANDS).sort()).toEqual(Object.keys(COMMAND_RIGHTS).sort());
});

test('every command that asks AWS for anything is somebody’s', () => {
  const online = Object.entries(COMMAND_RIGHTS).filter(([, rights]) => rights.length > 0);
  const held = new Set<string>(roles.flatMap((role) => ROLES[role]));
  expect(online.filter(([command]) => !held.has(command))).toEqual([]);
  const offline = Object.keys(COMMAND_RIGHTS).filter((command) => !held.has(command));
  expect(offline).toEqual(['evidence verify', 'evidence report']);
});

test('a role is said to have every command that its rights suffice for', () => {
  for (const role of roles) {
    const rights: readonly string[] = rightsFor(ROLES[role]);
    const suffice = Object.entries(COMMAND_RIGHTS).filter(
      ([, needed]) => needed.length > 0 && needed.every((right) => rights.includes(right)),
    );
    expect([role, suffice.map(([command]) => command)]).toEqual([
      role,
      Object.keys(COMMAND_RIGHTS).filter((command) => (ROLES[role] as readonly string[]).includes(command)),
    ]);
  }
});

test('nobody writes a table or a bucket: what a command changes, a Lambda changes', () => {
  const rights = roles.flatMap((role) => rightsFor(ROLES[role]));
  expect(rights.filter((right) => /:(put|update|delete|check)$/.test(right))).toEqual([]);
});

describe.each(roles)('the policy of the %s', (role) => {
  test('holds exactly these actions', () => expect(actionsOf(role)).toEqual(GOLDEN[role]));

  test('invokes exactly these functions', () => expect(invoked(role)).toEqual(INVOKED[role]));

  test('lets nobody sign, write a key policy, give a grant, or write a table', () => {
    for (const action of actionsOf(role)) {
      expect(action).not.toMatch(/\*/);
      expect(action).not.toMatch(
        /^(kms:(Sign|Put|Create|Enable|Disable)|dynamodb:(Put|Update|Delete|Batch|Scan)|s3:Put)/,
      );
    }
  });

  test('has everything on one resource, but for the calls that know none', () => {
    const everything = statementsOf(role).filter(({ Resource: resource }) => asList(resource).includes('*'));
    const actions = everything.flatMap(({ Action }) => asList(Action)).sort();
    expect(actions).toEqual(
      role === 'auditor' || role === 'approver'
        ? []
        : [
            'cloudwatch:DescribeAlarms',
            'cloudwatch:GetMetricStatistics',
            'lambda:GetAccountSettings',
            'servicequotas:ListAWSDefaultServiceQuotas',
            'servicequotas:ListServiceQuotas',
          ],
    );
  });

  test('is attached to nobody, and fits into a managed policy', () => {
    const { Users, Roles, Groups, PolicyDocument } = policyOf(role).Properties;
    expect([Users, Roles, Groups]).toEqual([undefined, undefined, undefined]);
    // 6,144 characters without blanks; the references that stand here are longer than what they become.
    expect(JSON.stringify(PolicyDocument).length).toBeLessThan(6144);
  });
});

test('the secret that opens cut-offs is the operator’s alone, who configures verifiers', () => {
  const readers = roles.filter((role) => actionsOf(role).includes('secretsmanager:GetSecretValue'));
  expect(readers).toEqual(['operator']);
  const [statement] = statementsOf('operator').filter(({ Action }) =>
    asList(Action).includes('secretsmanager:GetSecretValue'),
  );
  expect(JSON.stringify(statement?.Resource)).toMatch(/SecretPepper/);
  expect(asList(statement?.Resource)).toHaveLength(1);
});

test('keys are told apart by the instance that they are of', () => {
  const [statement] = statementsOf('responder').filter(({ Action }) => asList(Action).includes('kms:DescribeKey'));
  expect(statement?.Condition).toEqual({ StringEqualsIfExists: { 'aws:ResourceTag/curfew:instance': 'example' } });
  expect(JSON.stringify(statement?.Resource)).toMatch(/:kms:.*:key\/\*"/);
});
