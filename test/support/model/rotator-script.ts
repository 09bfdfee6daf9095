/** Mirrors lambdas/rotator.ts, apply-plan.ts and key-inspection.ts, call by call and in the same order. */

import { CurfewError, isCurfewError } from '../../../lib/domain/base/errors';
import { policyStateOf } from '../../../lib/domain/rings/key-policy';
import { retireRing } from '../../../lib/domain/rings/life';
import { RESTS_FOR } from '../../../lib/domain/rings/obstacles';
import { findKey, type KeyRecord, type Ring, type Slot } from '../../../lib/domain/rings/ring';
import { type RotationAction, successors } from '../../../lib/domain/rings/rotation';
import * as transitions from '../../../lib/domain/rings/transitions';
import { RING_ENTRY } from '../../../lib/domain/store/ring-head';
import type { Write } from '../../../lib/domain/store/table';
import { ANSWERS_IN_ROW } from '../../../lib/work/rings/patience';
import { adopt, createKey, disableOthers, load, policyFor, requireDisabled } from './birth-script';
import { publish } from './publisher-script';
import { effect, read, type Script, waitUntil } from './script';
import { type ModelWorld, RING } from './world';

const ACTIONS_MAX = 40;
const PROBES_MAX = 20;
const UNFIT: readonly string[] = ['ERR_KEY_STATE', 'ERR_KEY_DISABLED', 'ERR_ACCESS_DENIED', 'ERR_NOT_FOUND'];

/** `op: 'tick'` */
export function* tick(world: ModelWorld): Script {
  const first = yield* applyPlan(world);
  const found = world.rules.takes('inspect') && (yield* inspect(world));
  const noted: Write = { kind: 'update', table: 'keys', key: RING_ENTRY.key(RING), set: { inspectedAt: world.now } };
  yield* transact(world, [noted]);
  const second = found ? yield* applyPlan(world) : [];
  const [error] = [...first, ...second];
  if (error) throw error;
}

/** `op: 'rotate'` */
export function* rotateNow(world: ModelWorld, from: string): Script {
  const ring = yield* load(world);
  if (ring.activeKid !== from) return;
  yield* takeOver(world, ring);
  yield* attempt(() => invokePublisher(world));
  yield* applyPlan(world);
}

/** `op: 'prepare'` */
export function* prepare(world: ModelWorld): Script<string> {
  return yield* enableSuccessor(world, yield* load(world));
}

/** `op: 'disable-old'`. Answers the kids that KMS would still sign with. */
export function* finish(world: ModelWorld, prepared: string | undefined): Script<readonly string[]> {
  yield* attempt(() => release(world, prepared));
  yield* applyPlan(world);
  // Whether a drain is about to end: the clocks of the model are one.
  yield* load(world);
  const ring = yield* load(world);
  const enabled: string[] = [];
  for (const { kid, state, kmsKeyArn = '' } of ring.keys) {
    if (kid === ring.activeKid || state === 'STANDBY') continue;
    const found = yield* read('ringKeys.describe', '', () => world.kms.describe(kmsKeyArn));
    if (found === 'Enabled') enabled.push(kid);
  }
  return enabled;
}

function* release(world: ModelWorld, prepared: string | undefined): Script {
  const ring = yield* load(world);
  const unused = ring.keys.find(({ kid }) => kid === prepared);
  if (unused?.state === 'STANDBY' && unused.kmsState === 'Enabled') yield* disable(world, ring, unused.kid);
}

function* attempt(work: () => Script): Script {
  try {
    yield* work();
  } catch (error) {
    if (!isCurfewError(error)) throw error;
  }
}

/** Answers what could not be done. */
export function* applyPlan(world: ModelWorld): Script<readonly Error[]> {
  const errors: Error[] = [];
  const stuck: string[] = [];
  for (let n = 0; n < ACTIONS_MAX; n++) {
    const ring = yield* load(world);
    const action = world.rules.plan(ring, world.now, stuck);
    if (!action) break;
    try {
      if (!(yield* apply(world, ring, action))) break;
    } catch (error) {
      if (isCurfewError(error, 'ERR_CONDITION_FAILED')) continue;
      if (!isCurfewError(error)) throw error;
      errors.push(error);
      if (action.do !== 'disable') break;
      stuck.push(action.kid);
    }
  }
  return errors;
}

