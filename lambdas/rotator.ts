/**
 * Turns a ring: at each tick by the plan, and by hand where people or a departure ask. It can enable and disable keys and
 * cannot sign with any.
 */

import { entry } from '../lib/aws/entry';
import { CurfewError, isCurfewError } from '../lib/domain/base/errors';
import type { Messages } from '../lib/domain/deployment/messages';
import { cannotSign } from '../lib/domain/rings/ending';
import { parseReason } from '../lib/domain/rings/reason';
import type { KeyRecord, Ring } from '../lib/domain/rings/ring';
import { RING_ENTRY } from '../lib/domain/store/ring-head';
import { applyPlan, disable, enableSuccessor, takeOver } from '../lib/work/rings/apply-plan';
import type { RotatorDeps } from '../lib/work/rings/key-birth';
import { inspect } from '../lib/work/rings/key-inspection';
import { loadRing } from '../lib/work/rings/load-ring';
import { settledState } from '../lib/work/rings/patience';

type Response = Messages['rotator']['response'];

export async function rotate(request: Messages['rotator']['request'], deps: RotatorDeps): Promise<Response> {
  switch (request.op) {
    case 'tick':
      return { done: await tick(request.ring, deps) };
    case 'prepare':
      return { done: [], kid: await enableSuccessor(await loadRing(deps, request.ring), deps) };
    case 'disable-old':
      return disableOld(request, deps);
    case 'rotate':
      return rotateNow(request, deps);
    default: {
      // From outside of TypeScript: anybody who may invoke may ask for anything.
      const { op }: { readonly op?: unknown } = request;
      throw new CurfewError('ERR_INPUT_INVALID', 'the rotator does not know this operation', {
        got: op,
        allowed: ['tick', 'prepare', 'disable-old', 'rotate'],
      });
    }
  }
}

/**
 * The plan first: what it disables or activates is not kept waiting by a read-back. Then the read-back, whatever the plan
 * met: one key that KMS will not disable must not blind us to the others. What it finds, a second plan mends.
 */
async function tick(ringId: string, deps: RotatorDeps): Promise<string[]> {
  const first = await applyPlan(ringId, deps);
  const found = await inspect(ringId, deps);
  await noteInspected(ringId, deps);
  const second = found.length === 0 ? { done: [], errors: [] } : await applyPlan(ringId, deps);
  const [error] = [...first.errors, ...second.errors];
  if (error) throw error;
  return [...first.done, ...found, ...second.done];
}

/** Beside the ring and not in HEAD: no decision reads it, and its writes must not delay decisions. */
async function noteInspected(ringId: string, { tables, clock }: RotatorDeps): Promise<void> {
  const set = { v: RING_ENTRY.v, inspectedAt: clock.now() };
  // If we stop before this, an alarm is a tick closer than it need be.
  await tables.transact([{ kind: 'update', table: 'keys', key: RING_ENTRY.key(ringId), set }]);
}

/** By hand, although nothing is due. Asked twice, because an answer was lost, it finds that `from` is not ACTIVE any more. */
async function rotateNow(
  { ring: ringId, from, reason: given }: Extract<Messages['rotator']['request'], { op: 'rotate' }>,
  deps: RotatorDeps,
): Promise<Response> {
  // Before KMS enables a successor: a reason that no record can hold must not leave an enabled key behind.
  const reason = parseReason(given);
  const ring = await loadRing(deps, ringId);
  if (ring.activeKid !== from) return { done: [], kid: ring.activeKid };
  const kid = await takeOver(ring, deps, reason);
  // It has happened. What fails from here on is said, and is not to be taken for a rotation that failed.
  const unpublished = await attempt(() => deps.functions.invoke('publisher', { ring: ringId }));
  const { done, errors } = await applyPlan(ringId, deps);
  return { done: [`activate ${kid}`, ...done], kid, failed: [...unpublished, ...errors].map(codeOf) };
}

/** How far the clocks of two hosts may be apart, in seconds. */
const CLOCKS_APART_SECONDS = 6;
/** Each a second at least after the one before: by then the drain is over by any clock. */
const DRAIN_TRIES = 5;

