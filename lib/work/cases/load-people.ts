/** What People knows of one worker, as a case may name it: principals and custody by reference, and who they stand for. */
import { PRINCIPALS_MAX, type PrincipalRef, UNKNOWN_REASONS } from '../../domain/cases/containment';
import { accountOf, assetOf, userNameOf } from '../../domain/cases/people';
import { EXPOSURES_MAX, type Inventory } from '../../domain/cases/plan';
import type { FrozenPlan } from '../../domain/store/case-items';
import { type Exposure, IMPORT, PRINCIPAL, type Principal } from '../../domain/store/people';
import type { Deps } from '../../ports';
import { findRing } from '../rings/load-ring';
import type { Target } from './case-store';

type PlannerDeps = Deps<'planner'>;

/** A principal as a record may name it, and what the reference stands for. */
export interface Known {
  readonly ref: PrincipalRef;
  readonly targets: readonly Target[];
}

/** An import said of the worker what they have, to its end, be it that they have nothing. */
export async function isImported(workerId: string, { tables }: PlannerDeps): Promise<boolean> {
  return (await tables.query(IMPORT.in(workerId))).some(({ isWhole }) => isWhole === true);
}

/** In the order of their keys, so that the same people have the same references in the `n`th listing. */
export async function knownPrincipals(workerId: string, n: number, deps: PlannerDeps): Promise<readonly Known[]> {
  const rows = await deps.tables.query(PRINCIPAL.in(workerId));
  const known = await Promise.all(
    rows
      .slice(0, PRINCIPALS_MAX)
      .map((row, index) => knownPrincipal(row, n === 1 ? `p${index}` : `p${n}-${index}`, deps)),
  );
  return rows.length > PRINCIPALS_MAX ? [...known, unknown('more', 'many')] : known;
}

export async function knownPrincipal(principal: Principal, ref: string, deps: PlannerDeps): Promise<Known> {
  if (principal.type === 'kms-key') return { ref: { ref, type: 'kms-key' }, targets: [{ kmsKeyArn: principal.arn }] };
  if (principal.type === 'subject') {
    const { ring, sub } = principal;
    return (await findRing(deps, ring))
      ? { ref: { ref, type: 'subject', ring }, targets: [{ value: sub }] }
      : unknown(ref, 'ring', { ring, value: sub });
  }

  const { arn } = principal;
  const userName = userNameOf(arn);
  // The deny policy is ours: IAM answers for its account alone, and by bare name.
  if (accountOf(arn) !== accountOf(deps.config.denyPolicyArn ?? '')) return unknown(ref, 'account', { arn });
  const user = await deps.iam.user(userName);
  if (user && user.arn !== arn) return unknown(ref, 'user', { arn });
  const keys = user ? await deps.iam.accessKeys(userName) : [];
  const loginProfile = user !== undefined && (await deps.iam.hasLoginProfile(userName));
  const targets = keys.map(({ accessKeyId }) => ({ arn, userName, accessKeyId }));
  return {
    ref: { ref, type: 'iam-user', exists: user !== undefined, accessKeys: keys.length, loginProfile },
    targets: targets.length > 0 ? targets : [{ arn, userName }],
  };
}

export function unknown(ref: string, why: keyof typeof UNKNOWN_REASONS, target: Target = {}): Known {
  return { ref: { ref, type: 'unknown', reason: UNKNOWN_REASONS[why] }, targets: [target] };
}

export async function asOfNow(
  ref: PrincipalRef,
  target: Target | undefined,
  { iam }: PlannerDeps,
): Promise<PrincipalRef> {
  if (ref.type !== 'iam-user' || target?.userName === undefined) return ref;
  const isSameUser = (await iam.user(target.userName))?.arn === target.arn;
  return { ...ref, loginProfile: isSameUser && (await iam.hasLoginProfile(target.userName)) };
}

/** What a plan is made from, and how we know of each. */
export interface Exposed extends Pick<Inventory, 'exposures'>, Pick<FrozenPlan, 'how'> {
  readonly omitted: number;
}

/** `n`: of which plan; a reference means one thing in a case. */
export function exposuresOf(rows: readonly Exposure[], n: number): Exposed {
  const found = rows
    .slice(0, EXPOSURES_MAX)
    .map((row, index) => ({ ...row, ref: n === 1 ? `e${index}` : `e${n}-${index}` }));
  return {
    exposures: found.map(({ ref, asset, class: of }) => ({ ref, ...assetOf(asset), class: of })),
    omitted: rows.length - found.length,
    how: Object.fromEntries(found.map(({ ref, how, since }) => [ref, { how, since }])),
  };
}