function* apply(world: ModelWorld, ring: Ring, action: RotationAction): Script<boolean> {
  switch (action.do) {
    case 'reserve':
      yield* transact(world, transitions.reserveSlot(ring, action.slot, world.unique(), world.now));
      return true;
    case 'create':
      yield* createKey(world, ring, action.slot);
      return true;
    case 'adopt':
      yield* adopt(world, ring, action.slot);
      return true;
    case 'confirm':
      if (!(yield* isServed(world, action.kid))) return false;
      yield* transact(world, transitions.markConfirmed(ring, action.kid, world.now));
      return true;
    case 'prepare':
      yield* enableSuccessor(world, ring);
      return true;
    case 'activate':
      yield* takeOver(world, ring);
      yield* invokePublisher(world);
      return true;
    case 'disable':
      yield* disable(world, ring, action.kid);
      return true;
    case 'retire':
      yield* transact(world, transitions.retire(ring, action.kid, world.now));
      yield* invokePublisher(world);
      return true;
    case 'close':
      yield* transact(world, retireRing(ring, world.now));
      yield* invokePublisher(world);
      return true;
  }
}

function* takeOver(world: ModelWorld, ring: Ring): Script {
  const kid = yield* enableSuccessor(world, ring);
  const prepared = yield* load(world);
  if (prepared.fence !== ring.fence) throw new CurfewError('ERR_CONDITION_FAILED', 'the ring changed meanwhile');
  yield* transact(world, transitions.activate(prepared, kid, world.now));
}

