/**
 * Reads every living KMS key of a ring back at each tick, and notes what is not as we left it: a policy that somebody
 * changed, a principal that is a bare unique id because its role was deleted, a key that somebody enabled.
 */
import { CurfewError, isCurfewError } from '../../lib/domain/errors';
import { keyPolicy, type PolicyState, policyStateOf } from '../../lib/domain/keys/key-policy';
import type { KeyRecord, Ring } from '../../lib/domain/keys/ring';
import { markFoundEnabled, markPolicy } from '../../lib/domain/keys/transitions';
import { disableOthers, type RotatorDeps } from './key-birth';
import { loadRing } from './load-ring';

/** What was found and noted, in words; none where all is as it was. */
export async function inspect(ringId: string, deps: RotatorDeps): Promise<string[]> {
  const ring = await loadRing(deps, ringId);
  const found: string[] = [];
  for (const key of ring.keys.filter((key) => isWorthALook(key, deps.clock.now()))) {
    const policyState = await policyOf(ring, key, deps);
    if (policyState !== (key.policyState ?? 'as-written')) {
      await note(ringId, deps, (now) => markPolicy(now.ring, key.kid, policyState, now.at));
      found.push(`policy ${policyState} ${key.kid}`);
    }
    if (key.kmsState === 'Disabled' && (await isEnabled(key, deps))) {
      await note(ringId, deps, (now) => markFoundEnabled(now.ring, key.kid, now.at));
      found.push(`enabled ${key.kid}`);
    }
  }
  // A rotator that died right after CreateKey may have done so when the slot was adopted already, by a faster one.
  for (const slot of ring.slots.filter(({ signUntil }) => deps.clock.now() <= signUntil))
    await disableOthers(ring, slot, deps);
  return found;
}

/** Of a key that can sign nothing any more, or nothing that anybody accepts, the state says nothing. */
function isWorthALook({ kind, state, signUntil, verifyUntil }: KeyRecord, now: number): boolean {
  return kind === 'kms' && state !== 'RETIRED' && now <= Math.max(signUntil, verifyUntil);
}

async function policyOf({ cfg }: Ring, key: KeyRecord, { ringKeys, config }: RotatorDeps): Promise<PolicyState> {
  const { accountId, roleArns } = config;
  if (!accountId || !roleArns)
    throw new CurfewError('ERR_CONFIG_INVALID', 'the rotator does not know the roles that key policies name', {
      fix: 'deploy the signing stack again: it sets accountId and roleArns',
    });
  const written = keyPolicy({ accountId, roleArns, algorithm: cfg.alg, signUntil: key.signUntil });
  const found = await orUndefined(ringKeys.policy(key.kmsKeyArn ?? ''));
  return policyStateOf(found, written);
}

async function isEnabled({ kmsKeyArn }: KeyRecord, { ringKeys }: RotatorDeps): Promise<boolean> {
  return (await orUndefined(ringKeys.describe(kmsKeyArn ?? '')))?.state === 'Enabled';
}

/** A policy that shuts us out, or a key that is gone: found out, not a reason to stop. */
async function orUndefined<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isCurfewError(error, 'ERR_ACCESS_DENIED') || isCurfewError(error, 'ERR_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Against the ring as it is now: each note moves its fence. If another rotator was faster, it noted the same. */
async function note(
  ringId: string,
  deps: RotatorDeps,
  writes: (now: { readonly ring: Ring; readonly at: number }) => ReturnType<typeof markPolicy>,
): Promise<void> {
  try {
    await deps.tables.transact(writes({ ring: await loadRing(deps, ringId), at: deps.clock.now() }));
  } catch (error) {
    if (!isCurfewError(error, 'ERR_CONDITION_FAILED')) throw error;
  }
}
