import { H } from '../../../lib/domain/base/encoding';
import { formatRecord, parseRecord } from '../../../lib/domain/evidence/record';
import { adoptLegacyKey } from '../../../lib/domain/rings/legacy-key';
import { close, createRing, halt, retireRing, updateRing } from '../../../lib/domain/rings/life';
import type { KeyRecord, Ring } from '../../../lib/domain/rings/ring';
import { findKey } from '../../../lib/domain/rings/ring';
import { deny, type TaintTarget, taint } from '../../../lib/domain/rings/taint';
import * as transitions from '../../../lib/domain/rings/transitions';
import { RingTable } from '../../support/ring-table';
import { activeRecord, CFG, keyRecord, NOW, poolKey, ringWith } from '../../support/rings';

const LATER = NOW + CFG.periodSeconds;
const kid = (slot: number) => poolKey(slot).jwk.kid;
const prepared = (slot: number, more: Partial<KeyRecord> = {}) =>
  keyRecord(slot, { kmsState: 'Enabled', preparedAt: LATER, probedAt: LATER, ...more });
const threeKeys = (more: Partial<Ring> = {}) =>
  ringWith({ keys: [activeRecord(1), prepared(2), keyRecord(3)], ...more });
const target = (slot: number, taintClass: TaintTarget['class'] = 'planned'): TaintTarget => ({
  kid: kid(slot),
  class: taintClass,
  reason: 'test',
});
const legacy = (more: Partial<KeyRecord> = {}) =>
  keyRecord(9, {
    kind: 'legacy',
    state: 'OBSERVED',
    slot: 0,
    signUntil: 0,
    kmsState: undefined,
    kmsKeyArn: undefined,
    windows: [{ iatFrom: 0, iatTo: LATER }],
    ...more,
  });
const NO_RESULT = { passes: 2, source: 0, done: 0, excluded: {}, root: H('') };

describe('every transition', () => {
  const made: [string, (ring: Ring) => ReturnType<typeof transitions.activate>][] = [
    ['activate', (ring) => transitions.activate(ring, kid(2), LATER)],
    ['retire', (ring) => transitions.retire(ring, kid(3), LATER)],
    ['markDisabled', (ring) => transitions.markDisabled(ring, kid(3), LATER)],
    ['updateRing', (ring) => updateRing(ring, { ...CFG, periodSeconds: 3600 }, LATER)],
    [
      'adoptLegacyKey',
      (ring) => adoptLegacyKey(ring, { jwk: poolKey(9).jwk, verifyUntil: LATER, approver: 'CHG-7' }, LATER),
    ],
    ['taint', (ring) => taint(ring, [target(1)], kid(2), 'c-1', LATER)],
    ['markPolicy', (ring) => transitions.markPolicy(ring, kid(3), 'changed', LATER)],
    ['markFoundEnabled', (ring) => transitions.markFoundEnabled(ring, kid(3), LATER)],
    ['halt', (ring) => halt(ring, true, 'drill', LATER)],
    ['close', (ring) => close(ring, true, LATER)],
    ['retireRing', (ring) => retireRing(ring, LATER)],
  ];

  test.each(made)('%s moves the fence on by one, and leaves a record that evidence can read', async (_name, make) => {
    const table = await RingTable.of(threeKeys());
    const after = await table.apply(make(table.ring()));
    expect(after.fence).toBe(8);
    expect(table.records().length).toBeGreaterThan(0);
    for (const record of table.records()) {
      expect(record).toMatchObject({
        at: LATER,
        ring: 'customer-api',
        id: expect.stringMatching(/^customer-api\/000008\.\d$/),
      });
      expect(parseRecord(Buffer.from(formatRecord(record)))).toEqual(record);
    }
  });

  test.each(made)('%s with a stale fence changes nothing', async (_name, make) => {
    const table = await RingTable.of(threeKeys());
    const stale = make(table.ring());
    await table.apply(updateRing(table.ring(), { ...CFG, drainSeconds: 16 }, LATER));
    const before = table.tables.dump('keys');
    await expect(table.apply(stale)).rejects.toMatchObject({
      code: 'ERR_CONDITION_FAILED',
      message: 'write 0 (update keys) was refused by its condition; nothing was written',
    });
    expect(table.tables.dump('keys')).toEqual(before);
  });

  test('two of them from one reading: one wins, whichever they are', async () => {
    for (const [, first] of made)
      for (const [, second] of made) {
        const table = await RingTable.of(threeKeys());
        const read = table.ring();
        const outcomes = await Promise.allSettled([table.apply(first(read)), table.apply(second(read))]);
        expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      }
  });
});

