/**
 * ERR_POLICY_SIGNS: an identity policy that grants `kms:Sign`, or `kms:GenerateMac`, in words or by a wildcard.
 *
 * The policies of ring keys leave signing to nobody but two roles, so such a grant gives nothing there. It is refused
 * all the same: what may sign is to be read in one place, and a key that does leave signing to IAM would obey it.
 */
import { CurfewError } from '../../domain/base/errors';
import type { Rendered, Template } from './rendered';
import { glob, isRewritten, propertiesOf, rewrites, textOf, valuesIn } from './template-text';

const SIGNING = ['kms:Sign', 'kms:GenerateMac'];

/** Where each type of resource holds identity policies. */
const HOLDS: Readonly<Record<string, string>> = {
  'AWS::IAM::Policy': 'PolicyDocument',
  'AWS::IAM::ManagedPolicy': 'PolicyDocument',
  'AWS::IAM::RolePolicy': 'PolicyDocument',
  'AWS::IAM::UserPolicy': 'PolicyDocument',
  'AWS::IAM::GroupPolicy': 'PolicyDocument',
  'AWS::IAM::Role': 'Policies',
  'AWS::IAM::User': 'Policies',
  'AWS::IAM::Group': 'Policies',
  'AWS::SSO::PermissionSet': 'InlinePolicy',
  'AWS::Serverless::Function': 'Policies',
  'AWS::Serverless::StateMachine': 'Policies',
};
const ATTACHES: readonly string[] = ['ManagedPolicyArns', 'ManagedPolicies'];
/** AWS's own policies that allow every action of KMS; SAM takes the bare name as well. */
const ADMINISTRATORS = ['AdministratorAccess', 'PowerUserAccess'].flatMap((name) => [
  name,
  ...['aws', 'aws-cn', 'aws-us-gov'].map((partition) => `arn:${partition}:iam::aws:policy/${name}`),
]);
/** They name a policy that stands somewhere, and is judged there if that is in the app. */
const REFERENCES: readonly string[] = ['Ref', 'Fn::GetAtt', 'Fn::ImportValue', 'Fn::GetStackOutput'];

interface Statement {
  readonly Effect: unknown;
  readonly Action?: unknown;
  readonly NotAction?: unknown;
  readonly Resource?: unknown;
  readonly NotResource?: unknown;
}
/** What stands where a statement should, and says before the deployment neither what it allows nor that it denies. */
interface Unread {
  readonly unread: unknown;
}

export function policySigns({ type, properties, template, isGenerated }: Rendered): CurfewError | undefined {
  if (isGenerated) return Object.keys(HOLDS).some((one) => glob(type).test(one)) ? refuseUnread(type) : undefined;
  const holds = HOLDS[type];
  if (holds === undefined) return undefined;
  if (Object.keys(properties).some(isRewritten)) return refuseUnread(properties);

  const { attached, written } = policiesOf(type, properties, holds);
  const administrator = attached.find((policy) => isAdministrator(policy, template));
  if (administrator !== undefined) return refuse({ managedPolicy: administrator });

  const statements = written.flatMap(statementsIn);
  const unread = statements.find((one): one is Unread => 'unread' in one);
  if (unread) return refuseUnread(unread.unread);
  const statement = statements.find((one): one is Statement => !('unread' in one) && signs(one, template));
  if (statement === undefined) return undefined;
  const { Action, NotAction, Resource } = statement;
  return refuse({ Action, NotAction, Resource });
}

function refuse(got: unknown): CurfewError {
  return new CurfewError('ERR_POLICY_SIGNS', `an identity policy grants ${SIGNING.join(' or ')}`, {
    got,
    allowed: 'the policies of ring keys, which leave signing to the issuer and the resigner and not to IAM',
    fix: 'name the actions that are needed; who wants tokens gets ring.grantIssue(), never a right of KMS',
  });
}

function refuseUnread(got: unknown): CurfewError {
  return new CurfewError('ERR_POLICY_SIGNS', `nobody can read here whether an identity policy grants ${SIGNING[0]}`, {
    got,
    allowed: 'statements that stand in the template',
    fix: 'write it out',
  });
}