/**
 * Disables what must not sign any more, each one read back. The caller has waited for the drain, by another clock than
 * ours: where that is not over for us by a second, the key would stay enabled until the next tick.
 */
async function disableOld(
  { ring: ringId, prepared }: { readonly ring: string; readonly prepared?: string },
  deps: RotatorDeps,
): Promise<Response> {
  const unreleased = await attempt(() => release(ringId, prepared, deps));
  const { done, errors } = await applyDrained(ringId, deps);
  const ring = await loadRing(deps, ringId);
  const still = ring.keys.filter(
    ({ kid, kind, state }) => kind === 'kms' && kid !== ring.activeKid && state !== 'STANDBY',
  );
  const disabled = await Promise.all(still.map(async (key) => ({ kid: key.kid, state: await stateOf(key, deps) })));
  // The caller looks for its own keys in `disabled`: another one's trouble is not a reason to stop.
  return { done, disabled, failed: [...unreleased, ...errors].map(codeOf) };
}

/** The plan, and the plan again while a key waits whose drain is over for the caller: our clock may step as we ask it. */
async function applyDrained(ringId: string, deps: RotatorDeps): ReturnType<typeof applyPlan> {
  const all: string[] = [];
  for (let n = 1; ; n++) {
    const { done, errors } = await applyPlan(ringId, deps);
    all.push(...done);
    const left = almostDrained(await loadRing(deps, ringId), deps.clock.now());
    if (left === undefined || errors.length > 0 || n === DRAIN_TRIES) return { done: all, errors };
    // If we stop here, the caller asks again, or the next tick finds the drain over.
    await deps.clock.sleep(Math.max(1, left));
  }
}

/** Seconds until the last key has drained whose drain is over for the caller; undefined where there is none. */
function almostDrained({ keys, cfg }: Ring, now: number): number | undefined {
  const left = keys
    .filter(({ kind, kmsState }) => kind === 'kms' && kmsState !== 'Disabled')
    .flatMap(({ deactivatedAt }) => (deactivatedAt === undefined ? [] : [deactivatedAt + cfg.drainSeconds - now]))
    .filter((seconds) => seconds <= CLOCKS_APART_SECONDS);
  return left.length > 0 ? Math.max(...left) : undefined;
}

/** A STANDBY that was prepared and not needed, because another case was faster, does not stay enabled. */
async function release(ringId: string, prepared: string | undefined, deps: RotatorDeps): Promise<void> {
  const ring = await loadRing(deps, ringId);
  const key = ring.keys.find(({ kid }) => kid === prepared);
  if (key?.state === 'STANDBY' && key.kmsState === 'Enabled') await disable(ring, key.kid, deps);
}

/**
 * KMS's own word, and of a key that was disabled the word of a host that knows it; `Unreadable` where KMS does not tell
 * us, which nobody takes for Disabled.
 */
async function stateOf({ kmsKeyArn = '', kmsState }: KeyRecord, deps: RotatorDeps): Promise<string> {
  const isAsExpected = (state: string) => kmsState !== 'Disabled' || cannotSign(state);
  try {
    return (await settledState(kmsKeyArn, isAsExpected, deps.ringKeys, deps)).state;
  } catch (error) {
    // The second: an ARN of another Region, which no host of ours can speak of.
    if (isCurfewError(error, 'ERR_ACCESS_DENIED') || isCurfewError(error, 'ERR_CONFIG_INVALID')) return 'Unreadable';
    if (isCurfewError(error, 'ERR_NOT_FOUND')) return 'NotFound';
    throw error;
  }
}

async function attempt(work: () => Promise<unknown>): Promise<readonly Error[]> {
  try {
    await work();
    return [];
  } catch (error) {
    if (!isCurfewError(error)) throw error;
    return [error];
  }
}

function codeOf(error: Error): string {
  return isCurfewError(error) ? error.code : 'ERR_UNAVAILABLE';
}

export const handler = entry('rotator', rotate);
