/**
 * `curfew ring rotate | taint | halt | resume`: what people change of a ring by hand. The Lambdas change it; this asks
 * them in the order of a departure. Each is safe to ask again where a call before was cut short, because every step is.
 */

import { CurfewError, isCurfewError } from '../../lib/domain/base/errors';
import { span } from '../../lib/domain/base/time';
import { RING_ID_PATTERN } from '../../lib/domain/rings/configuration';
import { findKey, type KeyRecord, type Ring, type TaintClass } from '../../lib/domain/rings/ring';
import type { WaveBatch } from '../../lib/domain/tokens/wave';
import { loadRing } from '../../lib/work/rings/load-ring';
import type { Answer, CommandPorts, Progress } from './command';
import { findKeyByKid } from './kid';

const RACES_MAX = 5;

export interface TaintRequest {
  /** Whole or abbreviated. */
  readonly kid: string;
  readonly class: TaintClass;
  readonly reason: string;
}

export function parseRingId(id: string): string {
  if (RING_ID_PATTERN.test(id)) return id;
  throw new CurfewError('ERR_INPUT_INVALID', 'that is no ring id', {
    got: id,
    allowed: String(RING_ID_PATTERN),
    fix: '`curfew ring list` has them',
  });
}

export async function rotateRing(
  deps: CommandPorts<'ring rotate'>,
  { ring: id, reason }: { readonly ring: string; readonly reason: string },
  progress: Progress,
): Promise<Answer> {
  const ring = await loadRing(deps, parseRingId(id));
  const from = ring.activeKid;
  if (from === undefined)
    throw new CurfewError('ERR_KEY_STATE', `ring ${id} has no ACTIVE key to replace`, {
      fix: `see \`curfew ring show ${id}\``,
    });
  progress(`asking for a successor of ${from}`);
  const { to, doubt } = await successorOf(deps, { ring: id, from, reason });
  if (to === undefined)
    return {
      json: { ring: id, from, unfinished: doubt },
      text: `it is not known whether ${id} rotated: ${doubt}\nlook at \`curfew ring show ${id}\` before you ask again`,
      exitCode: 1,
    };
  progress(`${to} issues; ${from} goes on verifying`);

  const { state, unfinished = doubt } = await settle(ring, from, deps, progress);
  const hint = `the rotation is done, do not repeat it: the next tick disables ${from}, see \`curfew ring show ${id}\``;
  const isWhole = unfinished === undefined && cannotSign(state);
  return {
    json: { ring: id, from, to, kms: state, unfinished },
    text: [
      `${id} rotated: ${from} -> ${to}`,
      ...(isWhole ? [] : [unfinished ?? `KMS says of ${from}: ${state}`, hint]),
    ].join('\n'),
    exitCode: isWhole ? 0 : 1,
  };
}

interface Succession {
  /** The key that issues now; undefined where nobody can say. */
  readonly to?: string;
  /** What went wrong after it did, or while we asked. */
  readonly doubt?: string;
}

/** An answer may be lost, or a step fail, after the activation: then the ring tells what happened. */
async function successorOf(
  deps: CommandPorts<'ring rotate'>,
  request: { readonly ring: string; readonly from: string; readonly reason: string },
): Promise<Succession> {
  try {
    return { to: (await inTurn(() => deps.functions.invoke('rotator', { op: 'rotate', ...request }))).kid };
  } catch (error) {
    const now = await activeKidOf(deps, request.ring);
    if ('kid' in now && now.kid === request.from) throw error;
    return { to: 'kid' in now ? now.kid : undefined, doubt: inWords(error) };
  }
}

async function activeKidOf(deps: CommandPorts<'ring rotate'>, ring: string) {
  try {
    return { kid: (await loadRing(deps, ring)).activeKid };
  } catch (error) {
    return { unread: error };
  }
}

/** What follows the activation. Whatever becomes of it, the ring has rotated, and the next tick does the same. */
async function settle(
  ring: Ring,
  from: string,
  deps: CommandPorts<'ring rotate'>,
  progress: Progress,
): Promise<{ readonly state: string; readonly unfinished?: string }> {
  try {
    await drain(ring, deps, progress);
    const state = await kmsStateAfterDisable(deps, { op: 'disable-old', ring: ring.id }, findKey(ring, from));
    progress(`KMS says of ${from}: ${state}`);
    return { state };
  } catch (error) {
    return { state: 'not looked at', unfinished: inWords(error) };
  }
}

