/**
 * Births, rotates and disables ring keys, and cannot sign with any. It asks `planRotation` what the ring needs, does
 * that one thing, reads the ring again and asks again: at birth as at each tick.
 */
import { entry } from '../../lib/aws/entry';
import { CurfewError, isCurfewError } from '../../lib/domain/errors';
import { parseExemptions } from '../../lib/domain/keys/exemption';
import { adoptLegacyKey, checkLegacyKeysKept, shortenLegacyKey } from '../../lib/domain/keys/legacy-key';
import { findKey, type Ring } from '../../lib/domain/keys/ring';
import { parseRingConfig, ringSettings } from '../../lib/domain/keys/ring-config';
import { close, createRing, retireRing, updateRing } from '../../lib/domain/keys/ring-life';
import { isClosed, planRotation, type RotationAction, successors } from '../../lib/domain/keys/rotation';
import * as transitions from '../../lib/domain/keys/transitions';
import type { Messages } from '../../lib/domain/messages';
import { adopt, createKey, type RotatorDeps, requireState } from './key-birth';
import { inspect } from './key-inspection';
import { findRing, loadRing } from './load-ring';

/** Births three keys of four steps each, and more; a plan that never ends is a bug, not a wait. */
const ACTIONS_MAX = 40;
/** Together two minutes, within the Lambda's three. */
const BIRTH_TRIES = 24;
const BIRTH_PAUSE_SECONDS = 5;
const PROBES_MAX = 20;

export async function rotate(
  request: Messages['rotator']['request'],
  deps: RotatorDeps,
): Promise<Messages['rotator']['response']> {
  if (request.op === 'prepare') return { done: [], kid: await prepare(request.ring, deps) };
  if (request.op === 'finish') return finish(request, deps);
  if (request.op === 'rotate') return rotateNow(request, deps);
  return { done: await tick(request.ring, deps) };
}

/** The plan first: what it disables or activates is not kept waiting by a read-back. What that finds, a second plan mends. */
async function tick(ringId: string, deps: RotatorDeps): Promise<string[]> {
  const done = await applyPlan(ringId, deps);
  const found = await inspect(ringId, deps);
  return found.length === 0 ? done : [...done, ...found, ...(await applyPlan(ringId, deps))];
}

/** By hand, although nothing is due. Asked twice, because an answer was lost, it finds that `from` is not ACTIVE any more. */
async function rotateNow(
  { ring: ringId, from, reason }: Extract<Messages['rotator']['request'], { op: 'rotate' }>,
  deps: RotatorDeps,
): Promise<Messages['rotator']['response']> {
  const ring = await loadRing(deps, ringId);
  if (ring.activeKid !== from) return { done: [], kid: ring.activeKid };
  const kid = await activate(ring, deps, reason);
  return { done: [`activate ${kid}`, ...(await applyPlan(ringId, deps))], kid };
}

/** What the custom resource asks at deploy: HEAD if there is none, else only what may change; then the plan. */
export async function bear(given: unknown, deps: RotatorDeps): Promise<string> {
  const config = parseRingConfig(given);
  parseExemptions(config.exemptions, deps.clock.now());
  const cfg = ringSettings(config, deps.config.settings);
  const known = await findRing(deps, config.id);
  const writes = known ? updateRing(known, cfg, deps.clock.now()) : createRing(config.id, cfg, deps.clock.now());
  if (writes.length > 0) await deps.tables.transact(writes);
  const closing = close(await loadRing(deps, config.id), config.closing, deps.clock.now());
  if (closing.length > 0) await deps.tables.transact(closing);
  // If we stop here, or anywhere below, a deployment tried again finds the ring and goes on from what is there.

  checkLegacyKeysKept(await loadRing(deps, config.id), config.legacyKeys, deps.clock.now());
  for (const legacy of config.legacyKeys) {
    const ring = await loadRing(deps, config.id);
    const adopted = ring.keys.some(({ kid }) => kid === legacy.jwk.kid);
    const change = (adopted ? shortenLegacyKey : adoptLegacyKey)(ring, legacy, deps.clock.now());
    if (change.length > 0) await deps.tables.transact(change);
  }
  await firstKey(config.id, deps);
  await deps.functions.invoke('publisher', { ring: config.id });
  return config.id;
}

