/** The key that issues for a ring, and under which settings: read consistently, and kept for as long as a drain can bear. */

import { CurfewError } from '../../domain/base/errors';
import { RING_ID_PATTERN, type RingSettings } from '../../domain/rings/configuration';
import type { KeyRecord } from '../../domain/rings/ring';
import { RING_HEAD } from '../../domain/store/ring-head';
import { RING_KEY } from '../../domain/store/ring-key';
import type { Clock, Tables } from '../../ports';

export interface Issuing {
  readonly key: KeyRecord;
  readonly cfg: RingSettings;
  /** HEAD.fence as read. */
  readonly fence: number;
}
type Reader = { readonly tables: Pick<Tables<'keys:get'>, 'get'>; readonly clock: Clock };

/**
 * Whole seconds. What is stale by then costs a signature that is not released, since the last transaction tests HEAD;
 * without it every token would read two items of one partition.
 */
const KEPT_SECONDS = 2;
/** By the ports of one warm Lambda. */
const kept = new WeakMap<Reader, Map<string, Issuing & { readonly at: number }>>();

/** @param fresh read again, whatever is kept: the last answer turned out to be old */
export async function issuingKey(ring: string, deps: Reader, fresh = false): Promise<Issuing> {
  const rings = kept.get(deps) ?? new Map<string, Issuing & { readonly at: number }>();
  kept.set(deps, rings);
  const known = rings.get(ring);
  const now = deps.clock.now();
  if (known && !fresh && now - known.at < KEPT_SECONDS) return known;
  rings.delete(ring);
  const read = await readIssuing(ring, deps);
  rings.set(ring, { ...read, at: now });
  return read;
}

async function readIssuing(ring: string, { tables }: Reader): Promise<Issuing> {
  const head = RING_ID_PATTERN.test(ring) ? await tables.get(RING_HEAD, ring) : undefined;
  if (!head) throw new CurfewError('ERR_NOT_FOUND', 'unknown ring', { got: ring });
  if (head.halted)
    throw new CurfewError('ERR_RING_HALTED', `issuance of ring ${ring} is halted`, {
      fix: 'ask again after a responder resumes the ring',
    });
  if (head.closingAt !== undefined)
    throw new CurfewError('ERR_RING_CLOSING', `ring ${ring} is closing and issues no more`, {
      fix: 'ask the ring that takes its place',
    });
  const key = head.activeKid === undefined ? undefined : await tables.get(RING_KEY, ring, head.activeKid);
  if (!key)
    throw new CurfewError('ERR_KEY_STATE', `ring ${ring} has no ACTIVE key`, {
      fix: 'ask again when the rotator has activated one',
    });
  return { key, cfg: head.cfg, fence: head.fence };
}
