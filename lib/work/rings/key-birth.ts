/** KMS keys are born into slots: created under the final policy, read, disabled, and only then known to the ring. */
import { CurfewError, isCurfewError } from '../../domain/base/errors';
import { jwkFromSpki } from '../../domain/jose/jwk';
import { isSamePolicy, keyPolicy, policySha256 } from '../../domain/rings/key-policy';
import type { Ring, Slot } from '../../domain/rings/ring';
import * as transitions from '../../domain/rings/transitions';
import type { Deps, KmsKeyDescription } from '../../ports';
import { loadRing } from './load-ring';
import { isNotYet, patiently, settledState } from './patience';

export type RotatorDeps = Deps<'rotator'>;

/**
 * A slot that was tried before may have its key already, whose ARN nobody lived to write down: then its tag is looked for
 * first. The search may not show a key of the last minute; the one that was missed is disabled by the sweep.
 */
export async function createKey(ring: Ring, slot: number, deps: RotatorDeps): Promise<void> {
  const { ringKeys, config, tables } = deps;
  const { accountId, roleArns, instance } = config;
  if (!accountId || !roleArns)
    throw new CurfewError('ERR_CONFIG_INVALID', 'the rotator does not know the roles that key policies name', {
      fix: 'deploy the signing stack again: it sets accountId and roleArns',
    });
  const reserved = findSlot(ring, slot);
  const slotTag = slotTagOf(ring, reserved, instance);
  const { signUntil } = reserved;
  const policy = keyPolicy({ accountId, roleArns, algorithm: ring.cfg.alg, signUntil });
  if (reserved.triedAt === undefined) await tables.transact(transitions.markTried(ring, slot, deps.clock.now()));
  // If we stop here, or before the ARN is written down, the next try searches.
  const found = reserved.triedAt === undefined ? [] : await ringKeys.find(slotTag);
  const kmsKeyArn =
    (await findOwn(found, policy, ringKeys)) ??
    (await ringKeys.create({ algorithm: ring.cfg.alg, slotTag, policy, bypassPolicyLockoutSafetyCheck: true }));
  const jwk = jwkFromSpki(await readPublicKey(kmsKeyArn, ring, slot, deps), ring.cfg.alg);
  try {
    await tables.transact(transitions.slotCreated(ring, slot, { kmsKeyArn, jwk, policySha256: policySha256(policy) }));
  } catch (error) {
    // Another rotator created a key for this slot, and its key stands there: ours must not be able to sign.
    if (isCurfewError(error, 'ERR_CONDITION_FAILED')) await disableIfOrphaned(kmsKeyArn, ring, slot, deps);
    throw error;
  }
}

/**
 * Before it is disabled: KMS does not give the public key of a disabled one. One that was found and is disabled by now
 * is another rotator's, who was faster, and has the slot.
 */
async function readPublicKey(kmsKeyArn: string, { id }: Ring, slot: number, deps: RotatorDeps): Promise<Buffer> {
  try {
    return await patiently(() => deps.ringKeys.publicKey(kmsKeyArn), deps, { passes: isNotYet });
  } catch (error) {
    if (!isCurfewError(error, 'ERR_KEY_DISABLED')) throw error;
    if (findSlot(await loadRing(deps, id), slot).state === 'INTENT') throw error;
    throw new CurfewError('ERR_CONDITION_FAILED', `another rotator created the key of slot ${slot} of ring ${id}`, {
      fix: 'read again and decide again',
      cause: error,
    });
  }
}

/**
 * A tag is no proof: a caller that may create and tag keys could plant one, with its own policy or material. Ours is
 * the one whose policy is the one we write, with no grant beside it, and whose material never was outside KMS.
 */
