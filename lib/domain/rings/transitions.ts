import { CurfewError } from '../base/errors';
import { put } from '../store/entity';
import { SHARDS } from '../store/ledger';
import { KID_POINTER, RING_KEY, SLOT } from '../store/ring-key';
import { ROW_ABSENT, type Test } from '../store/table';
import { WAVE } from '../store/wave';
import { change, fenced, is, type KeysWrite, type RecordDraft } from './fence';
import type { PolicyState } from './key-policy';
import { mayActivate } from './obstacles';
import {
  activeKey,
  findKey,
  type KeyRecord,
  type Ring,
  type Slot,
  signUntilOf,
  verifyUntilOf,
  type Wave,
  type Window,
} from './ring';

/** Slots are written before CreateKey, which has no idempotency token: a crash leaves a tag to look for. */
export function reserveSlot(ring: Ring, slot: number, nonce: string, now: number): KeysWrite[] {
  const intent: Slot = { slot, state: 'INTENT', at: now, nonce, signUntil: signUntilOf(now, ring.cfg.periodSeconds) };
  return [put(SLOT, [ring.id, slot], intent, ROW_ABSENT)];
}

/** Written before CreateKey: whoever comes later looks for the key of a call whose answer was lost. */
export function markTried(ring: Ring, slot: number, now: number): KeysWrite[] {
  return [
    {
      kind: 'update',
      table: 'keys',
      key: SLOT.key(ring.id, slot),
      set: { triedAt: now },
      if: [is('state', 'INTENT')],
    },
  ];
}

export function slotCreated(
  ring: Ring,
  slot: number,
  key: Required<Pick<Slot, 'kmsKeyArn' | 'jwk' | 'policySha256'>>,
): KeysWrite[] {
  return [
    {
      kind: 'update',
      table: 'keys',
      key: SLOT.key(ring.id, slot),
      set: { ...key, state: 'CREATED', jwk: { ...key.jwk } },
      if: [is('state', 'INTENT')],
    },
  ];
}

/** The key was disabled and read back before this: a STANDBY is KMS-disabled from birth. */
export function adoptKey(ring: Ring, slot: Slot, now: number): KeysWrite[] {
  const { jwk, signUntil } = slot;
  if (!jwk)
    throw new CurfewError('ERR_KEY_STATE', `slot ${slot.slot} of ring ${ring.id} has no key to adopt`, {
      got: slot.state,
    });
  const key: KeyRecord = {
    kid: jwk.kid,
    state: 'STANDBY',
    kind: 'kms',
    kmsKeyArn: slot.kmsKeyArn,
    alg: ring.cfg.alg,
    jwk,
    slot: slot.slot,
    shards: SHARDS,
    bornAt: slot.at,
    signUntil,
    verifyUntil: verifyUntilOf(signUntil, ring.cfg),
    windows: [],
    inJwks: true,
    kmsState: 'Disabled',
    policySha256: slot.policySha256,
  };
  const { kid, alg, bornAt, verifyUntil } = key;
  const body = {
    kid,
    kind: 'kms',
    alg,
    bornAt,
    signUntil,
    verifyUntil,
    jwk: { ...jwk },
    policySha256: slot.policySha256,
  };
  return fenced(
    ring,
    now,
    [{ type: 'key.adopted', body }],
    [
      put(RING_KEY, [ring.id, kid], key, ROW_ABSENT),
      put(KID_POINTER, [kid], { ring: ring.id }, ROW_ABSENT),
      {
        kind: 'update',
        table: 'keys',
        key: SLOT.key(ring.id, slot.slot),
        set: { state: 'ADOPTED', adoptedAt: now },
        if: [is('state', 'CREATED')],
      },
    ],
  );
}

export function markSwept(ring: Ring, slot: number, now: number): KeysWrite[] {
  return [
    {
      kind: 'update',
      table: 'keys',
      key: SLOT.key(ring.id, slot),
      set: { sweptAt: now },
      if: [is('state', 'ADOPTED')],
    },
  ];
}

/** The kid was seen in the JWKS as served. */
export function markConfirmed(ring: Ring, kid: string, now: number): KeysWrite[] {
  return fenced(
    ring,
    now,
    [{ type: 'key.confirmed', body: { kid } }],
    [change(ring, kid, { confirmedAt: now }, [{ attribute: 'confirmedAt', is: 'absent' }])],
  );
}

