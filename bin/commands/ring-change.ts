/**
 * `curfew ring rotate | halt | resume`: what people change of a ring by hand, beside ending a key (ring-taint.ts). The
 * Lambdas change it; this asks them. Each is safe to ask again where a call before was cut short, because every step is.
 */

import { CurfewError, isCurfewError } from '../../lib/domain/base/errors';
import { span } from '../../lib/domain/base/time';
import { RING_ID_PATTERN } from '../../lib/domain/rings/configuration';
import { cannotSign } from '../../lib/domain/rings/ending';
import { findKey, type KeyRecord, type Ring } from '../../lib/domain/rings/ring';
import { disableOldKeys } from '../../lib/work/rings/ending';
import { loadRing } from '../../lib/work/rings/load-ring';
import { inTurn } from '../../lib/work/transactions';
import type { Answer, CommandPorts, Progress } from './command';

export function parseRingId(id: string): string {
  if (RING_ID_PATTERN.test(id)) return id;
  throw new CurfewError('ERR_INPUT_INVALID', 'the ring id has the wrong form', {
    got: id,
    allowed: String(RING_ID_PATTERN),
    fix: '`curfew ring list` shows the ring ids',
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
  const isWhole = unfinished === undefined && isStopped(state);
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
  /** The key that issues now; undefined if not known. */
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
    return {
      to: (await inTurn(`ring ${request.ring}`, () => deps.functions.invoke('rotator', { op: 'rotate', ...request })))
        .kid,
    };
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
    progress(`waiting ${span(ring.cfg.drainSeconds)} for signatures that are under way`);
    // Only then may KMS be told to disable it: until then a signature under the old key may be in flight.
    await deps.clock.sleep(ring.cfg.drainSeconds);
    const disabled = await inTurn(`ring ${ring.id}`, () => disableOldKeys(ring.id, undefined, deps));
    const state = kmsWordOn(findKey(ring, from), disabled);
    progress(`KMS says of ${from}: ${state}`);
    return { state };
  } catch (error) {
    return { state: 'not looked at', unfinished: inWords(error) };
  }
}

function inWords(error: unknown): string {
  return isCurfewError(error) ? `${error.message} (${error.code})` : String(error);
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

/** What KMS said of a key that it never held. */
const NEVER_IN_KMS = 'not in KMS';

/** What KMS did not tell is no word for it. */
export function isStopped(kms: string): boolean {
  return cannotSign(kms) || kms === NEVER_IN_KMS;
}

/** KMS's own word for the key; a legacy key it never held. */
export function kmsWordOn(
  { kid, kind }: KeyRecord,
  disabled: readonly { readonly kid: string; readonly state: string }[],
): string {
  return disabled.find((key) => key.kid === kid)?.state ?? (kind === 'legacy' ? NEVER_IN_KMS : 'not told');
}
