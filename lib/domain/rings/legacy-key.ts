/** The public keys of the issuer before us: adopted OBSERVED, ended by a taint or by their date, never ACTIVE. */

import { CurfewError } from '../base/errors';
import { put } from '../store/entity';
import { SHARDS } from '../store/ledger';
import { KID_POINTER, RING_KEY } from '../store/ring-key';
import { ROW_ABSENT, valuesOf } from '../store/table';
import type { LegacyKeyConfig } from './configuration';
import { change, fenced, is, type KeysWrite } from './fence';
import { findKey, type KeyRecord, type Ring } from './ring';

/** An exportable key must not stay good for years; an operator who needs longer asks again. */
const LEGACY_SECONDS_MAX = 366 * 86_400;

/** The public key of the issuer before us. OBSERVED: its tokens are accepted and should be recorded. */
export function adoptLegacyKey(ring: Ring, { jwk, verifyUntil, approver }: LegacyKeyConfig, now: number): KeysWrite[] {
  if (verifyUntil > now + LEGACY_SECONDS_MAX)
    throw new CurfewError('ERR_RING_LIMIT', `legacy key ${jwk.kid} of ring ${ring.id} would be accepted for too long`, {
      got: verifyUntil,
      allowed: `${now + LEGACY_SECONDS_MAX} at the latest: a year from now`,
      fix: 'give it an earlier end, and have its holders exchange their tokens before it',
    });
  const key: KeyRecord = {
    kid: jwk.kid,
    state: 'OBSERVED',
    kind: 'legacy',
    alg: jwk.alg,
    jwk,
    slot: 0,
    shards: SHARDS,
    bornAt: now,
    confirmedAt: now,
    signUntil: 0,
    verifyUntil,
    windows: [{ iatFrom: 0, iatTo: verifyUntil }],
    inJwks: true,
  };
  const body = { kid: jwk.kid, kind: 'legacy', alg: jwk.alg, verifyUntil, jwk: { ...jwk }, approver };
  return fenced(
    ring,
    now,
    [{ type: 'key.adopted', body }],
    [put(RING_KEY, [ring.id, jwk.kid], key, ROW_ABSENT), put(KID_POINTER, [jwk.kid], { ring: ring.id }, ROW_ABSENT)],
  );
}

/** A legacy key may only end sooner than was agreed. */
export function shortenLegacyKey(
  ring: Ring,
  { jwk, verifyUntil, approver }: LegacyKeyConfig,
  now: number,
): KeysWrite[] {
  const known = findKey(ring, jwk.kid);
  if (verifyUntil === known.verifyUntil || known.state !== 'OBSERVED') return [];
  checkNotLater(ring, known, verifyUntil);
  return fenced(
    ring,
    now,
    [{ type: 'key.adopted', body: { kid: jwk.kid, kind: 'legacy', verifyUntil, approver } }],
    [change(ring, jwk.kid, { verifyUntil, windows: [{ iatFrom: 0, iatTo: verifyUntil }] }, [is('state', 'OBSERVED')])],
  );
}

function checkNotLater(ring: Ring, known: KeyRecord, verifyUntil: number): void {
  if (known.state === 'OBSERVED' && verifyUntil > known.verifyUntil)
    throw new CurfewError(
      'ERR_RING_IMMUTABLE',
      `the end of legacy key ${known.kid} of ring ${ring.id} cannot move later`,
      {
        got: verifyUntil,
        allowed: `${known.verifyUntil} or earlier`,
        fix: 'give that end; its holders exchange their tokens before it: `curfew ring taint` re-signs what was recorded',
      },
    );
}

/**
 * CloudFormation takes a failed update back and sends the configuration from before it: without the key that the update
 * adopted, or with the later end. Nothing about legacy keys changes then, and the ring's record says which ones stay.
 */
export function keepLegacyKeys(ring: Ring, now: number): KeysWrite[] {
  const legacyKeysKept = ring.keys
    .filter(({ state }) => state === 'OBSERVED')
    .map(({ kid, verifyUntil }) => ({ kid, verifyUntil }));
  return fenced(ring, now, [{ type: 'ring.updated', body: { ...valuesOf(ring.cfg), legacyKeysKept } }], []);
}

/** Refuses a configuration that would drop a legacy key or let one end later, before any of them changes. */
export function checkLegacyKeys(ring: Ring, given: readonly LegacyKeyConfig[], now: number): void {
  checkLegacyKeysKept(ring, given, now);
  for (const { jwk, verifyUntil } of given) {
    const known = ring.keys.find(({ kid }) => kid === jwk.kid);
    if (known) checkNotLater(ring, known, verifyUntil);
  }
}

/** A legacy key leaves a ring by a taint, or by its date, and not by being left out of the configuration. */
function checkLegacyKeysKept(ring: Ring, kept: readonly LegacyKeyConfig[], now: number): void {
  const gone = ring.keys.find(
    ({ state, kid, verifyUntil }) =>
      state === 'OBSERVED' && now <= verifyUntil && !kept.some(({ jwk }) => jwk.kid === kid),
  );
  if (gone)
    throw new CurfewError(
      'ERR_RING_IMMUTABLE',
      `the tokens of legacy key ${gone.kid} of ring ${ring.id} are still accepted`,
      {
        got: 'left out of legacyKeys',
        fix: `name it again, or \`curfew ring taint ${gone.kid}\` first, then leave it out`,
      },
    );
}