/**
 * Written before EnableKey is called. If we stop in between, the key is disabled but said to be enabled, and the
 * next tick disables it once more: harmless. The other way round a crash would leave an enabled key nobody knows of.
 */
export function markPrepared(ring: Ring, kid: string, now: number): KeysWrite[] {
  const settled: Test = { attribute: 'kmsState', is: '!=', value: 'Disabling' };
  return [change(ring, kid, { kmsState: 'Enabled', preparedAt: now }, [is('state', 'STANDBY'), settled])];
}

/**
 * After a probe signed with it. `Enabled` says what KMS was asked, perhaps a moment ago and by somebody else; a departure
 * that prepared this key long before must not activate it on that word.
 */
export function markProbed(ring: Ring, kid: string, now: number): KeysWrite[] {
  return [change(ring, kid, { probedAt: now }, [is('state', 'STANDBY'), is('kmsState', 'Enabled')])];
}

/**
 * Written before DisableKey is called on a STANDBY: from here on it cannot be activated, so no ring is ever left with
 * an ACTIVE key that somebody else was about to disable. If we stop in between, the next plan disables it.
 */
export function markDisabling(ring: Ring, kid: string): KeysWrite[] {
  return [change(ring, kid, { kmsState: 'Disabling' }, [is('state', 'STANDBY')])];
}

/** What the read-back of a key policy found, where it is news. From here on the plan takes no key that is not ours alone. */
export function markPolicy(ring: Ring, kid: string, policyState: PolicyState, now: number): KeysWrite[] {
  const { state, policySha256 } = findKey(ring, kid);
  return fenced(
    ring,
    now,
    [{ type: 'key.policy', body: { kid, state, policyState, written: policySha256 } }],
    [change(ring, kid, { policyState }, [is('state', state)])],
  );
}

/** KMS says Enabled of a key that we had disabled: another principal enabled it. The plan disables it again. */
export function markFoundEnabled(ring: Ring, kid: string, now: number): KeysWrite[] {
  const { state } = findKey(ring, kid);
  return fenced(
    ring,
    now,
    [{ type: 'key.enabled', body: { kid, state } }],
    [
      change(ring, kid, { kmsState: state === 'STANDBY' ? 'Disabling' : 'Enabled' }, [
        is('state', state),
        is('kmsState', 'Disabled'),
      ]),
    ],
  );
}

/** KMS says that the ACTIVE key cannot sign: a principal disabled it, or wants it deleted. The plan replaces it. */
export function markLost(ring: Ring, kid: string, found: string, now: number): KeysWrite[] {
  return fenced(
    ring,
    now,
    [{ type: 'key.disabled', body: { kid, state: 'ACTIVE', found } }],
    [change(ring, kid, { kmsState: 'Disabled' }, [is('state', 'ACTIVE')])],
  );
}

/** After a read-back that says Disabled. */
export function markDisabled(ring: Ring, kid: string, now: number): KeysWrite[] {
  const { state } = findKey(ring, kid);
  return fenced(
    ring,
    now,
    [{ type: 'key.disabled', body: { kid, state } }],
    [change(ring, kid, { kmsState: 'Disabled', disabledAt: now, probedAt: 0 }, [is('state', state)])],
  );
}

/** STANDBY → ACTIVE and, in the same transaction, ACTIVE → VERIFY_ONLY: one key issues, always exactly one. */
export function activate(ring: Ring, kid: string, now: number, reason?: string): KeysWrite[] {
  const { writes, drafts } = activation(ring, kid, now, { reason });
  const old = activeKey(ring);
  const oldWrite = old ? [change(ring, old.kid, leaving(ring, old, 'VERIFY_ONLY', now), [is('state', 'ACTIVE')])] : [];
  const waveWrites = ring.waves.filter(isOpen).map(({ fromKid }) => moveWave(ring, fromKid, { toKid: kid }));
  return fenced(ring, now, drafts, [...writes, ...oldWrite, ...waveWrites], {
    set: { activeKid: kid },
    add: { activations: 1 },
  });
}