describe('activation', () => {
  test('STANDBY becomes ACTIVE and ACTIVE becomes VERIFY_ONLY at the same instant', async () => {
    const table = await RingTable.of(threeKeys());
    const after = await table.apply(transitions.activate(table.ring(), kid(2), LATER));
    expect(after).toMatchObject({ activeKid: kid(2), activations: 2 });
    expect(findKey(after, kid(1))).toMatchObject({
      state: 'VERIFY_ONLY',
      deactivatedAt: LATER,
      verifyUntil: LATER + CFG.maxTtlSeconds + CFG.skewSeconds,
      windows: [{ iatFrom: NOW, iatTo: LATER }],
      inJwks: true,
    });
    expect(findKey(after, kid(2))).toMatchObject({
      state: 'ACTIVE',
      activatedAt: LATER,
      windows: [{ iatFrom: LATER, iatTo: keyRecord(2).signUntil }],
    });
  });

  test('leaving ACTIVE may only shorten how long a key verifies', async () => {
    const table = await RingTable.of(threeKeys({ keys: [activeRecord(1, { verifyUntil: LATER + 5 }), prepared(2)] }));
    const after = await table.apply(transitions.activate(table.ring(), kid(2), LATER));
    expect(findKey(after, kid(1)).verifyUntil).toBe(LATER + 5);
  });

  test.each<[string, Partial<KeyRecord>]>([
    ['never seen in the JWKS', { confirmedAt: undefined }],
    ['seen there a second too late', { confirmedAt: LATER - CFG.propagationSeconds - CFG.cacheSeconds + 1 }],
    ['past its signUntil', { signUntil: LATER }],
    ['DENIED', { state: 'DENIED' }],
    ['RETIRED', { state: 'RETIRED' }],
    ['one whose policy somebody changed', { policyState: 'changed' }],
    ['one whose policy names a role that is gone', { policyState: 'orphaned' }],
    ['one whose policy we may not read', { policyState: 'unreadable' }],
  ])('a key that is %s is refused', (_what, more) => {
    const ring = threeKeys({ keys: [activeRecord(1), prepared(2, more)] });
    expect(() => transitions.activate(ring, kid(2), LATER)).toThrow(
      expect.objectContaining({
        code: 'ERR_NO_SUCCESSOR',
        message: `key ${kid(2)} may not sign yet`,
        allowed: 'STANDBY, policy as written, seen in the JWKS for 70 s',
      }),
    );
  });

  test.each<[string, Parameters<typeof keyRecord>[1]]>([
    ['that KMS would refuse to sign with', { kmsState: 'Disabled' }],
    ['that KMS was asked to enable, and that nobody saw sign', { kmsState: 'Enabled', preparedAt: LATER }],
    ['that was disabled since it signed', { kmsState: 'Enabled', preparedAt: LATER, probedAt: 0 }],
  ])('a key %s is refused', (_what, more = {}) => {
    const ring = threeKeys({ keys: [activeRecord(1), keyRecord(2, more)] });
    expect(() => transitions.activate(ring, kid(2), LATER)).toThrow(
      expect.objectContaining({
        code: 'ERR_KEY_STATE',
        message: `key ${kid(2)} of ring customer-api was not prepared: KMS would refuse to sign`,
        got: { kmsState: more.kmsState, probedAt: more.probedAt },
        fix: 'prepare it again',
      }),
    );
  });

  test('who disables a STANDBY and who activates it cannot both win', async () => {
    for (const disablerFirst of [true, false]) {
      const table = await RingTable.of(threeKeys());
      const writes = [
        transitions.markDisabling(table.ring(), kid(2)),
        transitions.activate(table.ring(), kid(2), LATER),
      ];
      const outcomes = await Promise.allSettled(
        (disablerFirst ? writes : writes.reverse()).map((one) => table.apply(one)),
      );
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      expect(findKey(table.ring(), kid(2)).state).toBe(disablerFirst ? 'STANDBY' : 'ACTIVE');
    }
  });

  test('nobody prepares a key that is being disabled', async () => {
    const table = await RingTable.of(threeKeys());
    await table.apply(transitions.markDisabling(table.ring(), kid(2)));
    await expect(table.apply(transitions.markPrepared(table.ring(), kid(2), LATER))).rejects.toMatchObject({
      code: 'ERR_CONDITION_FAILED',
    });
  });
});

