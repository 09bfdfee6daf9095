/** The life of a ring as a whole: born, changed, halted, closed; each change one transaction under the fence (`fence.ts`). */

import { CurfewError } from '../base/errors';
import { put } from '../store/entity';
import { GATE, GATES, RING_ENTRY, RING_HEAD } from '../store/ring-head';
import { ROW_ABSENT, valuesOf } from '../store/table';
import { type RingSettings, settingsSha } from './configuration';
import { change, fenced, is, type KeysWrite, outbox } from './fence';
import { activeKey, longestTtl, type Ring, verifyUntilOf } from './ring';
import { isClosed } from './rotation';

/** A ring is born: only HEAD, nothing to sign with yet; the plan does the rest, as at each tick. */
export function createRing(id: string, cfg: RingSettings, now: number): KeysWrite[] {
  const head = { activations: 0, fence: 1, halted: false, cfg, cfgSha: settingsSha(cfg) };
  return [
    put(RING_HEAD, [id], head, ROW_ABSENT),
    put(RING_ENTRY, [id], {}),
    ...Array.from({ length: GATES }, (_, n) => put(GATE, [id, n], { halted: false })),
    ...outbox(id, 1, now, [{ type: 'ring.created', body: valuesOf(cfg) }]),
  ];
}

/** alg, iss and aud of a live ring cannot change: tokens out there carry them. That is a new ring. */
export function updateRing(ring: Ring, cfg: RingSettings, now: number): KeysWrite[] {
  for (const name of ['alg', 'iss', 'aud'] as const)
    if (ring.cfg[name] !== cfg[name])
      throw new CurfewError('ERR_RING_IMMUTABLE', `${name} of ring ${ring.id} cannot change`, {
        got: cfg[name],
        allowed: ring.cfg[name],
        fix: 'deploy a new ring with another id beside it, move the verifiers, then remove this one',
      });
  if (settingsSha(cfg) === ring.cfgSha) return [];
  // What was issued under the longer life is to be good for as long as it says.
  const maxTtlSeconds = Math.max(activeKey(ring)?.maxTtlSeconds ?? ring.cfg.maxTtlSeconds, cfg.maxTtlSeconds);
  const lives =
    ring.activeKid === undefined ? [] : [change(ring, ring.activeKid, { maxTtlSeconds }, [is('state', 'ACTIVE')])];
  return fenced(ring, now, [{ type: 'ring.updated', body: valuesOf(cfg) }], lives, {
    set: { cfg, cfgSha: settingsSha(cfg) },
  });
}

/** Nothing is issued from this transaction on: whoever is about to, tests `halted` in the one that releases the token. */
export function halt(ring: Ring, halted: boolean, reason: string, now: number): KeysWrite[] {
  if (ring.halted === halted) return [];
  const body = { activeKid: ring.activeKid, reason };
  return fenced(ring, now, [{ type: halted ? 'ring.halted' : 'ring.resumed', body }], [], { set: { halted } });
}

/** The first of the two steps of a removal, or its withdrawal while there still is a key to issue with. */
export function close(ring: Ring, closing: boolean, now: number): KeysWrite[] {
  if (closing === (ring.closingAt !== undefined)) return [];
  if (closing) {
    const body = {
      activeKid: ring.activeKid,
      verifyUntil: verifyUntilOf(now, { ...ring.cfg, maxTtlSeconds: longestTtl(ring) }),
    };
    return fenced(ring, now, [{ type: 'ring.closing', body }], [], { set: { closingAt: now } });
  }
  if (isClosed(ring))
    throw new CurfewError('ERR_RING_CLOSING', `ring ${ring.id} is closed, and does not open again`, {
      got: { closing },
      allowed: { closing: true },
      fix: 'deploy a new ring with another id, and remove this one',
    });
  const reason = 'closing was withdrawn';
  return fenced(ring, now, [{ type: 'ring.resumed', body: { activeKid: ring.activeKid, reason } }], [], {
    remove: ['closingAt'],
  });
}

/** Every key at once: RETIRED, out of the JWKS, and no key issues any more. The plan then disables what KMS has enabled. */
export function retireRing(ring: Ring, now: number): KeysWrite[] {
  const ending = ring.keys.filter(({ state }) => state !== 'RETIRED' && state !== 'DENIED');
  return fenced(
    ring,
    now,
    ending.map(({ kid, state }) => ({ type: 'key.retired', body: { kid, from: state } })),
    ending.map(({ kid, state }) =>
      change(ring, kid, { state: 'RETIRED', inJwks: false, ...(state === 'ACTIVE' && { deactivatedAt: now }) }, [
        is('state', state),
      ]),
    ),
    { remove: ['activeKid'] },
  );
}
