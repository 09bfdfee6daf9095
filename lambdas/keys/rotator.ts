/**
 * Births, rotates and disables ring keys, and cannot sign with any. It asks `planRotation` what the ring needs, does
 * that one thing, reads the ring again and asks again: at birth as at each tick.
 */
import { entry } from '../../lib/aws/entry';
import { CurfewError, isCurfewError } from '../../lib/domain/errors';
import { jwkFromSpki } from '../../lib/domain/keys/jwk';
import { isSamePolicy, keyPolicy, policySha256 } from '../../lib/domain/keys/key-policy';
import { findKey, parseRingConfig, type Ring, ringSettings, type Slot } from '../../lib/domain/keys/ring';
import { planRotation, type RotationAction, successors } from '../../lib/domain/keys/rotation';
import * as transitions from '../../lib/domain/keys/transitions';
import type { Messages } from '../../lib/domain/messages';
import type { Deps } from '../../lib/ports';
import { findRing, loadRing } from './load-ring';

type RotatorDeps = Deps<'rotator'>;
/** Births three keys of four steps each, and more; a plan that never ends is a bug, not a wait. */
const ACTIONS_MAX = 40;
const PROBES_MAX = 20;

export async function rotate(
  request: Messages['rotator']['request'],
  deps: RotatorDeps,
): Promise<Messages['rotator']['response']> {
  if (request.op === 'prepare') return { done: [], kid: await prepare(request.ring, deps) };
  if (request.op === 'finish') return finish(request.ring, deps);
  return { done: await applyPlan(request.ring, deps) };
}

/** What the custom resource asks at deploy: HEAD if there is none, else only what may change; then the plan. */
export async function bear(given: unknown, deps: RotatorDeps): Promise<string> {
  const config = parseRingConfig(given);
  const cfg = ringSettings(config, deps.config.settings);
  const known = await findRing(deps, config.id);
  const writes = known
    ? transitions.updateRing(known, cfg, deps.clock.now())
    : transitions.createRing(config.id, cfg, deps.clock.now());
  if (writes.length > 0) await deps.tables.transact(writes);

  for (const legacy of config.legacyKeys) {
    const ring = await loadRing(deps, config.id);
    if (!ring.keys.some(({ kid }) => kid === legacy.jwk.kid))
      await deps.tables.transact(transitions.adoptLegacyKey(ring, legacy, deps.clock.now()));
  }

  await applyPlan(config.id, deps);
  const ring = await loadRing(deps, config.id);
  if (ring.activeKid === undefined) throw notServed(ring);
  await deps.functions.invoke('publisher', { ring: config.id });
  return config.id;
}

/** Asks and acts until the ring needs nothing that can be done now. Answers what was done, in order. */
async function applyPlan(ringId: string, deps: RotatorDeps): Promise<string[]> {
  const done: string[] = [];
  const stuck = new Map<string, unknown>();
  for (let n = 0; n < ACTIONS_MAX; n++) {
    const ring = await loadRing(deps, ringId);
    const action = planRotation(ring, deps.clock.now(), [...stuck.keys()]);
    if (!action) break;
    try {
      const what = await apply(ring, action, deps);
      if (what === undefined) break;
      done.push(what);
    } catch (error) {
      // Another rotator, or a departure, was faster: its change moved the fence. Read again, ask again.
      if (isCurfewError(error, 'ERR_CONDITION_FAILED')) continue;
      // A key that KMS will not disable is an alarm, and must not keep the rest of the ring from turning.
      if (action.do !== 'disable' || !isCurfewError(error)) throw error;
      stuck.set(action.kid, error);
    }
  }
  for (const error of stuck.values()) throw error;
  return done;
}

