/**
 * Asks `planRotation` what a ring needs, does that one thing, reads the ring again and asks again: at birth as at each
 * tick. It births, activates, disables and retires keys, and cannot sign with any.
 */

import { CurfewError, isCurfewError } from '../../domain/base/errors';
import { kidsIn } from '../../domain/jose/jwk';
import { retireRing } from '../../domain/rings/life';
import { findKey, type Ring } from '../../domain/rings/ring';
import { planRotation, type RotationAction, successors } from '../../domain/rings/rotation';
import * as transitions from '../../domain/rings/transitions';
import { adopt, createKey, type RotatorDeps, requireDisabled } from './key-birth';
import { loadRing } from './load-ring';
import { ANSWER_EVERY_SECONDS, ANSWERS_IN_ROW, isNotYet, patiently, settledState } from './patience';

/** Births three keys of four steps each, and more; a plan that never ends is a bug, not a wait. */
const ACTIONS_MAX = 40;
/** Longer than KMS usually takes to enable a key everywhere. With what EnableKey may take, two candidates fit into one run. */
const PROBED_FOR_SECONDS = 40;
const ENABLED_WITHIN_SECONDS = 10;

interface Applied {
  /** What was done, in words and in order. */
  readonly done: readonly string[];
  /** The actions that failed. An operator's command goes on; a tick and a birth throw the first. */
  readonly errors: readonly Error[];
}

/** Asks and acts until the ring needs nothing that can be done now. */
export async function applyPlan(ringId: string, deps: RotatorDeps): Promise<Applied> {
  const done: string[] = [];
  const errors: Error[] = [];
  const stuck: string[] = [];
  for (let n = 0; n < ACTIONS_MAX; n++) {
    const ring = await loadRing(deps, ringId);
    const action = planRotation(ring, deps.clock.now(), stuck);
    if (!action) break;
    try {
      const what = await apply(ring, action, deps);
      if (what === undefined) break;
      done.push(what);
    } catch (error) {
      // Another rotator, or a departure, was faster: its change moved the fence. Read again, ask again.
      if (isCurfewError(error, 'ERR_CONDITION_FAILED')) continue;
      if (!isCurfewError(error)) throw error;
      errors.push(error);
      // A key that KMS will not disable is counted by the watch, and must not keep the rest of the ring from turning.
      if (action.do !== 'disable') break;
      stuck.push(action.kid);
    }
  }
  return { done, errors };
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
    case 'confirm':
      if (!(await isServed(ring, action.kid, deps))) return undefined;
      await tables.transact(transitions.markConfirmed(ring, action.kid, clock.now()));
      break;
    case 'prepare':
      return `prepare ${await enableSuccessor(ring, deps)}`;
    case 'activate': {
      const kid = await takeOver(ring, deps);
      await deps.functions.invoke('publisher', { ring: ring.id });
      return `activate ${kid}`;
    }
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

/** Puts the next key in the place of the one that issues. The caller publishes. */
export async function takeOver(ring: Ring, deps: RotatorDeps, reason?: string): Promise<string> {
  const kid = await enableSuccessor(ring, deps);
  const prepared = await loadRing(deps, ring.id);
  if (prepared.fence !== ring.fence)
    throw new CurfewError('ERR_CONDITION_FAILED', `ring ${ring.id} changed while the rotator prepared its next key`, {
      fix: 'read again and decide again',
    });
  await deps.tables.transact(transitions.activate(prepared, kid, deps.clock.now(), reason));
  // If we stop here, the feed still calls the old key ACTIVE: its tokens are as good as in VERIFY_ONLY.
  return kid;
}

/** The oldest STANDBY that really signs: a sabotaged one must not hold up a rotation, or a departure. */
export async function enableSuccessor(ring: Ring, deps: RotatorDeps): Promise<string> {
  let refusal = noSuccessor(ring);
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

async function enable(ring: Ring, kid: string, deps: RotatorDeps): Promise<void> {
  const { ringKeys, functions, tables, clock } = deps;
  const { kmsKeyArn, alg, kind } = findKey(ring, kid);
  if (!kmsKeyArn)
    throw new CurfewError('ERR_KEY_STATE', `key ${kid} has no KMS key to enable`, { got: kind, allowed: 'kms' });
  await tables.transact(transitions.markPrepared(ring, kid, clock.now()));
  await patiently(() => ringKeys.enable(kmsKeyArn), deps, { seconds: ENABLED_WITHIN_SECONDS, passes: isNotYet });
  // If we stop here, an enabled STANDBY stays without activation: the plan disables it after PREPARED_FOR.
  // The probe asks through the issuer's own right, which the rotator has not.
  const end = clock.now() + PROBED_FOR_SECONDS;
  let failure: unknown;
  // A key that is signing when the time is over is asked to the end of its row: slow answers are no refusals.
  for (let good = 0; clock.now() < end || good > 0; await clock.sleep(ANSWER_EVERY_SECONDS)) {
    try {
      const { probe } = await functions.invoke('issuer', { op: 'probe', kmsKeyArn, algorithm: alg });
      failure = undefined;
      good = probe?.signed ? good + 1 : 0;
    } catch (error) {
      // No answer of this key: one more probe that was not good.
      if (!isNotYet(error)) throw error;
      failure = error;
      good = 0;
    }
    if (good === ANSWERS_IN_ROW) return probed(ring, kid, deps);
  }
  throw (
    failure ??
    new CurfewError('ERR_KEY_DISABLED', `key ${kid} was enabled and does not sign`, { fix: 'read its key policy back' })
  );
}

/** If we stop before this, it is not activated, and the plan disables it like any prepared STANDBY that goes unused. */
async function probed(ring: Ring, kid: string, deps: RotatorDeps): Promise<void> {
  await deps.tables.transact(transitions.markProbed(ring, kid, deps.clock.now()));
  await publishPrepared(ring, deps);
}

/**
 * Verifiers are told of the next key before it issues. If they cannot be, an emergency goes on all the same: they
 * refuse the new tokens until a feed comes out, and whoever activates publishes again, and says it when that fails.
 */
async function publishPrepared({ id }: Ring, { functions }: RotatorDeps): Promise<void> {
  try {
    await functions.invoke('publisher', { ring: id });
  } catch (error) {
    if (!isCurfewError(error)) throw error;
  }
}

export async function disable(ring: Ring, kid: string, deps: RotatorDeps): Promise<void> {
  const { ringKeys, tables, clock } = deps;
  const { kmsKeyArn, kind, state, kmsState } = findKey(ring, kid);
  if (!kmsKeyArn)
    throw new CurfewError('ERR_KEY_STATE', `key ${kid} has no KMS key to disable`, { got: kind, allowed: 'kms' });
  if (state === 'STANDBY' && kmsState === 'Enabled') await tables.transact(transitions.markDisabling(ring, kid));
  // One that waits for deletion cannot sign, and cannot be disabled: it must not stop the plan for ever.
  const isGoing = (await settledState(kmsKeyArn, () => true, ringKeys, deps)).state === 'PendingDeletion';
  if (!isGoing) {
    await patiently(() => ringKeys.disable(kmsKeyArn), deps, { passes: isNotYet });
    await requireDisabled(kmsKeyArn, deps);
  }
  // If we stop here, the key is disabled and said to be enabled: the next plan disables it once more and records it.
  await tables.transact(transitions.markDisabled(ring, kid, clock.now()));
  // It will never sign, and does not stand by: the plan takes another.
  if (isGoing && state === 'STANDBY')
    await tables.transact(transitions.retire(await loadRing(deps, ring.id), kid, clock.now()));
}

/** Asked where verifiers ask, not in our table. */
async function isServed(ring: Ring, kid: string, deps: RotatorDeps): Promise<boolean> {
  return (await answerAbout(kid, jwksUrl(ring, deps.config), deps)) === SERVED;
}

const SERVED = '200, with the key';

/** What a JWKS URL answers about a key, in words. One that answers nothing is an error that names it. */
async function answerAbout(kid: string, url: string, { http }: RotatorDeps): Promise<string> {
  const { status, body } = await orNamed(url, http.get(url));
  if (status !== 200) return String(status);
  return kidsIn(body).includes(kid) ? SERVED : '200, without the key';
}

/** Of an error only its message reaches CloudFormation: the URL has to stand there. */
async function orNamed<T>(url: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!isCurfewError(error, 'ERR_UNAVAILABLE')) throw error;
    throw new CurfewError(error.code, `${url}: ${error.message}`, { got: url, fix: error.fix, cause: error });
  }
}