async function findOwn(
  candidates: readonly string[],
  policy: string,
  ringKeys: RotatorDeps['ringKeys'],
): Promise<string | undefined> {
  for (const arn of candidates) {
    try {
      const isOurs = isSamePolicy(await ringKeys.policy(arn), policy) && (await ringKeys.grants(arn)).length === 0;
      if (isOurs && (await ringKeys.describe(arn)).origin === 'AWS_KMS') return arn;
    } catch (error) {
      // Under our policy we may read both. A key that is not found was shown by the search before KMS's host knew it.
      if (!isCurfewError(error, 'ERR_ACCESS_DENIED') && !isCurfewError(error, 'ERR_NOT_FOUND')) throw error;
    }
  }
  return undefined;
}

async function disableIfOrphaned(kmsKeyArn: string, { id }: Ring, slot: number, deps: RotatorDeps): Promise<void> {
  const taken = findSlot(await loadRing(deps, id), slot);
  if (taken.kmsKeyArn !== kmsKeyArn)
    await patiently(() => deps.ringKeys.disable(kmsKeyArn), deps, { passes: isNotYet });
}

/** Disabled and read back first, then adopted: a STANDBY is never enabled while the ring knows of it. */
export async function adopt(ring: Ring, slotNumber: number, deps: RotatorDeps): Promise<void> {
  const { ringKeys, tables, clock } = deps;
  const slot = findSlot(ring, slotNumber);
  if (!slot.kmsKeyArn)
    throw new CurfewError('ERR_KEY_STATE', `slot ${slotNumber} of ring ${ring.id} has no KMS key`, {
      got: slot.state,
      allowed: 'CREATED',
    });
  const { kmsKeyArn } = slot;
  await patiently(() => ringKeys.disable(kmsKeyArn), deps, { passes: isNotYet });
  const { origin } = await requireDisabled(kmsKeyArn, deps);
  if (origin !== 'AWS_KMS')
    throw new CurfewError('ERR_KEY_STATE', `the KMS key of slot ${slotNumber} of ring ${ring.id} was imported`, {
      got: origin,
      allowed: 'AWS_KMS',
      fix: 'find out who wrote that slot: the importer may have kept a copy of the key',
    });
  // If we stop here, the slot is CREATED still: the next plan disables the key once more, and adopts it.
  await disableOthers(ring, slot, deps);
  await tables.transact(transitions.adoptKey(ring, slot, clock.now()));
}

/** What a rotator created for this slot and did not live to give up: in no ring, and able to sign. */
export async function disableOthers(ring: Ring, slot: Slot, deps: RotatorDeps): Promise<void> {
  const { ringKeys, config } = deps;
  for (const other of await ringKeys.find(slotTagOf(ring, slot, config.instance))) {
    if (other === slot.kmsKeyArn) continue;
    try {
      // Nobody looks for it again: that one host of KMS has not heard of it does not mean that it is gone.
      const { state } = await patiently(() => ringKeys.describe(other), deps, { passes: isNotYet });
      if (state === 'Enabled') await ringKeys.disable(other);
    } catch (error) {
      // Planted under a policy of its own, and no ring knows it; or gone since the search.
      if (!isCurfewError(error, 'ERR_ACCESS_DENIED') && !isCurfewError(error, 'ERR_NOT_FOUND')) throw error;
    }
  }
}

function slotTagOf(ring: Ring, { slot, nonce }: Slot, instance: string): string {
  return `${instance}/${ring.id}/${slot}/${nonce}`;
}

/** KMS shows the state we asked for, once its hosts know it: any other state is one that we did not choose. */
export async function requireDisabled(kmsKeyArn: string, deps: RotatorDeps): Promise<KmsKeyDescription> {
  const found = await settledState(kmsKeyArn, (state) => state === 'Disabled', deps.ringKeys, deps);
  if (found.state === 'Disabled') return found;
  throw new CurfewError('ERR_KEY_STATE', 'KMS does not show the key as Disabled', {
    got: found.state,
    allowed: 'Disabled',
    fix: 'the next tick tries again',
  });
}

function findSlot(ring: Ring, number: number): Slot {
  const slot = ring.slots.find(({ slot }) => slot === number);
  if (slot) return slot;
  throw new CurfewError('ERR_NOT_FOUND', `ring ${ring.id} has no slot ${number}`, { got: number });
}