/** One action, in words; undefined where it cannot be done yet. */
async function apply(ring: Ring, action: RotationAction, deps: RotatorDeps): Promise<string | undefined> {
  const { clock, tables } = deps;
  switch (action.do) {
    case 'reserve':
      await tables.transact(transitions.reserveSlot(ring, action.slot, clock.now()));
      break;
    case 'create':
      await createKey(ring, action.slot, deps);
      break;
    case 'adopt':
      await adopt(ring, action.slot, deps);
      break;
    case 'publish':
      if (!(await isServed(ring, action.kid, deps))) return undefined;
      await tables.transact(transitions.markPublished(ring, action.kid, clock.now()));
      break;
    case 'activate':
      return `activate ${await activate(ring, deps)}`;
    case 'disable':
      await disable(ring, action.kid, deps);
      break;
    case 'retire':
      await tables.transact(transitions.retire(ring, action.kid, clock.now()));
      await deps.functions.invoke('publisher', { ring: ring.id });
      break;
  }
  return 'kid' in action ? `${action.do} ${action.kid}` : `${action.do} slot ${action.slot}`;
}

async function activate(ring: Ring, deps: RotatorDeps): Promise<string> {
  const kid = await enableSuccessor(ring, deps);
  const prepared = await loadRing(deps, ring.id);
  if (prepared.fence !== ring.fence)
    throw new CurfewError('ERR_CONDITION_FAILED', `ring ${ring.id} changed while its next key was prepared`, {
      fix: 'read again and decide again',
    });
  await deps.tables.transact(transitions.activate(prepared, kid, deps.clock.now()));
  // At once, whatever the rest of the plan meets: until verifiers know, they refuse what this key signs.
  await deps.functions.invoke('publisher', { ring: ring.id });
  return kid;
}

/** The slot's tag is looked for first: a crash after CreateKey leaves a key to find, not an orphan. */
async function createKey(ring: Ring, slot: number, deps: RotatorDeps): Promise<void> {
  const { ringKeys, config, tables } = deps;
  const { accountId, roleArns, instance } = config;
  if (!accountId || !roleArns)
    throw new CurfewError('ERR_CONFIG_INVALID', 'the rotator does not know the roles that key policies name');
  const slotTag = slotTagOf(ring, slot, instance);
  const { signUntil } = findSlot(ring, slot);
  const policy = keyPolicy({ accountId, roleArns, algorithm: ring.cfg.alg, signUntil });
  const kmsKeyArn =
    (await findOwn(await ringKeys.find(slotTag), policy, ringKeys)) ??
    (await ringKeys.create({ algorithm: ring.cfg.alg, slotTag, policy }));
  // Read before it is disabled: KMS does not give the public key of a disabled one.
  const jwk = jwkFromSpki(await ringKeys.publicKey(kmsKeyArn), ring.cfg.alg);
  try {
    await tables.transact(transitions.slotCreated(ring, slot, { kmsKeyArn, jwk, policySha256: policySha256(policy) }));
  } catch (error) {
    // Another rotator created a key for this slot, and its key stands there: ours must not be able to sign.
    if (isCurfewError(error, 'ERR_CONDITION_FAILED')) await disown(kmsKeyArn, ring, slot, deps);
    throw error;
  }
}

/**
 * A tag is no proof: whoever may create and tag keys could plant one, with a policy or key material of his own. Ours is
 * the one whose policy is the one we write, word for word, and whose material never was outside KMS.
 */
async function findOwn(
  candidates: readonly string[],
  policy: string,
  ringKeys: RotatorDeps['ringKeys'],
): Promise<string | undefined> {
  for (const arn of candidates) {
    try {
      if (isSamePolicy(await ringKeys.policy(arn), policy) && (await ringKeys.describe(arn)).origin === 'AWS_KMS')
        return arn;
    } catch (error) {
      // Under our policy we may read both.
      if (!isCurfewError(error, 'ERR_ACCESS_DENIED')) throw error;
    }
  }
  return undefined;
}

