/** KMS keys are born into slots: created under the final policy, read, disabled, and only then known to the ring. */
import { CurfewError, isCurfewError } from '../../domain/base/errors';
import { jwkFromSpki } from '../../domain/jose/jwk';
import { isSamePolicy, keyPolicy, policySha256 } from '../../domain/rings/key-policy';
import type { Ring, Slot } from '../../domain/rings/ring';
import * as transitions from '../../domain/rings/transitions';
import type { Deps } from '../../ports';
import { loadRing } from './load-ring';

export type RotatorDeps = Deps<'rotator'>;

/** The slot's tag is looked for first: a crash after CreateKey leaves a key to find, not an orphan. */
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
  const kmsKeyArn =
    (await findOwn(await ringKeys.find(slotTag), policy, ringKeys)) ??
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
    return await deps.ringKeys.publicKey(kmsKeyArn);
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
      // Under our policy we may read both.
      if (!isCurfewError(error, 'ERR_ACCESS_DENIED')) throw error;
    }
  }
  return undefined;
}

async function disableIfOrphaned(kmsKeyArn: string, { id }: Ring, slot: number, deps: RotatorDeps): Promise<void> {
  const taken = findSlot(await loadRing(deps, id), slot);
  if (taken.kmsKeyArn !== kmsKeyArn) await deps.ringKeys.disable(kmsKeyArn);
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
  await ringKeys.disable(slot.kmsKeyArn);
  await requireState(slot.kmsKeyArn, 'Disabled', ringKeys);
  const { origin } = await ringKeys.describe(slot.kmsKeyArn);
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
export async function disableOthers(ring: Ring, slot: Slot, { ringKeys, config }: RotatorDeps): Promise<void> {
  for (const other of await ringKeys.find(slotTagOf(ring, slot, config.instance))) {
    if (other === slot.kmsKeyArn) continue;
    try {
      if ((await ringKeys.describe(other)).state === 'Enabled') await ringKeys.disable(other);
    } catch (error) {
      // Planted under a policy of its own: no ring knows it, and we have no right to it.
      if (!isCurfewError(error, 'ERR_ACCESS_DENIED')) throw error;
    }
  }
}

function slotTagOf(ring: Ring, { slot, nonce }: Slot, instance: string): string {
  return `${instance}/${ring.id}/${slot}/${nonce}`;
}

/** KMS shows the state we asked for: any other state is one that we did not choose. */
export async function requireState(kmsKeyArn: string, state: string, ringKeys: RotatorDeps['ringKeys']): Promise<void> {
  const found = await ringKeys.describe(kmsKeyArn);
  if (found.state !== state)
    throw new CurfewError('ERR_KEY_STATE', 'the key in KMS is not in the requested state', {
      got: found.state,
      allowed: state,
      fix: 'the next tick tries again',
    });
}

function findSlot(ring: Ring, number: number): Slot {
  const slot = ring.slots.find(({ slot }) => slot === number);
  if (slot) return slot;
  throw new CurfewError('ERR_NOT_FOUND', `ring ${ring.id} has no slot ${number}`, { got: number });
}
