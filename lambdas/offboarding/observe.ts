/** What IAM says of an item's target right now: asked after the effect, and asked again by the prover. */
import type { DeploymentConfig } from '../../lib/domain/deployment';
import { CurfewError } from '../../lib/domain/errors';
import type { Observations } from '../../lib/domain/offboarding/proof';
import type { IamReader } from '../../lib/ports';
import { needed, type StoredItem } from './case-store';

interface ObserveDeps {
  readonly iam: IamReader;
  readonly config: DeploymentConfig;
}

type IamKind = 'latch' | 'access-key' | 'login-profile';

export const OBSERVE_IAM: {
  readonly [K in IamKind]: (item: StoredItem, deps: ObserveDeps) => Promise<Observations[K]>;
} = {
  latch: async ({ item, target }, { iam, config }) => {
    const { denyPolicyArn } = config;
    if (denyPolicyArn === undefined)
      throw new CurfewError('ERR_CONFIG_INVALID', 'denyPolicyArn is missing: the latch cannot be read back');
    const userName = needed(target.userName, 'userName', item.nn);
    const user = await iam.user(userName);
    if (user === undefined) return { exists: false, tagged: false, denied: false };
    const policies = await iam.attachedPolicyArns(userName);
    return { exists: true, tagged: user.tags['curfew:leaver'] !== undefined, denied: policies.includes(denyPolicyArn) };
  },
  'access-key': async ({ item, target }, { iam }) => {
    const userName = needed(target.userName, 'userName', item.nn);
    const accessKeyId = needed(target.accessKeyId, 'accessKeyId', item.nn);
    // IAM answers for the keys of a user that exists; with the user his keys are gone.
    const keys = (await iam.user(userName)) === undefined ? [] : await iam.accessKeys(userName);
    return { status: keys.find((key) => key.accessKeyId === accessKeyId)?.status ?? 'none' };
  },
  'login-profile': async ({ item, target }, { iam }) => ({
    exists: await iam.hasLoginProfile(needed(target.userName, 'userName', item.nn)),
  }),
};
