/** What IAM says of an item's target right now: asked after the effect, and asked again by the prover. */

import { CurfewError } from '../../domain/base/errors';
import type { Observations } from '../../domain/cases/proof';
import type { DeploymentConfig } from '../../domain/deployment/deployment-config';
import type { IamReader } from '../../ports';
import { needed, type StoredItem } from './case-store';

interface ObserveDeps {
  readonly iam: IamReader;
  readonly config: DeploymentConfig;
}

type IamKind = 'latch' | 'access-key' | 'login-profile';

/** The user whose ARN was imported, or undefined if the user is gone. We ask IAM by name, and names are reused. */
export async function userOf({ item, target }: StoredItem, { iam }: Pick<ObserveDeps, 'iam'>) {
  const user = await iam.user(needed(target.userName, 'userName', item.nn));
  if (user === undefined || user.arn === target.arn) return user;
  throw new CurfewError('ERR_NOT_PROVED', `the user of item ${item.nn} has another ARN than the imported one`, {
    fix: 'find out who replaced the user, then correct the principal with people-import',
  });
}

export const OBSERVE_IAM: {
  readonly [K in IamKind]: (item: StoredItem, deps: ObserveDeps) => Promise<Observations[K]>;
} = {
  latch: async (stored, { iam, config }) => {
    const { denyPolicyArn } = config;
    if (denyPolicyArn === undefined)
      throw new CurfewError('ERR_CONFIG_INVALID', 'denyPolicyArn is missing: the latch cannot be read back', {
        fix: 'deploy the offboarding stack again: it makes the policy and names it',
      });
    const user = await userOf(stored, { iam });
    if (user === undefined) return { exists: false, tagged: false, denied: false };
    const policies = await iam.attachedPolicyArns(needed(stored.target.userName, 'userName', stored.item.nn));
    return { exists: true, tagged: user.tags['curfew:leaver'] !== undefined, denied: policies.includes(denyPolicyArn) };
  },
  'access-key': async (stored, { iam }) => {
    const userName = needed(stored.target.userName, 'userName', stored.item.nn);
    const accessKeyId = needed(stored.target.accessKeyId, 'accessKeyId', stored.item.nn);
    // IAM lists the keys of an existing user; the keys of a deleted user are gone.
    const keys = (await userOf(stored, { iam })) === undefined ? [] : await iam.accessKeys(userName);
    return { status: keys.find((key) => key.accessKeyId === accessKeyId)?.status ?? 'none' };
  },
  'login-profile': async (stored, { iam }) => ({
    exists:
      (await userOf(stored, { iam })) !== undefined &&
      (await iam.hasLoginProfile(needed(stored.target.userName, 'userName', stored.item.nn))),
  }),
};