function inWords(error: unknown): string {
  return isCurfewError(error) ? `${error.message} (${error.code})` : String(error);
}

/** Ends a key as a departure would: taint, wave, deny, disable. */
export async function taintKey(
  deps: CommandPorts<'ring taint'>,
  request: TaintRequest,
  progress: Progress,
): Promise<Answer> {
  const { functions } = deps;
  const { ring, key } = await findKeyByKid(request.kid, deps);
  const { kid } = key;
  if (kid !== request.kid) progress(`${request.kid} is ${kid} of ring ${ring.id}`);
  refuseUnlessTaintable(ring, kid);
  if (!hasIssued(key)) return retireStandby(ring, { ...request, kid }, deps, progress);

  // Only an ACTIVE key needs one; whoever was faster has put another in its place by the time we taint.
  const prepared = kid === ring.activeKid ? await prepare(ring.id, deps) : undefined;
  if (prepared) progress(`prepared ${prepared}`);
  const { batches } = await functions.invoke('taint', {
    op: 'taint',
    ring: ring.id,
    targets: [{ kid, class: request.class, reason: request.reason }],
    successor: prepared,
  });
  await functions.invoke('publisher', { ring: ring.id });
  progress(`${kid} is SUSPECT (${request.class}): only tokens that the ledger holds count`);

  await functions.invoke('committer', {});
  const first = await runPass(deps, batches, 1, progress);
  progress(`pass 1: ${first.resigned} tokens re-signed`);
  await drain(ring, deps, progress);
  const kms = await kmsStateAfterDisable(deps, { op: 'disable-old', ring: ring.id, prepared }, findKey(ring, kid));

  let resigned = first.resigned;
  for (let pass = 2, pending = batches; pending.length > 0; pass++) {
    const counts = await runPass(deps, pending, pass, progress);
    resigned += counts.resigned;
    progress(`pass ${pass}: ${counts.found} found`);
    pending = (await functions.invoke('taint', { op: 'deny', ring: ring.id, kids: [kid] })).batches;
  }
  await functions.invoke('publisher', { ring: ring.id });
  await functions.invoke('committer', {});
  const { state } = findKey(await loadRing(deps, ring.id), kid);
  progress(
    state === 'DENIED'
      ? 'no token of it is good any more'
      : 'holders may still collect what was re-signed; ask again after collectGrace',
  );
  const isEnded = state === 'DENIED' && cannotSign(kms);
  return {
    json: { ring: ring.id, kid, state, kms, resigned },
    text: `${kid} ${state}, ${resigned} tokens re-signed`,
    exitCode: isEnded ? 0 : 1,
  };
}

export async function switchIssuing(
  deps: CommandPorts<'ring halt'>,
  { op, ring: id, reason }: { readonly op: 'halt' | 'resume'; readonly ring: string; readonly reason: string },
): Promise<Answer> {
  const { halted: was } = await loadRing(deps, parseRingId(id));
  const { halted, activeKid } = await deps.functions.invoke('halt', { op, ring: id, reason });
  const asked = op === 'halt';
  const text = asked
    ? `${id} ${was ? 'was halted already' : 'is halted'}: nothing is issued; what was issued goes on being good`
    : `${id} ${was ? 'issues again' : 'was not halted'}, under ${activeKid ?? 'no key'}`;
  return { json: { ring: id, halted, activeKid }, text, exitCode: halted === asked ? 0 : 1 };
}

/** It leaves the JWKS at once, and there is nothing to re-sign. Asked again, it finds it RETIRED and says the same. */
async function retireStandby(
  ring: Ring,
  { kid, class: taintClass, reason }: TaintRequest,
  deps: CommandPorts<'ring taint'>,
  progress: Progress,
): Promise<Answer> {
  const { functions } = deps;
  const targets = [{ kid, class: taintClass, reason }];
  const { states } = await functions.invoke('taint', { op: 'taint', ring: ring.id, targets });
  const state = states.find((one) => one.kid === kid)?.state ?? 'not told';
  await functions.invoke('publisher', { ring: ring.id });
  progress(`${kid} is ${state}: it never issued, and is not published any more`);
  // Its plan also has another one born.
  const kms = await kmsStateAfterDisable(deps, { op: 'disable-old', ring: ring.id }, findKey(ring, kid));
  const isEnded = state === 'RETIRED' && cannotSign(kms);
  return {
    json: { ring: ring.id, kid, state, kms, resigned: 0 },
    text: `${kid} ${state}: a STANDBY, so no token is touched; another takes its place`,
    exitCode: isEnded ? 0 : 1,
  };
}

