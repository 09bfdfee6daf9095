/**
 * `curfew ring rotate | taint | halt | resume`: what people change of a ring by hand. The Lambdas change it; this asks
 * them in the order of a departure. Each is safe to ask again where a call before was cut short, because every step is.
 */
import { loadRing } from '../../lambdas/keys/load-ring';
import { CurfewError, isCurfewError } from '../../lib/domain/errors';
import { KID_PATTERN } from '../../lib/domain/keys/jwk';
import { findKey, type Ring, type TaintClass } from '../../lib/domain/keys/ring';
import { RING_ID_PATTERN } from '../../lib/domain/keys/ring-config';
import { pointerKey } from '../../lib/domain/keys/ring-items';
import { span } from '../../lib/domain/time';
import type { WaveBatch } from '../../lib/domain/tokens/wave';
import type { Answer, CommandPorts, Progress } from './command';

const RACES_MAX = 5;

export interface TaintRequest {
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
  const { kid: to } = await inTurn(() => deps.functions.invoke('rotator', { op: 'rotate', ring: id, from, reason }));
  progress(`${to} issues; ${from} goes on verifying`);

  await drain(ring, deps, progress);
  const state = await kmsStateAfterFinish(deps, { op: 'finish', ring: id }, from);
  progress(`KMS says of ${from}: ${state}`);
  return {
    json: { ring: id, from, to, kms: state },
    text: `${id} rotated: ${from} -> ${to}`,
    exitCode: state === 'Enabled' ? 1 : 0,
  };
}

/** Ends a key as a departure would: taint, wave, deny, disable. */
export async function taintKey(
  deps: CommandPorts<'ring taint'>,
  request: TaintRequest,
  progress: Progress,
): Promise<Answer> {
  const { functions } = deps;
  const ring = await ringOfKid(request.kid, deps);
  const { kid } = request;
  refuseUnlessTaintable(ring, kid);

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
  const kms = await kmsStateAfterFinish(deps, { op: 'finish', ring: ring.id, prepared }, kid);

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
  const isEnded = state === 'DENIED' && kms !== 'Enabled';
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
  const { halted, activeKid } = await deps.functions.invoke('taint', { op, ring: id, reason });
  const asked = op === 'halt';
  const text = asked
    ? `${id} ${was ? 'was halted already' : 'is halted'}: nothing is issued; what was issued goes on being good`
    : `${id} ${was ? 'issues again' : 'was not halted'}, under ${activeKid ?? 'no key'}`;
  return { json: { ring: id, halted, activeKid }, text, exitCode: halted === asked ? 0 : 1 };
}

/** A kid is of one ring only; which one stands under its own name. */
async function ringOfKid(kid: string, deps: CommandPorts<'ring taint'>): Promise<Ring> {
  const pointer = KID_PATTERN.test(kid) ? await deps.tables.get('keys', pointerKey(kid)) : undefined;
  if (typeof pointer?.ring === 'string') return loadRing(deps, pointer.ring);
  throw new CurfewError('ERR_NOT_FOUND', 'no ring has a key of that kid', {
    got: kid,
    fix: 'give the kid whole, as `curfew ring show RING` has it',
  });
}

/** Told before anything is prepared for it. */
function refuseUnlessTaintable(ring: Ring, kid: string): void {
  const { state } = findKey(ring, kid);
  if (state !== 'STANDBY' && state !== 'RETIRED') return;
  throw new CurfewError('ERR_KEY_STATE', `key ${kid} of ring ${ring.id} has no token that a taint could end`, {
    got: state,
    allowed: ['ACTIVE', 'VERIFY_ONLY', 'OBSERVED', 'SUSPECT', 'DENIED'],
    fix: state === 'STANDBY' ? 'disable it in KMS: the rotator then takes another one' : 'nothing: its tokens are over',
  });
}

async function prepare(ring: string, { functions }: CommandPorts<'ring taint'>): Promise<string | undefined> {
  try {
    return (await inTurn(() => functions.invoke('rotator', { op: 'prepare', ring }))).kid;
  } catch (error) {
    if (!isCurfewError(error, 'ERR_KEY_NOT_PUBLISHED')) throw error;
    throw new CurfewError(error.code, error.message, {
      fix: `stop it with \`curfew ring halt ${ring}\` until one is ready; ${error.fix}`,
      cause: error,
    });
  }
}

/** Until no signature under the old key can be in flight; only then may KMS be told to disable it. */
async function drain(ring: Ring, { clock }: Pick<CommandPorts<'ring taint'>, 'clock'>, progress: Progress) {
  progress(`waiting ${span(ring.cfg.drain)} for signatures that are under way`);
  await clock.sleep(ring.cfg.drain);
}

/** KMS's own word for the key; a legacy key it never held. */
async function kmsStateAfterFinish(
  { functions }: Pick<CommandPorts<'ring rotate'>, 'functions'>,
  request: { readonly op: 'finish'; readonly ring: string; readonly prepared?: string },
  kid: string,
): Promise<string> {
  const { disabled = [] } = await inTurn(() => functions.invoke('rotator', request));
  return disabled.find((key) => key.kid === kid)?.state ?? 'not in KMS';
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