function* enableSuccessor(world: ModelWorld, ring: Ring): Script<string> {
  let refusal = new CurfewError('ERR_NO_SUCCESSOR', 'no key may sign next');
  for (const { kid } of successors(ring, world.now)) {
    try {
      yield* enable(world, ring, kid);
      return kid;
    } catch (error) {
      if (!isCurfewError(error) || !UNFIT.includes(error.code)) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

function* enable(world: ModelWorld, ring: Ring, kid: string): Script {
  const arn = findKey(ring, kid).kmsKeyArn ?? '';
  const writes = transitions.markPrepared(ring, kid, world.now);
  if (world.rules.takes('mark prepared')) yield* transact(world, writes);
  yield* effect('ringKeys.enable', '', () => {
    world.kms.enable(arn);
    // Prepared, and given up by somebody else before this arrived: nobody can stop that, and the next tick finds it.
    const now = world.ring()?.keys.find((key) => key.kid === kid);
    if (now?.kmsState !== 'Enabled' && now?.preparedAt !== undefined) world.kms.key(arn).tampered = true;
  });
  if (!world.rules.takes('mark prepared')) yield* transact(world, writes);
  if (!world.rules.takes('probe')) return yield* proved(world, ring, kid);
  for (let n = 0, good = 0; n < PROBES_MAX; n++) {
    yield* read('functions.invoke', 'issuer probe', () => undefined);
    good = (yield* effect('signer.sign', '', () => signs(world, arn))) ? good + 1 : 0;
    if (good === ANSWERS_IN_ROW) return yield* proved(world, ring, kid);
    yield* waitUntil(world.now + 2);
  }
  throw new CurfewError('ERR_KEY_DISABLED', `key ${kid} was enabled and does not sign`);
}

function* proved(world: ModelWorld, ring: Ring, kid: string): Script {
  yield* transact(world, transitions.markProbed(ring, kid, world.now));
  yield* announce(world);
}

function* announce(world: ModelWorld): Script {
  try {
    if (world.rules.takes('announce')) yield* invokePublisher(world);
  } catch (error) {
    if (!isCurfewError(error)) throw error;
  }
}

/** The issuer's `probe`. */
function signs(world: ModelWorld, arn: string): boolean {
  try {
    world.kms.sign('issuer', arn);
    return true;
  } catch (error) {
    if (isCurfewError(error, 'ERR_KEY_DISABLED') || isCurfewError(error, 'ERR_ACCESS_DENIED')) return false;
    throw error;
  }
}

function* disable(world: ModelWorld, ring: Ring, kid: string): Script {
  const { kmsKeyArn: arn = '', state, kmsState } = findKey(ring, kid);
  if (state === 'STANDBY' && kmsState === 'Enabled' && world.rules.takes('mark Disabling'))
    yield* transact(world, transitions.markDisabling(ring, kid));
  yield* read('ringKeys.describe', '', () => world.kms.describe(arn));
  yield* effect('ringKeys.disable', '', () => world.kms.disable(arn));
  yield* requireDisabled(world, arn);
  yield* transact(world, transitions.markDisabled(ring, kid, world.now));
}

function* isServed(world: ModelWorld, kid: string): Script<boolean> {
  if (!world.rules.takes('read back')) return true;
  return (yield* read('http.get', '', () => world.served())).some((jwk) => jwk.kid === kid);
}

/** `inspect`. True where something was found and noted. */
function* inspect(world: ModelWorld): Script<boolean> {
  const ring = yield* load(world);
  let found = false;
  for (const key of ring.keys.filter((key) => isWorthALook(key, world.now))) {
    const { kid, kmsKeyArn: arn = '', signUntil } = key;
    const policy = yield* read('ringKeys.policy', '', () => unlessRefused(() => world.kms.policy(arn)));
    const written = policyFor(world, signUntil);
    const policyState = policy === written ? 'as-written' : policyStateOf(policy, written);
    if (policyState === 'as-written') yield* read('ringKeys.grants', '', () => undefined);
    if (policyState !== (key.policyState ?? 'as-written')) {
      yield* note(world, (now) => transitions.markPolicy(now, kid, policyState, world.now));
      found = true;
    }
    const state = yield* read('ringKeys.describe', '', () => unlessRefused(() => world.kms.describe(arn)));
    if (state === 'Enabled' && key.kmsState === 'Disabled') {
      yield* note(world, (now) => transitions.markFoundEnabled(now, kid, world.now));
      found = true;
    }
    if (state === 'Disabled' && key.state === 'ACTIVE' && key.kmsState !== 'Disabled') {
      yield* note(world, (now) => transitions.markLost(now, kid, state, world.now));
      found = true;
    }
  }
  if (world.rules.takes('sweep'))
    for (const slot of ring.slots.filter((slot) => isToBeSwept(slot, world.now))) {
      yield* disableOthers(world, slot);
      yield* transact(world, transitions.markSwept(ring, slot.slot, world.now));
    }
  return found;
}

function isToBeSwept({ state, adoptedAt = 0, sweptAt }: Slot, now: number): boolean {
  return state === 'ADOPTED' && sweptAt === undefined && now >= adoptedAt + RESTS_FOR;
}

function isWorthALook({ kind, signUntil, verifyUntil }: KeyRecord, now: number): boolean {
  return kind === 'kms' && now <= Math.max(signUntil, verifyUntil);
}

function unlessRefused<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (isCurfewError(error, 'ERR_ACCESS_DENIED')) return undefined;
    throw error;
  }
}

function* note(world: ModelWorld, writes: (ring: Ring) => readonly Write[]): Script {
  try {
    yield* transact(world, writes(yield* load(world)));
  } catch (error) {
    if (!isCurfewError(error, 'ERR_CONDITION_FAILED')) throw error;
  }
}

export function* transact(world: ModelWorld, writes: readonly Write[]): Script {
  yield* effect('tables.transact', writes, () => world.transact(writes));
}

export function* invokePublisher(world: ModelWorld): Script {
  yield* read('functions.invoke', 'publisher', () => undefined);
  yield* publish(world);
}