describe('taint', () => {
  test('an ACTIVE key is replaced in the same transaction; a compromise leaves the JWKS at once, a planned one stays', async () => {
    for (const [taintClass, inJwks] of [
      ['compromise', false],
      ['planned', true],
    ] as const) {
      const table = await RingTable.of(threeKeys());
      const after = await table.apply(taint(table.ring(), [target(1, taintClass)], kid(2), 'c-1', LATER));
      expect(after.activeKid).toBe(kid(2));
      expect(findKey(after, kid(1))).toMatchObject({
        state: 'SUSPECT',
        inJwks,
        taint: { class: taintClass, reason: 'test', at: LATER, cases: ['c-1'] },
      });
      expect(after.waves).toEqual([{ fromKid: kid(1), toKid: kid(2), state: 'OPEN', openedAt: LATER, cases: ['c-1'] }]);
      expect(findKey(after, kid(2)).windows).toEqual([
        { iatFrom: LATER, iatTo: keyRecord(2).signUntil },
        { wave: kid(1), iatFrom: LATER - CFG.maxTtlSeconds - CFG.skewSeconds, iatTo: LATER + CFG.drainSeconds },
      ]);
    }
  });

  test('the ACTIVE key is not tainted without a successor, and nothing else is in that case', () => {
    const ring = threeKeys({ keys: [activeRecord(1), prepared(2), legacy()] });
    expect(() => taint(ring, [target(9, 'compromise'), target(1)], undefined, 'c-1', LATER)).toThrow(
      expect.objectContaining({
        code: 'ERR_KEY_STATE',
        message: `the taint of ACTIVE key ${kid(1)} of ring customer-api names no successor`,
      }),
    );
  });

  test('a STANDBY never signed, so a taint of it makes no wave: it is RETIRED, and leaves the JWKS', async () => {
    const table = await RingTable.of(threeKeys());
    const after = await table.apply(taint(table.ring(), [target(3)], undefined, 'c-1', LATER));
    expect(findKey(after, kid(3))).toMatchObject({ state: 'RETIRED', inJwks: false });
    expect(after.waves).toEqual([]);
    expect(table.records()).toMatchObject([
      { type: 'key.retired', case: 'c-1', body: { kid: kid(3), from: 'STANDBY' } },
    ]);
  });

  test('a key of another ring is refused', () => {
    expect(() =>
      taint(threeKeys(), [{ kid: 'elsewhere', class: 'planned', reason: 'x' }], kid(2), 'c-1', LATER),
    ).toThrow(expect.objectContaining({ code: 'ERR_NOT_FOUND', message: 'ring customer-api has no key elsewhere' }));
  });

  test('a replay for the same case writes nothing; another case joins the wave', async () => {
    const table = await RingTable.of(threeKeys({ keys: [activeRecord(1), prepared(2), legacy()] }));
    await table.apply(taint(table.ring(), [target(9, 'compromise')], undefined, 'c-1', LATER));
    expect(taint(table.ring(), [target(9, 'compromise')], undefined, 'c-1', LATER + 1)).toEqual([]);
    const after = await table.apply(taint(table.ring(), [target(9, 'compromise')], undefined, 'c-2', LATER + 1));
    expect(after.waves).toMatchObject([{ cases: ['c-1', 'c-2'] }]);
    expect(findKey(after, kid(9)).taint).toMatchObject({ at: LATER, cases: ['c-1', 'c-2'] });
  });

  test('DENIED and RETIRED keys stay what they are', () => {
    for (const state of ['DENIED', 'RETIRED'] as const)
      expect(
        taint(
          threeKeys({ keys: [activeRecord(1), prepared(2), legacy({ state })] }),
          [target(9)],
          undefined,
          'c-1',
          LATER,
        ),
      ).toEqual([]);
  });
});