export function retire(ring: Ring, kid: string, now: number): KeysWrite[] {
  const { state } = findKey(ring, kid);
  return fenced(
    ring,
    now,
    [{ type: 'key.retired', body: { kid, from: state } }],
    [change(ring, kid, { state: 'RETIRED', inJwks: false }, [is('state', state)])],
  );
}

/** What a key needs to become ACTIVE; it takes over the open waves too, which only the key that issues can do. */
export function activation(
  ring: Ring,
  kid: string,
  now: number,
  { waveWindows = [], reason }: { readonly waveWindows?: readonly Window[]; readonly reason?: string } = {},
) {
  const key = findKey(ring, kid);
  if (!mayActivate(ring, key, now))
    throw new CurfewError('ERR_NO_SUCCESSOR', `key ${kid} may not sign yet`, {
      got: { state: key.state, confirmedAt: key.confirmedAt, policyState: key.policyState },
      allowed: `STANDBY, policy as written, seen in the JWKS for ${ring.cfg.propagationSeconds + ring.cfg.cacheSeconds} s`,
      fix: 'wait for the propagation and the declared verifier caches',
    });
  if (key.kmsState !== 'Enabled' || !key.probedAt)
    throw new CurfewError('ERR_KEY_STATE', `key ${kid} of ring ${ring.id} was not prepared: KMS would refuse to sign`, {
      got: { kmsState: key.kmsState, probedAt: key.probedAt },
      allowed: 'Enabled, and probed',
      fix: 'prepare it again',
    });
  const open = ring.waves.filter(isOpen);
  const inherited = (activeKey(ring)?.windows ?? []).filter(({ wave }) => open.some(({ fromKid }) => fromKid === wave));
  const set = {
    state: 'ACTIVE' as const,
    activatedAt: now,
    maxTtlSeconds: ring.cfg.maxTtlSeconds,
    windows: [{ iatFrom: now, iatTo: key.signUntil }, ...inherited, ...waveWindows],
  };
  const seen: Test[] =
    ring.activations === 0
      ? [{ attribute: 'confirmedAt', is: 'present' }]
      : [{ attribute: 'confirmedAt', is: '<=', value: now - ring.cfg.propagationSeconds - ring.cfg.cacheSeconds }];
  const drafts: RecordDraft[] = [
    {
      type: 'key.activated',
      body: { kid, replaced: ring.activeKid, signUntil: key.signUntil, confirmedAt: key.confirmedAt, reason },
    },
  ];
  if (inherited.length > 0)
    drafts.push({ type: 'key.window', body: { kid, windows: inherited.map((window) => ({ ...window })) } });
  const proved: Test = { attribute: 'probedAt', is: '>', value: 0 };
  const tests = [is('state', 'STANDBY'), is('kmsState', 'Enabled'), proved, ...seen];
  return { writes: [change(ring, kid, set, tests)], drafts };
}

export function isOpen({ state }: Wave): boolean {
  return state === 'OPEN';
}

/** A wave ends under the key that issues; what its passes saw of another target does not count for this one. */
export function moveWave(
  ring: Ring,
  fromKid: string,
  { toKid, joinedBy }: { toKid: string; joinedBy?: string },
): KeysWrite {
  return {
    kind: 'update',
    table: 'keys',
    key: WAVE.key(ring.id, fromKid),
    set: { toKid },
    append: joinedBy === undefined ? undefined : { cases: [joinedBy] },
    if: [is('state', 'OPEN')],
  };
}

/** Leaving ACTIVE may only shorten how long the key verifies: until the last token it signed is over. */
export function leaving(ring: Ring, key: KeyRecord, state: 'VERIFY_ONLY' | 'SUSPECT', now: number) {
  const maxTtlSeconds = Math.max(key.maxTtlSeconds ?? 0, ring.cfg.maxTtlSeconds);
  const windows = key.windows.map((window) =>
    window.wave === undefined ? { ...window, iatTo: Math.min(window.iatTo, now) } : window,
  );
  return {
    state,
    deactivatedAt: now,
    windows,
    verifyUntil: Math.min(key.verifyUntil, verifyUntilOf(now, { ...ring.cfg, maxTtlSeconds })),
  };
}
