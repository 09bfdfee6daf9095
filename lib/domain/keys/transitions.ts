/**
 * Every change of a ring, each one transaction: HEAD moves its fence on, if it still is the fence we read; the key
 * changes, if it still is in the state we read; and the record of it waits in the outbox. Two rotators, or a rotator
 * and a departure, can therefore never interleave: the second one's fence is stale, it reads again and asks again.
 */
import type { Json } from '../encoding';
import { CurfewError } from '../errors';
import type { EvidenceRecord, RecordType } from '../evidence/record';
import type { TaintTarget } from '../messages';
import { ITEM_ABSENT, ordered, type Test, type Value, type Write } from '../table';
import {
  activeKey,
  findKey,
  type KeyRecord,
  type LegacyKeyConfig,
  type Ring,
  type RingSettings,
  SHARDS,
  type Slot,
  settingsSha,
  signUntilOf,
  verifyUntilOf,
  type Wave,
  type Window,
} from './ring';
import { headKey, item, keyKey, outKey, pointerKey, slotKey, waveKey } from './ring-items';
import { mayActivate } from './rotation';

export type KeysWrite = Write<'keys:put' | 'keys:update' | 'keys:check'>;
type Fact = {
  readonly type: RecordType;
  readonly body: { readonly [name: string]: Json | undefined };
  readonly case?: string;
};
type Head = { readonly set?: { readonly [name: string]: Value }; readonly add?: { readonly [name: string]: number } };

/** A ring is born: only HEAD, nothing to sign with yet; the plan does the rest, as at each tick. */
export function createRing(id: string, cfg: RingSettings, now: number): KeysWrite[] {
  const head = item(headKey(id), { seq: 0, fence: 1, halted: false, cfg: { ...cfg }, cfgSha: settingsSha(cfg) });
  return [
    { kind: 'put', table: 'keys', item: head, if: ITEM_ABSENT },
    ...outbox(id, 1, now, [{ type: 'ring.created', body: { ...cfg } }]),
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
  return fenced(ring, now, [{ type: 'ring.updated', body: { ...cfg } }], [], {
    set: { cfg: { ...cfg }, cfgSha: settingsSha(cfg) },
  });
}

/** Slots are written before CreateKey, which has no idempotency token: a crash leaves a tag to look for. */
export function reserveSlot(ring: Ring, slot: number, now: number): KeysWrite[] {
  const intent: Slot = { slot, state: 'INTENT', at: now, signUntil: signUntilOf(now, ring.cfg.period) };
  return [{ kind: 'put', table: 'keys', item: item(slotKey(ring.id, slot), intent), if: ITEM_ABSENT }];
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
      key: slotKey(ring.id, slot),
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
      { kind: 'put', table: 'keys', item: item(keyKey(ring.id, kid), key), if: ITEM_ABSENT },
      { kind: 'put', table: 'keys', item: item(pointerKey(kid), { ring: ring.id }), if: ITEM_ABSENT },
      {
        kind: 'update',
        table: 'keys',
        key: slotKey(ring.id, slot.slot),
        set: { state: 'ADOPTED' },
        if: [is('state', 'CREATED')],
      },
    ],
  );
}

/** The public key of the issuer before us. OBSERVED: its tokens are accepted and should be recorded. */
export function adoptLegacyKey(ring: Ring, { jwk, verifyUntil, approver }: LegacyKeyConfig, now: number): KeysWrite[] {
  const key: KeyRecord = {
    kid: jwk.kid,
    state: 'OBSERVED',
    kind: 'legacy',
    alg: jwk.alg,
    jwk,
    slot: 0,
    shards: SHARDS,
    bornAt: now,
    publishedAt: now,
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
    [
      { kind: 'put', table: 'keys', item: item(keyKey(ring.id, jwk.kid), key), if: ITEM_ABSENT },
      { kind: 'put', table: 'keys', item: item(pointerKey(jwk.kid), { ring: ring.id }), if: ITEM_ABSENT },
    ],
  );
}