describe('an open wave when its target stops issuing', () => {
  const wave = { fromKid: kid(9), toKid: kid(1), state: 'OPEN' as const, openedAt: NOW, cases: ['c-1'] };
  const window = { wave: kid(9), iatFrom: NOW - 100, iatTo: NOW + 15 };
  const tainted = { class: 'compromise' as const, reason: 'test', at: NOW, cases: ['c-1'] };
  const ring = () => {
    const active = activeRecord(1);
    const keys = [
      { ...active, windows: [...active.windows, window] },
      prepared(2),
      keyRecord(3),
      legacy({ state: 'SUSPECT', taint: tainted }),
    ];
    return ringWith({ keys, waves: [wave] });
  };

  test.each<[string, (ring: Ring) => ReturnType<typeof transitions.activate>]>([
    ['a scheduled activation', (before) => transitions.activate(before, kid(2), LATER)],
    ['a taint of the target', (before) => taint(before, [target(1)], kid(2), 'c-2', LATER)],
    [
      'a taint that also joins the wave',
      (before) => taint(before, [target(1), target(9, 'compromise')], kid(2), 'c-2', LATER),
    ],
  ])('moves on to the new key, with its window, at %s', async (_what, make) => {
    const table = await RingTable.of(ring());
    const after = await table.apply(make(table.ring()));
    expect(after.waves.find(({ fromKid }) => fromKid === kid(9))).toMatchObject({ toKid: kid(2), state: 'OPEN' });
    expect(findKey(after, kid(2)).windows).toContainEqual(window);
    expect(
      table
        .records()
        .filter(({ type }) => type === 'key.window')
        .map(({ body }) => body.kid),
    ).toContain(kid(2));
  });

  test('one that is over stays where it ended, and hands no window on', async () => {
    const done = ring();
    const table = await RingTable.of({ ...done, waves: [{ ...wave, state: 'DONE' }] });
    const after = await table.apply(transitions.activate(table.ring(), kid(2), LATER));
    expect(after.waves).toMatchObject([{ toKid: kid(1), state: 'DONE' }]);
    expect(findKey(after, kid(2)).windows).toHaveLength(1);
  });
});

