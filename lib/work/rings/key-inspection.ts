/**
 * Reads every living KMS key of a ring back at each tick, and notes what is not as we left it: a policy that somebody
 * changed, a grant, a principal that is a bare unique id because its role was deleted, a key that somebody enabled,
 * disabled or wants deleted.
 */

import { CurfewError, type ErrorCode, isCurfewError } from '../../domain/base/errors';
import { keyPolicy, type PolicyState, policyStateOf } from '../../domain/rings/key-policy';
import { RESTS_FOR } from '../../domain/rings/obstacles';
import type { KeyRecord, Ring, Slot } from '../../domain/rings/ring';
import { markFoundEnabled, markLost, markPolicy, markSwept, retire } from '../../domain/rings/transitions';
import { tryTransact } from '../transactions';
import { disableOthers, type RotatorDeps } from './key-birth';
import { loadRing } from './load-ring';
import { agreed } from './patience';

/** What was found and noted, in words; none where all is as it was. */
export async function inspect(ringId: string, deps: RotatorDeps): Promise<string[]> {
  const ring = await loadRing(deps, ringId);
  const found: string[] = [];
  for (const key of ring.keys.filter((key) => isWorthALook(key, deps.clock.now()))) {
    const known = key.policyState ?? 'as-written';
    const policyState = await agreed(
      () => policyOf(ring, key, deps),
      (state) => state === known,
      deps,
    );
    if (policyState !== known) {
      await note(ringId, deps, (now) => markPolicy(now.ring, key.kid, policyState, now.at));
      found.push(`policy ${policyState} ${key.kid}`);
    }
    // A host that is seconds behind must not have us accuse somebody, nor give a key up.
    const said = await agreed(
      () => inspectState(key, deps),
      (news) => news === undefined,
      deps,
    );
    if (said) {
      await note(ringId, deps, said.writes);
      found.push(said.what);
    }
  }
  for (const slot of ring.slots.filter((slot) => isToBeSwept(slot, deps.clock.now()))) {
    await disableOthers(ring, slot, deps);
    // If we stop here, the next tick sweeps it once more.
    await deps.tables.transact(markSwept(ring, slot.slot, deps.clock.now()));
  }
  return found;
}

type Writes = (now: { readonly ring: Ring; readonly at: number }) => ReturnType<typeof markPolicy>;

/** KMS's word on a key against ours: what is news, and what it changes. */
async function inspectState(
  { kid, state, kmsState, kmsKeyArn = '' }: KeyRecord,
  deps: RotatorDeps,
): Promise<{ readonly what: string; readonly writes: Writes } | undefined> {
  const is = await stateOf(kmsKeyArn, deps);
  if (is === 'Enabled' && kmsState === 'Disabled')
    return { what: `enabled ${kid}`, writes: ({ ring, at }) => markFoundEnabled(ring, kid, at) };
  // An issuer that KMS refuses is an outage until the next key takes over; one that KMS is silent about may be ours.
  if (state === 'ACTIVE' && kmsState !== 'Disabled' && (is === 'Disabled' || is === 'PendingDeletion'))
    return { what: `lost ${kid}`, writes: ({ ring, at }) => markLost(ring, kid, is, at) };
  // It stands by for nothing: KMS will not enable it.
  if (state === 'STANDBY' && is === 'PendingDeletion')
    return { what: `retire ${kid}`, writes: ({ ring, at }) => retire(ring, kid, at) };
  return undefined;
}

/**
 * A rotator that died right after CreateKey may have done so when the slot was adopted already, by a faster one; it leaves
 * a key that no ring knows and that can sign. One look, when no such rotator can be alive and a search by tag shows what it made.
 */
function isToBeSwept({ state, adoptedAt, sweptAt }: Slot, now: number): boolean {
  return state === 'ADOPTED' && sweptAt === undefined && now >= (adoptedAt ?? 0) + RESTS_FOR;
}

/** Past both instants it signs nothing, and no verifier accepts it. A RETIRED key may be enabled outside Curfew. */
function isWorthALook({ kind, signUntil, verifyUntil }: KeyRecord, now: number): boolean {
  return kind === 'kms' && now <= Math.max(signUntil, verifyUntil);
}

async function policyOf({ cfg }: Ring, key: KeyRecord, { ringKeys, config }: RotatorDeps): Promise<PolicyState> {
  const { accountId, roleArns } = config;
  if (!accountId || !roleArns)
    throw new CurfewError('ERR_CONFIG_INVALID', 'the rotator does not know the roles that key policies name', {
      fix: 'deploy the signing stack again: it sets accountId and roleArns',
    });
  const written = keyPolicy({ accountId, roleArns, algorithm: cfg.alg, signUntil: key.signUntil });
  const { kmsKeyArn = '' } = key;
  const state = policyStateOf(await orUndefined(ringKeys.policy(kmsKeyArn)), written);
  // Put right again, a policy does not take back what was granted while it was not.
  return state === 'as-written' && (await ringKeys.grants(kmsKeyArn)).length > 0 ? 'granted' : state;
}

async function stateOf(kmsKeyArn: string, { ringKeys }: RotatorDeps): Promise<string | undefined> {
  return (await orUndefined(ringKeys.describe(kmsKeyArn)))?.state;
}

/** A policy that shuts us out, a key that is gone, an ARN of another Region: found out, not a reason to stop. */
const NOT_SHOWN: readonly ErrorCode[] = ['ERR_ACCESS_DENIED', 'ERR_NOT_FOUND', 'ERR_CONFIG_INVALID'];

async function orUndefined<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isCurfewError(error) && NOT_SHOWN.includes(error.code)) return undefined;
    throw error;
  }
}

/** Against the ring as it is now: each note moves its fence. If another rotator was faster, it noted the same. */
async function note(ringId: string, deps: RotatorDeps, writes: Writes): Promise<void> {
  await tryTransact(deps.tables, writes({ ring: await loadRing(deps, ringId), at: deps.clock.now() }));
}