async function disown(kmsKeyArn: string, { id }: Ring, slot: number, deps: RotatorDeps): Promise<void> {
  const taken = findSlot(await loadRing(deps, id), slot);
  if (taken.kmsKeyArn !== kmsKeyArn) await deps.ringKeys.disable(kmsKeyArn);
}

/** Disabled and read back first, then adopted: a STANDBY is never enabled while the ring knows of it. */
async function adopt(ring: Ring, slotNumber: number, deps: RotatorDeps): Promise<void> {
  const { ringKeys, tables, clock } = deps;
  const slot = findSlot(ring, slotNumber);
  if (!slot.kmsKeyArn) throw new CurfewError('ERR_KEY_STATE', `slot ${slotNumber} of ring ${ring.id} has no KMS key`);
  await ringKeys.disable(slot.kmsKeyArn);
  await requireState(slot.kmsKeyArn, 'Disabled', ringKeys);
  await disableOthers(ring, slot, deps);
  await tables.transact(transitions.adoptKey(ring, slot, clock.now()));
}

/** Enables the STANDBY that may sign next and proves that it does, before anything depends on it. */
async function prepare(ringId: string, deps: RotatorDeps): Promise<string> {
  const ring = await loadRing(deps, ringId);
  return enableSuccessor(ring, deps);
}

/** What a rotator created for this slot and did not live to give up: in no ring, and able to sign. */
async function disableOthers(ring: Ring, { slot, kmsKeyArn }: Slot, { ringKeys, config }: RotatorDeps): Promise<void> {
  for (const other of await ringKeys.find(slotTagOf(ring, slot, config.instance))) {
    if (other === kmsKeyArn) continue;
    try {
      if ((await ringKeys.describe(other)).state === 'Enabled') await ringKeys.disable(other);
    } catch (error) {
      // Planted under a policy of its own: no ring knows it, and we have no right to it.
      if (!isCurfewError(error, 'ERR_ACCESS_DENIED')) throw error;
    }
  }
}

function slotTagOf(ring: Ring, slot: number, instance: string): string {
  return `${instance}/${ring.id}/${slot}`;
}

