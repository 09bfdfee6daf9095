/** Mirrors lib/work/rings/load-ring.ts and key-birth.ts, call by call and in the same order. */

import { CurfewError, isCurfewError } from '../../../lib/domain/base/errors';
import type { PublicJwk } from '../../../lib/domain/jose/jwk';
import { isSamePolicy } from '../../../lib/domain/rings/key-policy';
import type { Ring, Slot } from '../../../lib/domain/rings/ring';
import * as transitions from '../../../lib/domain/rings/transitions';
import { RING_HEAD } from '../../../lib/domain/store/ring-head';
import type { Row } from '../../../lib/domain/store/table';
import { RING_PREFIXES, ringFromRows } from '../ring-rows';
import { ACCOUNT, ROLES } from './kms';
import { effect, read, type Script } from './script';
import { MODEL_CFG, type ModelWorld, RING } from './world';

/** `loadRing`: HEAD first. The other queries run at once: they are answered in any order, and others may write in between. */
export function* load(world: ModelWorld): Script<Ring> {
  const items: Row[] = [];
  const versions = new Set<number>();
  for (const prefix of inSomeOrder(world)) {
    items.push(
      ...(yield* read('tables.query', prefix, () => world.store.query('keys', RING_HEAD.key(RING).pk, prefix))),
    );
    versions.add(world.store.version);
  }
  // Parsed once where nothing was written in between, for speed alone.
  const ring = versions.size === 1 ? world.ring() : ringFromRows(RING, items);
  if (!ring) throw new Error('the model begins with a ring');
  return world.rules.shown(ring);
}

/** By turns, so that a trace replays: each load of a life goes on with another query. */
function inSomeOrder(world: ModelWorld): readonly (typeof RING_PREFIXES)[number][] {
  const [head, ...others] = RING_PREFIXES;
  const first = world.drawn++ % others.length;
  return [head, ...others.slice(first), ...others.slice(0, first)];
}

/** `createKey` */
export function* createKey(world: ModelWorld, ring: Ring, number: number): Script {
  const { kms } = world;
  const slot = findSlot(ring, number);
  const slotTag = slotTagOf(slot);
  const policy = policyFor(world, slot.signUntil);
  const tried = transitions.markTried(ring, number, world.now);
  if (slot.triedAt === undefined) yield* effect('tables.transact', tried, () => world.transact(tried));
  const found = slot.triedAt === undefined ? [] : yield* read('ringKeys.find', '', () => kms.find(slotTag));
  const arn =
    (yield* findOwn(world, found, policy)) ??
    (yield* effect('ringKeys.create', '', () => kms.create(slotTag, number, policy)));
  const jwk = yield* readPublicKey(world, arn, number);
  const writes = transitions.slotCreated(ring, number, { kmsKeyArn: arn, jwk, policySha256: String(slot.signUntil) });
  try {
    yield* effect('tables.transact', writes, () => world.transact(writes));
  } catch (error) {
    if (isCurfewError(error, 'ERR_CONDITION_FAILED')) yield* disableIfOrphaned(world, arn, number);
    throw error;
  }
}

function* readPublicKey(world: ModelWorld, arn: string, number: number): Script<PublicJwk> {
  try {
    return yield* read('ringKeys.publicKey', '', () => world.kms.publicKey(arn));
  } catch (error) {
    if (!isCurfewError(error, 'ERR_KEY_DISABLED')) throw error;
    if (findSlot(yield* load(world), number).state === 'INTENT') throw error;
    throw new CurfewError('ERR_CONDITION_FAILED', 'the slot got its key from another rotator', { cause: error });
  }
}

function* findOwn(world: ModelWorld, candidates: readonly string[], policy: string): Script<string | undefined> {
  for (const arn of candidates) {
    const found = yield* read('ringKeys.policy', '', () => world.kms.policy(arn));
    if (found !== policy && !isSamePolicy(found, policy)) continue;
    yield* read('ringKeys.grants', '', () => undefined);
    yield* read('ringKeys.describe', '', () => world.kms.describe(arn));
    return arn;
  }
  return undefined;
}

function* disableIfOrphaned(world: ModelWorld, arn: string, number: number): Script {
  if (findSlot(yield* load(world), number).kmsKeyArn !== arn)
    yield* effect('ringKeys.disable', '', () => world.kms.disable(arn));
}

/** `adopt` */
export function* adopt(world: ModelWorld, ring: Ring, number: number): Script {
  const slot = findSlot(ring, number);
  const arn = slot.kmsKeyArn ?? '';
  if (world.rules.takes('disable at birth')) {
    yield* effect('ringKeys.disable', '', () => world.kms.disable(arn));
    yield* requireDisabled(world, arn);
  }
  yield* disableOthers(world, slot);
  const writes = transitions.adoptKey(ring, slot, world.now);
  yield* effect('tables.transact', writes, () => world.transact(writes));
}

export function* disableOthers(world: ModelWorld, slot: Slot): Script {
  for (const other of yield* read('ringKeys.find', '', () => world.kms.find(slotTagOf(slot)))) {
    if (other === slot.kmsKeyArn) continue;
    const state = yield* read('ringKeys.describe', '', () => world.kms.describe(other));
    if (state === 'Enabled') yield* effect('ringKeys.disable', '', () => world.kms.disable(other));
  }
}

export function* requireDisabled(world: ModelWorld, arn: string): Script {
  const state = yield* read('ringKeys.describe', '', () => world.kms.describe(arn));
  if (state !== 'Disabled') throw new CurfewError('ERR_KEY_STATE', 'the key in KMS is not in the requested state');
}

export function policyFor(world: ModelWorld, signUntil: number): string {
  const known = world.policies.get(signUntil);
  if (known !== undefined) return known;
  const policy = world.rules.keyPolicy({ accountId: ACCOUNT, roleArns: ROLES, algorithm: MODEL_CFG.alg, signUntil });
  world.policies.set(signUntil, policy);
  return policy;
}

function slotTagOf({ slot, nonce }: Slot): string {
  return `model/${RING}/${slot}/${nonce}`;
}

function findSlot(ring: Ring, number: number): Slot {
  const slot = ring.slots.find(({ slot }) => slot === number);
  if (!slot) throw new Error(`the model has no slot ${number}`);
  return slot;
}
