/**
 * Conditions on keys that AWS always resolves and the emulator never does. There an operator that asks for the key
 * refuses whatever is called; the same operator with `IfExists` lets it through. So on the emulator these conditions
 * prove nothing, and the policies of the templates stay as AWS needs them.
 */
import { GetRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import type { Patch, PhysicalIds, Properties } from './patch';

const UNRESOLVED = ['iam:PolicyARN', 'cloudwatch:namespace'] as const;

type Conditions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
interface Statement {
  readonly Condition?: Conditions;
}
export interface Document {
  readonly Statement: readonly Statement[];
}
/** The operator that asks for a key, by the key: in the one policy of the roles that carry it. */
interface Asked {
  readonly policy: string;
  readonly roles: readonly string[];
  readonly operators: Readonly<Record<string, string>>;
}

const iam = new IAMClient({});

export const conditions: Patch<Asked> = {
  type: 'AWS::IAM::Policy',
  says: `conditions on ${UNRESOLVED.join(' and ')}: the emulator does not resolve them, so they hold only IfExists`,
  wanted: (properties, ids) => {
    const operators = operatorsIn(lenient(properties.PolicyDocument as Document));
    if (Object.keys(operators).length === 0) return undefined;
    return { policy: String(properties.PolicyName), roles: rolesOf(properties, ids), operators };
  },
  read: async (_id, wanted) => {
    const documents = await Promise.all(wanted.roles.map((role) => documentOf(role, wanted.policy)));
    // One that differs is enough for all of them to be set once more.
    const differs = documents
      .map(operatorsIn)
      .find((found) => JSON.stringify(found) !== JSON.stringify(wanted.operators));
    return { ...wanted, operators: differs ?? wanted.operators };
  },
  set: (_id, { roles, policy: PolicyName }) =>
    Promise.all(
      roles.map(async (RoleName) => {
        const PolicyDocument = JSON.stringify(lenient(await documentOf(RoleName, PolicyName)));
        await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
      }),
    ),
};

/** The same policy, with `IfExists` on each operator that asks for a key which the emulator does not resolve. */
export function lenient(document: Document): Document {
  return { ...document, Statement: document.Statement.map(withIfExists) };
}

function withIfExists(statement: Statement): Statement {
  if (statement.Condition === undefined) return statement;
  const asked: Record<string, Record<string, unknown>> = {};
  for (const [operator, keys] of Object.entries(statement.Condition))
    for (const [key, value] of Object.entries(keys)) {
      const name = isUnresolved(key) && !operator.endsWith('IfExists') ? `${operator}IfExists` : operator;
      asked[name] = { ...asked[name], [key]: value };
    }
  return { ...statement, Condition: asked };
}

function operatorsIn({ Statement }: Document): Record<string, string> {
  return Object.fromEntries(
    Statement.flatMap(({ Condition = {} }) =>
      Object.entries(Condition).flatMap(([operator, keys]) =>
        Object.keys(keys)
          .filter(isUnresolved)
          .map((key) => [key, operator]),
      ),
    ),
  );
}

function isUnresolved(key: string): boolean {
  return (UNRESOLVED as readonly string[]).includes(key);
}

function rolesOf({ Roles }: Properties, ids: PhysicalIds): string[] {
  return (Roles as readonly { readonly Ref: string }[]).map(({ Ref }) => ids[Ref] ?? Ref);
}

async function documentOf(RoleName: string, PolicyName: string): Promise<Document> {
  const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
  return JSON.parse(decodeURIComponent(PolicyDocument ?? '')) as Document;
}