/** The oldest STANDBY that really signs: one that somebody sabotaged must not hold up a rotation, or a departure. */
async function enableSuccessor(ring: Ring, deps: RotatorDeps): Promise<string> {
  let refusal = notServed(ring);
  for (const { kid } of successors(ring, deps.clock.now())) {
    try {
      await enable(ring, kid, deps);
      return kid;
    } catch (error) {
      if (!isCurfewError(error) || !UNFIT.includes(error.code)) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

/** What KMS says of a key that is about to be deleted, whose policy was changed, or that does not come up. */
const UNFIT: readonly string[] = ['ERR_KEY_STATE', 'ERR_KEY_DISABLED', 'ERR_ACCESS_DENIED', 'ERR_NOT_FOUND'];

async function enable(ring: Ring, kid: string, { ringKeys, functions, tables, clock }: RotatorDeps): Promise<void> {
  const { kmsKeyArn, alg } = findKey(ring, kid);
  if (!kmsKeyArn) throw new CurfewError('ERR_KEY_STATE', `key ${kid} has no KMS key to enable`);
  await tables.transact(transitions.markPrepared(ring, kid, clock.now()));
  await ringKeys.enable(kmsKeyArn);
  // Enabling is eventually consistent. The probe asks through the issuer's own right, which the rotator has not.
  for (let n = 0; n < PROBES_MAX; n++) {
    const { probe } = await functions.invoke('issuer', { op: 'probe', kmsKeyArn, algorithm: alg });
    if (probe?.signed) return;
    await clock.sleep(0.5);
  }
  throw new CurfewError('ERR_KEY_DISABLED', `key ${kid} was enabled and does not sign`, {
    fix: 'read its key policy back',
  });
}

/** Disables what must not sign any more, each one read back. The caller has waited for the drain. */
async function finish(ringId: string, deps: RotatorDeps): Promise<Messages['rotator']['response']> {
  const done = await applyPlan(ringId, deps);
  const ring = await loadRing(deps, ringId);
  const still = ring.keys.filter(
    ({ kid, kind, state }) => kind === 'kms' && kid !== ring.activeKid && state !== 'STANDBY',
  );
  const disabled = await Promise.all(
    still.map(async ({ kid, kmsKeyArn }) => ({
      kid,
      state: (await deps.ringKeys.describe(kmsKeyArn ?? '')).state as string,
    })),
  );
  return { done, disabled };
}

async function disable(ring: Ring, kid: string, deps: RotatorDeps): Promise<void> {
  const { ringKeys, tables, clock } = deps;
  const { kmsKeyArn, state, kmsState } = findKey(ring, kid);
  if (!kmsKeyArn) throw new CurfewError('ERR_KEY_STATE', `key ${kid} has no KMS key to disable`);
  if (state === 'STANDBY' && kmsState === 'Enabled') await tables.transact(transitions.markDisabling(ring, kid));
  // One that waits for deletion cannot sign, and cannot be disabled: it must not stop the plan for ever.
  const isGoing = (await ringKeys.describe(kmsKeyArn)).state === 'PendingDeletion';
  if (!isGoing) {
    await ringKeys.disable(kmsKeyArn);
    await requireState(kmsKeyArn, 'Disabled', ringKeys);
  }
  // If we stop here, the key is disabled and said to be enabled: the next plan disables it once more and records it.
  await tables.transact(transitions.markDisabled(ring, kid, clock.now()));
  // It will never sign, and does not stand by: the plan takes another.
  if (isGoing && state === 'STANDBY')
    await tables.transact(transitions.retire(await loadRing(deps, ring.id), kid, clock.now()));
}

async function requireState(kmsKeyArn: string, state: string, ringKeys: RotatorDeps['ringKeys']): Promise<void> {
  const found = await ringKeys.describe(kmsKeyArn);
  if (found.state !== state)
    throw new CurfewError('ERR_KEY_STATE', 'KMS does not say what it was told', {
      got: found.state,
      allowed: state,
      fix: 'the next tick tries again',
    });
}

/** Asked where verifiers ask, not in our table. */
async function isServed(ring: Ring, kid: string, { http, config }: RotatorDeps): Promise<boolean> {
  const { status, body } = await http.get(`${config.publicBaseUrl}/r/${ring.id}/.well-known/jwks.json`);
  if (status !== 200) return false;
  const { keys } = JSON.parse(body) as { keys: readonly { kid: string }[] };
  return keys.some((key) => key.kid === kid);
}

function findSlot(ring: Ring, number: number): Slot {
  const slot = ring.slots.find(({ slot }) => slot === number);
  if (slot) return slot;
  throw new CurfewError('ERR_NOT_FOUND', `ring ${ring.id} has no slot ${number}`, { got: number });
}

function notServed(ring: Ring): CurfewError {
  return new CurfewError('ERR_KEY_NOT_PUBLISHED', `ring ${ring.id} has no key that may sign next`, {
    got: ring.keys.map(({ kid, state, publishedAt }) => ({ kid, state, publishedAt })),
    fix: `check that publicBaseUrl serves the JWKS; a STANDBY waits ${ring.cfg.prop + ring.cfg.cache} s after it was seen there`,
  });
}

type DeployEvent = {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResourceProperties: { readonly ring: string };
};

export const handler = entry('rotator', async (event: Messages['rotator']['request'] | DeployEvent, deps) => {
  if (!('RequestType' in event)) return rotate(event, deps);
  const config: unknown = JSON.parse(event.ResourceProperties.ring);
  // Removal of a stack removes no key: evidence needs them, and tokens may still be out there.
  const ring = event.RequestType === 'Delete' ? parseRingConfig(config).id : await bear(config, deps);
  return { PhysicalResourceId: ring };
});