/** A new API takes seconds until it answers, a CDN minutes: a birth that does not wait for it would be rolled back. */
async function firstKey(ringId: string, deps: RotatorDeps): Promise<void> {
  for (let n = 0; n < BIRTH_TRIES; n++) {
    await applyPlan(ringId, deps);
    const ring = await loadRing(deps, ringId);
    if (ring.activeKid !== undefined || isClosed(ring)) return;
    await deps.clock.sleep(BIRTH_PAUSE_SECONDS);
  }
  throw notServed(await loadRing(deps, ringId));
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
      await tables.transact(
        transitions.reserveSlot(ring, action.slot, deps.random.bytes(12).toString('hex'), clock.now()),
      );
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
      // If we stop here, the next heartbeat publishes it.
      await deps.functions.invoke('publisher', { ring: ring.id });
      break;
    case 'close':
      await tables.transact(retireRing(ring, clock.now()));
      // If we stop here, KMS is enabled for a key that is RETIRED: the next plan disables it.
      await deps.functions.invoke('publisher', { ring: ring.id });
      return 'close';
  }
  return 'kid' in action ? `${action.do} ${action.kid}` : `${action.do} slot ${action.slot}`;
}

async function activate(ring: Ring, deps: RotatorDeps, reason?: string): Promise<string> {
  const kid = await enableSuccessor(ring, deps);
  const prepared = await loadRing(deps, ring.id);
  if (prepared.fence !== ring.fence)
    throw new CurfewError('ERR_CONDITION_FAILED', `ring ${ring.id} changed while its next key was prepared`, {
      fix: 'read again and decide again',
    });
  await deps.tables.transact(transitions.activate(prepared, kid, deps.clock.now(), reason));
  // At once, whatever the rest of the plan meets: until verifiers know, they refuse what this key signs. If we stop
  // before it, they know by the next heartbeat.
  await deps.functions.invoke('publisher', { ring: ring.id });
  return kid;
}

/** Enables the STANDBY that may sign next and proves that it does, before anything depends on it. */
async function prepare(ringId: string, deps: RotatorDeps): Promise<string> {
  const ring = await loadRing(deps, ringId);
  return enableSuccessor(ring, deps);
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
  const { kmsKeyArn, alg, kind } = findKey(ring, kid);
  if (!kmsKeyArn)
    throw new CurfewError('ERR_KEY_STATE', `key ${kid} has no KMS key to enable`, { got: kind, allowed: 'kms' });
  await tables.transact(transitions.markPrepared(ring, kid, clock.now()));
  await ringKeys.enable(kmsKeyArn);
  // If we stop here, a STANDBY is enabled that nobody activates: the plan disables it after PREPARED_FOR.
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
async function finish(
  { ring: ringId, prepared }: { readonly ring: string; readonly prepared?: string },
  deps: RotatorDeps,
): Promise<Messages['rotator']['response']> {
  await release(ringId, prepared, deps);
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

/** A STANDBY that was prepared and not needed, because another case was faster, does not stay enabled. */
async function release(ringId: string, prepared: string | undefined, deps: RotatorDeps): Promise<void> {
  const ring = await loadRing(deps, ringId);
  const key = ring.keys.find(({ kid }) => kid === prepared);
  if (key?.state === 'STANDBY' && key.kmsState === 'Enabled') await disable(ring, key.kid, deps);
}

async function disable(ring: Ring, kid: string, deps: RotatorDeps): Promise<void> {
  const { ringKeys, tables, clock } = deps;
  const { kmsKeyArn, kind, state, kmsState } = findKey(ring, kid);
  if (!kmsKeyArn)
    throw new CurfewError('ERR_KEY_STATE', `key ${kid} has no KMS key to disable`, { got: kind, allowed: 'kms' });
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

/** Asked where verifiers ask, not in our table. */
async function isServed(ring: Ring, kid: string, { http, config }: RotatorDeps): Promise<boolean> {
  const { status, body } = await http.get(`${config.publicBaseUrl}/r/${ring.id}/.well-known/jwks.json`);
  if (status !== 200) return false;
  const { keys } = JSON.parse(body) as { keys: readonly { kid: string }[] };
  return keys.some((key) => key.kid === kid);
}

function notServed(ring: Ring): CurfewError {
  return new CurfewError('ERR_KEY_NOT_PUBLISHED', `ring ${ring.id} has no key that may sign next`, {
    got: ring.keys.map(({ kid, state, publishedAt }) => ({ kid, state, publishedAt })),
    fix: `check that publicBaseUrl serves the JWKS; a STANDBY waits ${ring.cfg.prop + ring.cfg.cache} s after it was seen there`,
  });
}

type DeployEvent = {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: { readonly ring: string };
};

export const handler = entry('rotator', async (event: Messages['rotator']['request'] | DeployEvent, deps) => {
  if (!('RequestType' in event)) return rotate(event, deps);
  // Removal of a stack removes no key: evidence needs them, and tokens may still be out there.
  if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId };
  return { PhysicalResourceId: await bear(JSON.parse(event.ResourceProperties.ring), deps) };
});