/** Why a ring has no first key although nothing failed: for whoever reads the event of the stack. */
export async function notBorn(ring: Ring, deps: RotatorDeps): Promise<CurfewError> {
  const waiting = ring.keys.find(({ state, confirmedAt }) => state === 'STANDBY' && confirmedAt === undefined);
  if (!waiting) return noSuccessor(ring);
  const url = jwksUrl(ring, deps.config);
  const answer = await answerAbout(waiting.kid, url, deps);
  return new CurfewError(
    'ERR_NO_SUCCESSOR',
    `ring ${ring.id} was not born: ${url} did not show its first key ${waiting.kid}; the last answer was ${answer}`,
    {
      got: answer,
      allowed: SERVED,
      fix: 'check region and publicBaseUrl, then follow docs/runbook.md, "A first deployment that failed"',
    },
  );
}

/**
 * The first key of a ring has no verifiers yet, and a CDN or a name that is being made with it does not answer for
 * minutes, the name until people change their DNS: it is read back at the API itself. Every later one is, where
 * verifiers are.
 */
function jwksUrl(
  { id, activations }: Ring,
  { publicBaseUrl, apiBaseUrl = publicBaseUrl }: RotatorDeps['config'],
): string {
  return `${activations === 0 ? apiBaseUrl : publicBaseUrl}/r/${id}/.well-known/jwks.json`;
}

function noSuccessor(ring: Ring): CurfewError {
  return new CurfewError('ERR_NO_SUCCESSOR', `ring ${ring.id} has no key that may sign next`, {
    got: ring.keys.map(({ kid, state, confirmedAt }) => ({ kid, state, confirmedAt })),
    fix: `check that publicBaseUrl serves the JWKS; a STANDBY waits ${ring.cfg.propagationSeconds + ring.cfg.cacheSeconds} s after it was seen there`,
  });
}