describe('denial', () => {
  const suspect = () =>
    legacy({ state: 'SUSPECT', taint: { class: 'compromise', reason: 'test', at: NOW, cases: ['c-1'] } });
  const wave = { fromKid: kid(9), toKid: kid(1), state: 'OPEN' as const, openedAt: NOW, cases: ['c-1'] };

  test('SUSPECT becomes DENIED once, with the wave it ends', async () => {
    const table = await RingTable.of(ringWith({ keys: [activeRecord(1), suspect()], waves: [wave] }));
    const after = await table.apply(deny(table.ring(), kid(9), NO_RESULT, LATER));
    expect(findKey(after, kid(9))).toMatchObject({ state: 'DENIED', deniedAt: LATER, inJwks: false });
    expect(after.waves).toMatchObject([{ state: 'DONE' }]);
    expect(table.records().map(({ type }) => type)).toEqual(['wave.completed', 'key.denied']);
    await expect(table.apply(deny(after, kid(9), NO_RESULT, LATER))).rejects.toMatchObject({
      code: 'ERR_CONDITION_FAILED',
    });
  });

  test.each(['ACTIVE', 'VERIFY_ONLY', 'OBSERVED', 'STANDBY', 'RETIRED', 'DENIED'] as const)(
    'a %s key is not denied',
    async (state) => {
      const table = await RingTable.of(
        ringWith({ keys: [activeRecord(1), { ...suspect(), state }], waves: [wave], activeKid: kid(1) }),
      );
      await expect(table.apply(deny(table.ring(), kid(9), NO_RESULT, LATER))).rejects.toMatchObject({
        code: 'ERR_CONDITION_FAILED',
      });
    },
  );
});

describe('birth', () => {
  test('a ring is created once', async () => {
    const table = await RingTable.of(ringWith());
    await expect(table.apply(createRing('customer-api', CFG, NOW))).rejects.toMatchObject({
      code: 'ERR_CONDITION_FAILED',
    });
  });

  test.each(['alg', 'iss', 'aud'] as const)('%s of a live ring cannot change', (name) => {
    expect(() => updateRing(ringWith(), { ...CFG, [name]: 'other' }, NOW)).toThrow(
      expect.objectContaining({
        code: 'ERR_RING_IMMUTABLE',
        message: `${name} of ring customer-api cannot change`,
        got: 'other',
        allowed: CFG[name],
      }),
    );
  });

  test('a period that changes between the birth of a key and its adoption does not part its record from its policy', async () => {
    const table = await RingTable.of(ringWith({ keys: [], slots: [], activations: 0 }));
    await table.apply(transitions.reserveSlot(table.ring(), 1, 'n', NOW));
    const { signUntil } = table.ring().slots[0] ?? { signUntil: 0 };
    await table.apply(
      transitions.slotCreated(table.ring(), 1, { kmsKeyArn: 'arn', jwk: poolKey(1).jwk, policySha256: 'sha' }),
    );
    await table.apply(updateRing(table.ring(), { ...CFG, periodSeconds: 3600 }, NOW));
    const [slot] = table.ring().slots;
    const after = await table.apply(transitions.adoptKey(table.ring(), slot as never, NOW));
    expect(after.keys).toMatchObject([{ kid: kid(1), state: 'STANDBY', kmsState: 'Disabled', signUntil }]);
  });

  test('a slot is adopted once, and only when its KMS key is known', async () => {
    const table = await RingTable.of(ringWith({ keys: [], slots: [], activations: 0 }));
    await table.apply(transitions.reserveSlot(table.ring(), 1, 'n', NOW));
    expect(() => transitions.adoptKey(table.ring(), table.ring().slots[0] as never, NOW)).toThrow(
      expect.objectContaining({ code: 'ERR_KEY_STATE' }),
    );
    await table.apply(
      transitions.slotCreated(table.ring(), 1, { kmsKeyArn: 'arn', jwk: poolKey(1).jwk, policySha256: 'sha' }),
    );
    await expect(
      table.apply(
        transitions.slotCreated(table.ring(), 1, { kmsKeyArn: 'other', jwk: poolKey(2).jwk, policySha256: 'sha' }),
      ),
    ).rejects.toMatchObject({ code: 'ERR_CONDITION_FAILED' });
    const slot = table.ring().slots[0] as never;
    await table.apply(transitions.adoptKey(table.ring(), slot, NOW));
    await expect(table.apply(transitions.adoptKey(table.ring(), slot, NOW))).rejects.toMatchObject({
      code: 'ERR_CONDITION_FAILED',
    });
  });
});