/** A STANDBY never did, nor one that was RETIRED as such. */
function hasIssued({ state, kind, activatedAt }: KeyRecord): boolean {
  return state !== 'STANDBY' && (state !== 'RETIRED' || kind === 'legacy' || activatedAt !== undefined);
}

/** Told before anything is prepared for it. */
function refuseUnlessTaintable(ring: Ring, kid: string): void {
  const key = findKey(ring, kid);
  if (key.state !== 'RETIRED' || !hasIssued(key)) return;
  throw new CurfewError('ERR_KEY_STATE', `key ${kid} of ring ${ring.id} has no token that a taint could end`, {
    got: key.state,
    allowed: ['STANDBY', 'ACTIVE', 'VERIFY_ONLY', 'OBSERVED', 'SUSPECT', 'DENIED'],
    fix: 'nothing: its tokens are over',
  });
}

async function prepare(ring: string, { functions }: CommandPorts<'ring taint'>): Promise<string | undefined> {
  try {
    return (await inTurn(() => functions.invoke('rotator', { op: 'prepare', ring }))).kid;
  } catch (error) {
    if (!isCurfewError(error, 'ERR_NO_SUCCESSOR')) throw error;
    throw new CurfewError(error.code, error.message, {
      fix: `stop it with \`curfew ring halt ${ring}\` until one is ready; ${error.fix}`,
      cause: error,
    });
  }
}

/** Until no signature under the old key can be in flight; only then may KMS be told to disable it. */
async function drain(ring: Ring, { clock }: Pick<CommandPorts<'ring taint'>, 'clock'>, progress: Progress) {
  progress(`waiting ${span(ring.cfg.drainSeconds)} for signatures that are under way`);
  await clock.sleep(ring.cfg.drainSeconds);
}

const NEVER_IN_KMS = 'not in KMS';

/** What KMS did not tell is no word for it. */
function cannotSign(kms: string): boolean {
  return ['Disabled', 'PendingDeletion', 'NotFound', NEVER_IN_KMS].includes(kms);
}

/** KMS's own word for the key; a legacy key it never held. */
async function kmsStateAfterDisable(
  { functions }: Pick<CommandPorts<'ring rotate'>, 'functions'>,
  request: { readonly op: 'disable-old'; readonly ring: string; readonly prepared?: string },
  { kid, kind }: KeyRecord,
): Promise<string> {
  const { disabled = [] } = await inTurn(() => functions.invoke('rotator', request));
  return disabled.find((key) => key.kid === kid)?.state ?? (kind === 'legacy' ? NEVER_IN_KMS : 'not told');
}

async function runPass(
  { functions }: Pick<CommandPorts<'ring taint'>, 'functions'>,
  batches: readonly WaveBatch[],
  pass: number,
  progress: Progress,
) {
  const sum = { found: 0, resigned: 0 };
  await Promise.all(
    batches.map(async (batch) => {
      try {
        const { found, resigned } = await functions.invoke('resigner', { ...batch, pass });
        sum.found += found;
        sum.resigned += resigned;
      } catch (error) {
        // Another emergency replaced the key that the wave re-signs under: the wave has moved on with it, the shards of
        // this batch count as not done, and the next pass does them.
        if (!isCurfewError(error, 'ERR_KEY_STATE')) throw error;
        progress(`pass ${pass}: ${error.message}`);
      }
    }),
  );
  return sum;
}

/** A tick, a departure or another person was faster, and moved the ring on: what was asked is asked of what is there now. */
async function inTurn<T>(ask: () => Promise<T>): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await ask();
    } catch (error) {
      if (!isCurfewError(error, 'ERR_CONDITION_FAILED') || n === RACES_MAX) throw error;
    }
  }
}
