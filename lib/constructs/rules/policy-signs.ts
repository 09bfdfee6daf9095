/**
 * ERR_POLICY_SIGNS: an identity policy that grants `kms:Sign`, or `kms:GenerateMac`, in words or by a wildcard.
 *
 * The policies of ring keys leave signing to nobody but two roles, so such a grant gives nothing there. It is refused
 * all the same: what may sign is to be read in one place, and a key that does leave signing to IAM would obey it.
 */
import { CurfewError } from '../../domain/errors';
import type { Rendered, Template } from './rendered';

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
};
const ATTACHES: readonly string[] = ['ManagedPolicyArns', 'ManagedPolicies'];
/** AWS's own policies that allow every action of KMS. */
const MANAGED_BY_AWS = /:iam::aws:policy\/(AdministratorAccess|PowerUserAccess)"/;

interface Statement {
  readonly Effect: unknown;
  readonly Action?: unknown;
  readonly NotAction?: unknown;
  readonly Resource?: unknown;
  readonly NotResource?: unknown;
}

export function policySigns({ type, properties, template }: Rendered): CurfewError | undefined {
  const holds = HOLDS[type];
  if (holds === undefined) return undefined;
  const attached = ATTACHES.flatMap((member) => listOf(properties[member]));
  const administrator = attached.find((arn) => MANAGED_BY_AWS.test(JSON.stringify(arn)));
  if (administrator !== undefined) return refuse({ managedPolicy: administrator });

  const statement = statementsIn(parsed(properties[holds])).find((one) => signs(one, template));
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

/** Every statement, wherever in the document: `Fn::If` and lists of lists hold them deeper. */
function statementsIn(value: unknown): Statement[] {
  if (Array.isArray(value)) return value.flatMap(statementsIn);
  if (typeof value !== 'object' || value === null) return [];
  if ('Effect' in value) return [value as Statement];
  return Object.values(value).flatMap(statementsIn);
}

function signs({ Effect, Action, NotAction, Resource, NotResource }: Statement, template: Template): boolean {
  if (Effect === 'Deny') return false;
  const actions = listOf(Action);
  const granting = actions.filter((action) => SIGNING.some((one) => matches(action, one)));
  // Of KMS alone: on whatever resource, it is written to sign.
  if (granting.some((action) => typeof action === 'string' && /^kms:/i.test(action))) return true;

  const allBut = NotAction !== undefined && SIGNING.some((one) => !listOf(NotAction).some((not) => matches(not, one)));
  if (granting.length === 0 && !allBut) return false;
  return NotResource !== undefined || listOf(Resource).some((resource) => reachesKms(resource, template));
}

/** As IAM reads it: case does not count, `*` and `?` do. What is known only at deployment could be anything. */
function matches(pattern: unknown, action: string): boolean {
  return typeof pattern !== 'string' || glob(pattern).test(action);
}

function glob(pattern: string): RegExp {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'i');
}

/** Whether a resource of a statement could be a KMS key. Only what is known to be something else is not. */
function reachesKms(resource: unknown, template: Template): boolean {
  const text = textOf(resource);
  if (text !== undefined) {
    const [, , service] = text.split(':');
    return service === undefined || glob(service).test('kms');
  }
  const { Ref: ref, 'Fn::GetAtt': getAtt, 'Fn::Join': joined } = (resource ?? {}) as Record<string, unknown>;
  // What begins with an attribute of a resource is that resource or lies within it.
  if (Array.isArray(joined)) return reachesKms((listOf(joined[1]) as unknown[])[0], template);
  const [named = ''] = String(ref ?? listOf(getAtt)[0]).split('.');
  const known = template.resources[named];
  return known === undefined || known.Type.startsWith('AWS::KMS::');
}

/** Inline policies of permission sets may be written as text; what is no policy then is treated as one that signs. */
function parsed(policy: unknown): unknown {
  const text = textOf(policy);
  if (text === undefined) return policy;
  try {
    return JSON.parse(text);
  } catch {
    return { Effect: 'Allow', Action: '*', Resource: '*' };
  }
}

/** A text, or one that CloudFormation joins: what it fills in could be anything, and stands as `*`. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const { 'Fn::Join': joined } = (value ?? {}) as { 'Fn::Join'?: readonly [string, readonly unknown[]] };
  if (joined === undefined || typeof joined[1]?.[0] !== 'string') return undefined;
  return joined[1].map((part) => (typeof part === 'string' ? part : '*')).join(joined[0]);
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