/** The kid was seen in the JWKS as served. */
export function markPublished(ring: Ring, kid: string, now: number): KeysWrite[] {
  return fenced(
    ring,
    now,
    [{ type: 'key.published', body: { kid } }],
    [change(ring, kid, { publishedAt: now }, [{ attribute: 'publishedAt', is: 'absent' }])],
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
 * Written before DisableKey is called on a STANDBY: from here on it cannot be activated, so no ring is ever left with
 * an ACTIVE key that somebody else was about to disable. If we stop in between, the next plan disables it.
 */
export function markDisabling(ring: Ring, kid: string): KeysWrite[] {
  return [change(ring, kid, { kmsState: 'Disabling' }, [is('state', 'STANDBY')])];
}

/** After a read-back that says Disabled. */
export function markDisabled(ring: Ring, kid: string, now: number): KeysWrite[] {
  const { state } = findKey(ring, kid);
  return fenced(
    ring,
    now,
    [{ type: 'key.disabled', body: { kid, state } }],
    [change(ring, kid, { kmsState: 'Disabled' }, [is('state', state)])],
  );
}

/** STANDBY → ACTIVE and, in the same transaction, ACTIVE → VERIFY_ONLY: one key issues, always exactly one. */
export function activate(ring: Ring, kid: string, now: number): KeysWrite[] {
  const { writes, facts } = activation(ring, kid, now);
  const old = activeKey(ring);
  const oldWrite = old ? [change(ring, old.kid, leaving(ring, old, 'VERIFY_ONLY', now), [is('state', 'ACTIVE')])] : [];
  const waveWrites = ring.waves.filter(isOpen).map(({ fromKid }) => moveWave(ring, fromKid, { toKid: kid }));
  return fenced(ring, now, facts, [...writes, ...oldWrite, ...waveWrites], {
    set: { activeKid: kid },
    add: { seq: 1 },
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

/**
 * Taints every target at once. An ACTIVE one is replaced in the same transaction: there is no instant without a key
 * that issues, and none at which a SUSPECT key still does. Each target gets one wave to the key that is ACTIVE
 * afterwards, and that key the window the wave needs, so that a re-signed token is good wherever the feed is known.
 * A target that is SUSPECT already is joined, not tainted twice; one that is over already stays as it is.
 */
export function taint(
  ring: Ring,
  targets: readonly TaintTarget[],
  successor: string | undefined,
  caseId: string | undefined,
  now: number,
): KeysWrite[] {
  const cases = caseId === undefined ? [] : [caseId];
  const standby = targets.find(({ kid }) => findKey(ring, kid).state === 'STANDBY');
  if (standby)
    throw new CurfewError(
      'ERR_KEY_STATE',
      `key ${standby.kid} of ring ${ring.id} never signed; there is nothing to taint`,
      {
        got: 'STANDBY',
        allowed: TAINTABLE,
        fix: 'disable it in KMS: the plan then takes another one',
      },
    );
  const fresh = targets.filter(({ kid }) => TAINTABLE.includes(findKey(ring, kid).state));
  const joined = targets.filter(({ kid }) => findKey(ring, kid).state === 'SUSPECT');
  const replaced = fresh.some(({ kid }) => kid === ring.activeKid);
  if (replaced && successor === undefined)
    throw new CurfewError('ERR_KEY_STATE', `key ${ring.activeKid} of ring ${ring.id} signs; it needs a successor`, {
      got: undefined,
      fix: 'prepare a STANDBY and name it',
    });
  const toKid = replaced ? (successor as string) : ring.activeKid;
  if (toKid === undefined) throw new CurfewError('ERR_KEY_STATE', `ring ${ring.id} has no key to re-sign under`);

  const waveWindows = fresh.map(({ kid }) => {
    const iatFrom = Math.max(0, now - ring.cfg.maxTtl - ring.cfg.skew);
    return { wave: kid, iatFrom, iatTo: now + ring.cfg.drain };
  });
  const writes: KeysWrite[] = [];
  const facts: Fact[] = [];

  for (const { kid, class: taintClass, reason } of fresh) {
    const key = findKey(ring, kid);
    const inJwks = taintClass === 'planned';
    const leavingActive = key.state === 'ACTIVE' ? leaving(ring, key, 'SUSPECT', now) : { state: 'SUSPECT' };
    const set = { ...leavingActive, inJwks, taint: { class: taintClass, reason, at: now, cases } };
    writes.push(change(ring, kid, set, [is('state', key.state)]));
    const wave = { fromKid: kid, toKid, state: 'OPEN', openedAt: now, cases };
    writes.push({ kind: 'put', table: 'keys', item: item(waveKey(ring.id, kid), wave), if: ITEM_ABSENT });
    facts.push({
      type: 'key.tainted',
      case: caseId,
      body: { kid, class: taintClass, reason, from: key.state, cases, toKid },
    });
  }
  const moved = new Set(replaced ? ring.waves.filter(isOpen).map(({ fromKid }) => fromKid) : []);
  for (const { kid } of joined) {
    const known = findKey(ring, kid).taint;
    if (caseId === undefined || !known || known.cases.includes(caseId)) continue;
    const all = [...known.cases, caseId];
    writes.push(change(ring, kid, { taint: { ...known, cases: all } }, [is('state', 'SUSPECT')]));
    writes.push(moveWave(ring, kid, { toKid, joinedBy: caseId }));
    moved.delete(kid);
    facts.push({
      type: 'key.tainted',
      case: caseId,
      body: { kid, class: known.class, reason: known.reason, from: 'SUSPECT', cases: all, toKid },
    });
  }
  if (writes.length === 0) return [];

  if (waveWindows.length > 0)
    facts.push({ type: 'key.window', case: caseId, body: { kid: toKid, windows: waveWindows } });
  if (replaced) {
    const successorChange = activation(ring, toKid, now, waveWindows);
    writes.push(...successorChange.writes, ...[...moved].map((fromKid) => moveWave(ring, fromKid, { toKid })));
    return fenced(ring, now, [...facts, ...successorChange.facts], writes, {
      set: { activeKid: toKid },
      add: { seq: 1 },
    });
  }
  if (waveWindows.length > 0)
    writes.push(
      change(ring, toKid, { windows: [...findKey(ring, toKid).windows, ...waveWindows] }, [is('state', 'ACTIVE')]),
    );
  return fenced(ring, now, facts, writes);
}

const TAINTABLE = ['ACTIVE', 'VERIFY_ONLY', 'OBSERVED'];

/** What the last pass of a wave came to; the root commits to every (H(jti), old digest, new digest). */
export interface WaveResult {
  readonly passes: number;
  readonly source: number;
  readonly done: number;
  readonly excluded: Readonly<Record<string, number>>;
  readonly root: string;
}

/** SUSPECT → DENIED, terminal. Only once a second pass, after the drain, found nothing left to re-sign. */
export function deny(ring: Ring, kid: string, result: WaveResult, now: number): KeysWrite[] {
  const key = findKey(ring, kid);
  const wave = ring.waves.find(({ fromKid }) => fromKid === kid);
  const cases = key.taint?.cases ?? [];
  const facts: Fact[] = [
    {
      type: 'wave.completed',
      case: cases[0],
      body: { kid, wave: kid, fromKid: kid, toKid: wave?.toKid, cases, ...result, excluded: { ...result.excluded } },
    },
    { type: 'key.denied', case: cases[0], body: { kid, class: key.taint?.class, cases } },
  ];
  return fenced(ring, now, facts, [
    change(ring, kid, { state: 'DENIED', deniedAt: now, inJwks: false }, [is('state', 'SUSPECT')]),
    {
      kind: 'update',
      table: 'keys',
      key: waveKey(ring.id, kid),
      set: { state: 'DONE', ...result },
      if: [is('state', 'OPEN')],
    },
  ]);
}

/** What a key needs to become ACTIVE; it takes over the open waves too, which only the key that issues can do. */
function activation(ring: Ring, kid: string, now: number, waveWindows: readonly Window[] = []) {
  const key = findKey(ring, kid);
  if (!mayActivate(ring, key, now))
    throw new CurfewError('ERR_KEY_NOT_PUBLISHED', `key ${kid} may not sign yet`, {
      got: { state: key.state, publishedAt: key.publishedAt },
      allowed: `STANDBY, seen in the JWKS for ${ring.cfg.prop + ring.cfg.cache} s`,
      fix: 'wait for the propagation and the declared verifier caches',
    });
  if (key.kmsState !== 'Enabled')
    throw new CurfewError('ERR_KEY_STATE', `key ${kid} of ring ${ring.id} was not prepared: KMS would refuse to sign`, {
      got: key.kmsState,
      allowed: 'Enabled',
      fix: 'prepare it again',
    });
  const open = ring.waves.filter(isOpen);
  const inherited = (activeKey(ring)?.windows ?? []).filter(({ wave }) => open.some(({ fromKid }) => fromKid === wave));
  const set = {
    state: 'ACTIVE',
    activatedAt: now,
    windows: [{ iatFrom: now, iatTo: key.signUntil }, ...inherited, ...waveWindows],
  };
  const seen: Test[] =
    ring.seq === 0
      ? [{ attribute: 'publishedAt', is: 'present' }]
      : [{ attribute: 'publishedAt', is: '<=', value: now - ring.cfg.prop - ring.cfg.cache }];
  const facts: Fact[] = [
    {
      type: 'key.activated',
      body: { kid, replaced: ring.activeKid, signUntil: key.signUntil, publishedAt: key.publishedAt },
    },
  ];
  if (inherited.length > 0)
    facts.push({ type: 'key.window', body: { kid, windows: inherited.map((window) => ({ ...window })) } });
  const tests = [is('state', 'STANDBY'), is('kmsState', 'Enabled'), ...seen];
  return { writes: [change(ring, kid, set, tests)], facts };
}

function isOpen({ state }: Wave): boolean {
  return state === 'OPEN';
}

/** A wave ends under the key that issues; what its passes saw of another target does not count for this one. */
function moveWave(ring: Ring, fromKid: string, { toKid, joinedBy }: { toKid: string; joinedBy?: string }): KeysWrite {
  return {
    kind: 'update',
    table: 'keys',
    key: waveKey(ring.id, fromKid),
    set: { toKid },
    append: joinedBy === undefined ? undefined : { cases: [joinedBy] },
    if: [is('state', 'OPEN')],
  };
}

/** Leaving ACTIVE may only shorten how long the key verifies: until the last token it signed is over. */
function leaving(ring: Ring, key: KeyRecord, state: 'VERIFY_ONLY' | 'SUSPECT', now: number) {
  const windows = key.windows.map((window) =>
    window.wave === undefined ? { ...window, iatTo: Math.min(window.iatTo, now) } : window,
  );
  return { state, deactivatedAt: now, windows, verifyUntil: Math.min(key.verifyUntil, verifyUntilOf(now, ring.cfg)) };
}

function change(ring: Ring, kid: string, set: { readonly [name: string]: unknown }, tests: readonly Test[]): KeysWrite {
  return { kind: 'update', table: 'keys', key: keyKey(ring.id, kid), set: set as { [name: string]: Value }, if: tests };
}

function is(attribute: string, value: string): Test {
  return { attribute, is: '=', value };
}

function fenced(
  ring: Ring,
  now: number,
  facts: readonly Fact[],
  writes: readonly KeysWrite[],
  head: Head = {},
): KeysWrite[] {
  const fence = ring.fence + 1;
  const headWrite: KeysWrite = {
    kind: 'update',
    table: 'keys',
    key: headKey(ring.id),
    set: { ...head.set, fence },
    add: head.add,
    if: [
      { attribute: 'fence', is: '=', value: ring.fence },
      head.set?.activeKid === undefined || ring.activeKid === undefined
        ? { attribute: 'pk', is: 'present' }
        : { attribute: 'activeKid', is: '=', value: ring.activeKid },
    ],
  };
  return [headWrite, ...writes, ...outbox(ring.id, fence, now, facts)];
}

function outbox(ring: string, fence: number, now: number, facts: readonly Fact[]): KeysWrite[] {
  return facts.map(({ type, body, case: caseId }, n) => {
    const record: EvidenceRecord = {
      v: 1,
      id: `${ring}/${ordered(fence)}.${n}`,
      type,
      at: now,
      case: caseId,
      ring,
      body,
    };
    const event = { detailType: 'KeyStateChanged', detail: { id: record.id, ring, type } };
    return { kind: 'put', table: 'keys', item: item(outKey(ring, fence, n), { record, event }), if: ITEM_ABSENT };
  });
}
