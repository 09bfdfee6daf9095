/** `curfew ring show RING | taint RING KID`: what each key is, until when, and what happens next. */
import { loadRing } from '../../lambdas/keys/load-ring';
import { CurfewError } from '../../lib/domain/errors';
import { type KeyRecord, RING_ID_PATTERN, type Ring, type TaintClass } from '../../lib/domain/keys/ring';
import { planRotation } from '../../lib/domain/keys/rotation';
import type { WaveBatch } from '../../lib/domain/tokens/wave';
import type { Instance } from '../instance';
import { instant, table } from '../terminal';

export async function showRing(instance: Instance, id: string) {
  const ring = await loadRing(instance, parseRingId(id));
  const now = instance.clock.now();
  const next = planRotation(ring, now);
  // All that is on record of a key; none of it is secret.
  const { activeKid, halted, cfg, keys } = ring;
  return {
    json: { ring: id, activeKid, halted, cfg, keys, next },
    text: format(ring, next ? Object.values(next).join(' ') : whenNext(ring)),
  };
}

/**
 * Ends a key by hand, as a departure would: taint, wave, deny, disable. Shows progress; safe to call again where a
 * call before was cut short, because every step is.
 */
export async function endKey(
  instance: Instance,
  request: { ring: string; kid: string; class: TaintClass; reason: string },
  progress: (line: string) => void,
) {
  const { ring: id, kid } = request;
  const ring = await loadRing(instance, parseRingId(id));
  const { functions, clock } = instance;

  const successor =
    kid === ring.activeKid ? (await functions.invoke('rotator', { op: 'prepare', ring: id })).kid : undefined;
  if (successor) progress(`prepared ${successor}`);
  const { batches } = await functions.invoke('taint', {
    op: 'taint',
    ring: id,
    targets: [{ kid, class: request.class, reason: request.reason }],
    successor,
  });
  await functions.invoke('publisher', { ring: id });
  progress(`SUSPECT: only tokens in the ledger count (${request.class})`);

  await functions.invoke('committer', {});
  const first = await runPass(instance, batches, 1);
  progress(`pass 1: ${first.resigned} tokens re-signed`);
  await clock.sleep(ring.cfg.drain);
  await functions.invoke('rotator', { op: 'finish', ring: id });

  for (let pass = 2, pending: readonly WaveBatch[] = batches; pending.length > 0; pass++) {
    const { found } = await runPass(instance, pending, pass);
    progress(`pass ${pass}: ${found} left`);
    pending = (await functions.invoke('taint', { op: 'deny', ring: id, kids: [kid] })).batches;
  }
  await functions.invoke('publisher', { ring: id });
  await functions.invoke('committer', {});
  const state = (await loadRing(instance, id)).keys.find((key) => key.kid === kid)?.state;
  progress(
    state === 'DENIED'
      ? 'DENIED: no token of it is good any more'
      : `${state}: holders may still collect; run this again after collectGrace`,
  );
  return { kid, state, resigned: first.resigned };
}

async function runPass({ functions }: Instance, batches: readonly WaveBatch[], pass: number) {
  const counts = await Promise.all(batches.map((batch) => functions.invoke('resigner', { ...batch, pass })));
  return {
    found: counts.reduce((sum, { found }) => sum + found, 0),
    resigned: counts.reduce((sum, { resigned }) => sum + resigned, 0),
  };
}

function format(ring: Ring, next: string): string {
  const rows = ring.keys.map((key) => [
    key.kid.slice(0, 12),
    key.state + (key.taint ? ` (${key.taint.class})` : ''),
    key.kind === 'legacy' ? 'legacy' : (key.kmsState ?? ''),
    key.inJwks ? 'in JWKS' : '',
    key.kind === 'kms' ? instant(key.signUntil) : '',
    instant(key.verifyUntil),
    lifeOf(key),
  ]);
  const head = ['kid', 'state', 'KMS', 'published', 'signs until', 'verifies until', 'life'];
  return [
    `ring ${ring.id}  ${ring.cfg.iss}  ${ring.cfg.aud}  ${ring.cfg.alg}${ring.halted ? '  HALTED' : ''}`,
    '',
    table(head, rows),
    '',
    `next: ${next}`,
  ].join('\n');
}

function lifeOf({ bornAt, activatedAt, deactivatedAt, taint, deniedAt }: KeyRecord): string {
  const steps = { born: bornAt, active: activatedAt, stopped: deactivatedAt, tainted: taint?.at, denied: deniedAt };
  return Object.entries(steps)
    .filter(([, at]) => at !== undefined)
    .map(([what, at]) => `${what} ${instant(at as number).slice(5, 16)}`)
    .join(' > ');
}

function whenNext(ring: Ring): string {
  const active = ring.keys.find(({ kid }) => kid === ring.activeKid);
  return active?.activatedAt === undefined
    ? 'nothing is due'
    : `rotation at ${instant(active.activatedAt + ring.cfg.period)}`;
}

function parseRingId(id: string): string {
  if (RING_ID_PATTERN.test(id)) return id;
  throw new CurfewError('ERR_INPUT_INVALID', 'that is no ring id', { got: id, allowed: String(RING_ID_PATTERN) });
}
