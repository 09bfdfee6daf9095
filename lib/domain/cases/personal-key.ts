/**
 * Whether the policy of a personal KMS key names the role that enables it again: an Allow for that role without conditions, and
 * no Deny that could touch it. The policy is its owner's, so whatever is not read here for certain counts as a no, and people
 * enable the key by hand.
 */
import { isMembers, type Json, type JsonObject } from '../base/encoding';

const ACTION = 'kms:EnableKey';

export function namesEnabler(policy: string, kmsKeyArn: string, instance: string): boolean {
  const [, partition, , , account] = kmsKeyArn.split(':');
  const role = `arn:${partition}:iam::${account}:role/curfew-${instance}-key-enabler`;
  const statements = listOf(parsed(policy).Statement).flatMap((one) => (isMembers(one) ? [one] : []));
  const isAllow = (one: JsonObject) =>
    one.Effect === 'Allow' &&
    principalsOf(one).includes(role) &&
    textsOf(one.Action).some(isEnable) &&
    textsOf(one.Resource).some((resource) => resource === '*' || resource === kmsKeyArn) &&
    one.Condition === undefined;
  const mayDeny = (one: JsonObject) =>
    one.Effect !== 'Allow' &&
    (one.NotPrincipal !== undefined ||
      principalsOf(one).some((name) => name === '*' || name === role || isRoot(name))) &&
    (one.NotAction !== undefined || textsOf(one.Action).some(isEnable));
  return statements.some(isAllow) && !statements.some(mayDeny);
}

function parsed(policy: string): JsonObject {
  try {
    const value: Json = JSON.parse(policy);
    return isMembers(value) ? value : {};
  } catch {
    return {};
  }
}

function principalsOf({ Principal }: JsonObject): readonly string[] {
  return typeof Principal === 'string' ? [Principal] : textsOf(isMembers(Principal) ? Principal.AWS : undefined);
}

/** The account: every role in it. */
function isRoot(principal: string): boolean {
  return principal.endsWith(':root') || /^\d{12}$/.test(principal);
}

/** As IAM compares actions: without case, `*` and `?` for what they stand for. */
function isEnable(pattern: string): boolean {
  // The owner of the key writes it, and may be the leaver: stars in a row are one, so that none takes long to compare.
  const literal = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll(/\*+/g, '*');
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'i').test(ACTION);
}

function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function textsOf(value: Json | undefined): readonly string[] {
  return listOf(value).filter((one) => typeof one === 'string');
}