/** SAM holds names, statements and its own templates in one list; none of its templates signs. */
function policiesOf(type: string, properties: Rendered['properties'], holds: string) {
  const held = valuesIn(properties[holds]);
  const attached = ATTACHES.flatMap((member) => valuesIn(properties[member]));
  if (!type.startsWith('AWS::Serverless::')) return { attached, written: held };
  const isNamed = (policy: unknown) => {
    const text = textOf(policy);
    return text === undefined ? REFERENCES.some((one) => one in propertiesOf(policy)) : !/^\s*[{[]/.test(text);
  };
  const isTemplate = (policy: unknown) => {
    const [name = '', ...more] = Object.keys(propertiesOf(policy));
    return more.length === 0 && /^[A-Z]\w*Policy(V\d+)?$/.test(name);
  };
  return { attached: held.filter(isNamed), written: held.filter((one) => !isNamed(one) && !isTemplate(one)) };
}

function isAdministrator(policy: unknown, { parameters }: Template): boolean {
  const text = textOf(policy);
  if (text !== undefined) return ADMINISTRATORS.some((one) => glob(text).test(one));
  const members = propertiesOf(policy);
  const given = parameters[String(members.Ref)]?.Default;
  if (given !== undefined) return ADMINISTRATORS.some((one) => String(given).includes(one));
  return !REFERENCES.some((one) => one in members);
}

/** Every statement, wherever in a policy: texts, `Fn::If` and lists of lists hold them deeper. */
function statementsIn(policy: unknown): (Statement | Unread)[] {
  return valuesIn(policy).flatMap((value) => {
    const text = textOf(value);
    const read = text === undefined ? value : parsed(text);
    if (Array.isArray(read)) return statementsIn(read);
    const members = propertiesOf(read);
    if (rewrites(members)) return [{ unread: value }];
    if ('Effect' in members) return [members as unknown as Statement];
    const within = members.Statement ?? members.PolicyDocument;
    return within === undefined ? [{ unread: value }] : statementsIn(within);
  });
}

/** Of what is no JSON, nothing. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function signs({ Effect, Action, NotAction, Resource, NotResource }: Statement, template: Template): boolean {
  if (Effect === 'Deny') return false;
  const actions = valuesIn(Action);
  const granting = actions.filter((action) => SIGNING.some((one) => matches(action, one)));
  // Of KMS alone: on whatever resource, it is written to sign.
  if (granting.some((action) => /^kms:/i.test(textOf(action) ?? ''))) return true;

  const allBut = NotAction !== undefined && SIGNING.some((one) => !listOf(NotAction).some((not) => excludes(not, one)));
  if (granting.length === 0 && !allBut) return false;
  return NotResource !== undefined || valuesIn(Resource).some((resource) => reachesKms(resource, template));
}

/** What is known only at deployment could be anything. */
function matches(pattern: unknown, action: string): boolean {
  const text = textOf(pattern);
  return text === undefined || glob(text).test(action);
}

/** Of what is known only at deployment nobody can say that it excludes anything. */
function excludes(pattern: unknown, action: string): boolean {
  return typeof pattern === 'string' && glob(pattern).test(action);
}

/** Whether a resource of a statement could be a KMS key. Only what is known to be something else is not. */
function reachesKms(resource: unknown, template: Template): boolean {
  const { Ref: ref, 'Fn::GetAtt': getAtt, 'Fn::Join': joined } = propertiesOf(resource);
  // What begins with an attribute of a resource is that resource or lies within it.
  if (Array.isArray(joined)) {
    const [first] = listOf(joined[1]);
    if (textOf(first) === undefined) return reachesKms(first, template);
  }
  const text = textOf(resource);
  if (text !== undefined) {
    const [, , service] = text.split(':');
    return service === undefined || glob(service).test('kms');
  }
  const [named = ''] = String(ref ?? listOf(getAtt)[0]).split('.');
  const known = template.resources[named];
  return known === undefined || known.Type.startsWith('AWS::KMS::');
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
