import { mayActivate, RESTS_FOR } from '../../../lib/domain/rings/obstacles';
import {
  PREPARED_AHEAD,
  PREPARED_FOR,
  planRotation,
  shouldActivate,
  successors,
} from '../../../lib/domain/rings/rotation';
import { activeRecord, CFG, DAY, keyRecord, NOW, ringWith } from '../../support/rings';

const WAIT = CFG.propagationSeconds + CFG.cacheSeconds;
const period = CFG.periodSeconds;
const kidOf = (slot: number) => keyRecord(slot).kid;

describe('at birth', () => {
  test('an empty ring reserves slots 1, 2 and 3, each created and adopted before the next', () => {
    expect(planRotation(ringWith({ activations: 0, keys: [], slots: [] }), NOW)).toEqual({ do: 'reserve', slot: 1 });
    const slot = { slot: 1, at: NOW, nonce: 'n', signUntil: NOW + 93 * DAY };
    expect(planRotation(ringWith({ activations: 0, keys: [], slots: [{ ...slot, state: 'INTENT' }] }), NOW)).toEqual({
      do: 'create',
      slot: 1,
    });
    expect(planRotation(ringWith({ activations: 0, keys: [], slots: [{ ...slot, state: 'CREATED' }] }), NOW)).toEqual({
      do: 'adopt',
      slot: 1,
    });
    expect(planRotation(ringWith({ activations: 0, keys: [keyRecord(1, { confirmedAt: undefined })] }), NOW)).toEqual({
      do: 'reserve',
      slot: 2,
    });
  });

  test('three keys are enough: the first one is read back from the JWKS, then activated without waiting for caches', () => {
    const unpublished = [1, 2, 3].map((slot) => keyRecord(slot, { confirmedAt: undefined }));
    expect(planRotation(ringWith({ activations: 0, keys: unpublished }), NOW)).toEqual({
      do: 'confirm',
      kid: kidOf(1),
    });
    const [, second, third] = unpublished;
    expect(
      planRotation(ringWith({ activations: 0, keys: [keyRecord(1), second, third].flatMap((key) => key ?? []) }), NOW),
    ).toEqual({ do: 'activate', kid: kidOf(1) });
  });
});

describe('activation', () => {
  test('a period of the ACTIVE key is a period to the second', () => {
    expect(planRotation(ringWith(), NOW + period - 1)).toEqual({ do: 'prepare' });
    expect(planRotation(ringWith(), NOW + period)).toEqual({ do: 'activate', kid: kidOf(2) });
  });

  test('the next key is enabled minutes before it signs, stays so until it does, and is given two minutes at least', () => {
    const before = NOW + period - PREPARED_AHEAD;
    expect(planRotation(ringWith(), before - 1)).toBeUndefined();
    expect(planRotation(ringWith(), before)).toEqual({ do: 'prepare' });
    const preparedAt = (at: number) =>
      ringWith({
        keys: [activeRecord(1), keyRecord(2, { kmsState: 'Enabled', preparedAt: at, probedAt: at }), keyRecord(3)],
      });
    expect(planRotation(preparedAt(before), before + PREPARED_FOR + 1)).toBeUndefined();
    expect(planRotation(preparedAt(before), NOW + period)).toEqual({ do: 'activate', kid: kidOf(2) });
    expect(planRotation(preparedAt(NOW + period - 60), NOW + period + 59)).toBeUndefined();
    expect(planRotation(preparedAt(NOW + period - 60), NOW + period + 60)).toEqual({ do: 'activate', kid: kidOf(2) });
    // Of two that somebody made ready, the one that is not next is given up.
    const both = [2, 3].map((n) => keyRecord(n, { kmsState: 'Enabled', preparedAt: before, probedAt: before }));
    expect(planRotation(ringWith({ keys: [activeRecord(1), ...both] }), before + PREPARED_FOR + 1)).toEqual({
      do: 'disable',
      kid: kidOf(3),
    });
  });

  test('a key that could soon not sign a whole token life is replaced before its period', () => {
    const active = activeRecord(1, { activatedAt: NOW, signUntil: NOW + DAY });
    const ring = ringWith({ keys: [active, keyRecord(2), keyRecord(3)] });
    expect(shouldActivate(ring, NOW + DAY - CFG.maxTtlSeconds - 1)).toBe(false);
    expect(shouldActivate(ring, NOW + DAY - CFG.maxTtlSeconds)).toBe(true);
  });

  test('no key is activated a second before every cache can have seen it', () => {
    const young = keyRecord(2, { confirmedAt: NOW + period });
    const ring = ringWith({ keys: [activeRecord(1), young] });
    expect(mayActivate(ring, young, NOW + period + WAIT - 1)).toBe(false);
    expect(mayActivate(ring, young, NOW + period + WAIT)).toBe(true);
  });

  test.each([
    ['never seen in the JWKS', keyRecord(2, { confirmedAt: undefined })],
    ['past its signUntil', keyRecord(2, { signUntil: NOW + period })],
    ['being disabled by somebody', keyRecord(2, { kmsState: 'Disabling' })],
    ['retired', keyRecord(2, { state: 'RETIRED' })],
    ['suspect', keyRecord(2, { state: 'SUSPECT' })],
    ['denied', keyRecord(2, { state: 'DENIED' })],
    ['verify-only', keyRecord(2, { state: 'VERIFY_ONLY' })],
    ['a legacy key', keyRecord(2, { state: 'OBSERVED', kind: 'legacy' })],
  ])('a key that is %s may not be activated', (_what, key) => {
    const ring = ringWith({ keys: [activeRecord(1), key] });
    expect(mayActivate(ring, key, NOW + period)).toBe(false);
    expect(successors(ring, NOW + period)).toEqual([]);
  });

  test('the oldest STANDBY signs next, whatever order they are stored in', () => {
    const ring = ringWith({ keys: [keyRecord(3), keyRecord(2), activeRecord(1)] });
    expect(successors(ring, NOW + period).map(({ slot }) => slot)).toEqual([2, 3]);
  });

  test('it comes before any birth: a KMS that creates no key does not keep the old one signing', () => {
    const keys = [activeRecord(1), keyRecord(2)];
    const slots = [{ slot: 3, nonce: 'n', state: 'INTENT' as const, at: NOW, signUntil: NOW + DAY }];
    expect(planRotation(ringWith({ keys, slots }), NOW + period)).toEqual({ do: 'activate', kid: kidOf(2) });
  });
});

describe('disabling', () => {
  const left = (more = {}) => activeRecord(1, { state: 'VERIFY_ONLY', deactivatedAt: NOW, ...more });
  const ringAfter = (key = left()) => ringWith({ keys: [key, activeRecord(2), keyRecord(3), keyRecord(4)] });

  test('a key that stopped being ACTIVE is disabled after the drain and not before', () => {
    expect(planRotation(ringAfter(), NOW + CFG.drainSeconds - 1)).toBeUndefined();
    expect(planRotation(ringAfter(), NOW + CFG.drainSeconds)).toEqual({ do: 'disable', kid: kidOf(1) });
    // But for one that somebody may have copied: it signs not a second longer.
    const taint = { class: 'compromise' as const, reason: 'drill', at: NOW, cases: [] };
    expect(planRotation(ringAfter(left({ state: 'SUSPECT', taint })), NOW)).toEqual({ do: 'disable', kid: kidOf(1) });
    expect(
      planRotation(ringAfter(left({ state: 'SUSPECT', taint: { ...taint, class: 'planned' } })), NOW),
    ).toBeUndefined();
  });

  test.each(['VERIFY_ONLY', 'SUSPECT', 'DENIED', 'RETIRED'] as const)(
    'a %s key that KMS still lets sign comes before everything else',
    (state) => {
      const keys = [left({ state }), activeRecord(2)];
      const ring = ringWith({ keys, slots: [{ slot: 3, nonce: 'n', state: 'INTENT', at: NOW, signUntil: NOW }] });
      expect(planRotation(ring, NOW + 2 * period)).toEqual({ do: 'disable', kid: kidOf(1) });
    },
  );

  test('a prepared STANDBY that nobody activated is disabled again', () => {
    const prepared = keyRecord(2, { kmsState: 'Enabled', preparedAt: NOW });
    const ring = ringWith({ keys: [activeRecord(1), prepared, keyRecord(3)] });
    expect(planRotation(ring, NOW + PREPARED_FOR)).toBeUndefined();
    expect(planRotation(ring, NOW + PREPARED_FOR + 1)).toEqual({ do: 'disable', kid: kidOf(2) });
  });

  test('a STANDBY whose disabling was broken off is disabled at once', () => {
    const ring = ringWith({
      keys: [activeRecord(1), keyRecord(2, { kmsState: 'Disabling', preparedAt: NOW }), keyRecord(3)],
    });
    expect(planRotation(ring, NOW + 1)).toEqual({ do: 'disable', kid: kidOf(2) });
  });

  test('an ACTIVE key is never disabled, also where HEAD was read a moment before it became ACTIVE', () => {
    const torn = ringWith({ keys: [left(), activeRecord(2), keyRecord(3), keyRecord(4)], activeKid: kidOf(1) });
    expect(planRotation(torn, NOW + CFG.drainSeconds)).toBeUndefined();
    const other = ringWith({ keys: [activeRecord(1), keyRecord(2), keyRecord(3)], activeKid: kidOf(2) });
    expect(planRotation(other, NOW + CFG.drainSeconds)?.do).not.toBe('disable');
  });

  test('a STANDBY that was given up signs next only when no DisableKey can be on its way to it', () => {
    const resting = keyRecord(2, { disabledAt: NOW });
    const ring = ringWith({ keys: [activeRecord(1), resting, keyRecord(3)] });
    expect(successors(ring, NOW + RESTS_FOR - 1).map(({ slot }) => slot)).toEqual([3]);
    expect(successors(ring, NOW + RESTS_FOR).map(({ slot }) => slot)).toEqual([2, 3]);
    // It stands by all the same: nothing is born in its place.
    expect(planRotation(ring, NOW + 1)).toBeUndefined();
  });

  test('the ACTIVE key, a disabled key and a legacy key are never asked of KMS', () => {
    const legacy = keyRecord(9, { kind: 'legacy', state: 'SUSPECT', kmsState: undefined, kmsKeyArn: undefined });
    expect(
      planRotation(ringWith({ keys: [activeRecord(1), keyRecord(2), keyRecord(3), legacy] }), NOW + 1),
    ).toBeUndefined();
  });
});

describe('retirement', () => {
  const verifyOnly = activeRecord(1, {
    state: 'VERIFY_ONLY',
    kmsState: 'Disabled',
    deactivatedAt: NOW,
    verifyUntil: NOW + 100,
  });
  const others = [activeRecord(2), keyRecord(3), keyRecord(4)];

  test('a VERIFY_ONLY key is retired after verifyUntil and not at it', () => {
    const ring = ringWith({ keys: [verifyOnly, ...others] });
    expect(planRotation(ring, NOW + 100)).toBeUndefined();
    expect(planRotation(ring, NOW + 101)).toEqual({ do: 'retire', kid: kidOf(1) });
  });

  test.each(['SUSPECT', 'DENIED', 'ACTIVE', 'RETIRED'] as const)('a %s key is never retired by the clock', (state) => {
    const ring = ringWith({ keys: [{ ...verifyOnly, state, kid: kidOf(1) }, ...others], activeKid: kidOf(2) });
    expect(planRotation(ring, NOW + 101)).toBeUndefined();
  });

  test('a STANDBY that waited too long to sign is retired, and replaced', () => {
    const late = keyRecord(2, { signUntil: NOW + 10 });
    const ring = ringWith({ keys: [activeRecord(1), late, keyRecord(3)] });
    expect(planRotation(ring, NOW + 11)).toEqual({ do: 'retire', kid: kidOf(2) });
    const retired = ringWith({ keys: [activeRecord(1), { ...late, state: 'RETIRED' }, keyRecord(3)] });
    expect(planRotation(retired, NOW + 11)).toEqual({ do: 'reserve', slot: 4 });
  });
});

test('a ring that has what it needs needs nothing, and asking does not change it', () => {
  const ring = Object.freeze(ringWith());
  expect(planRotation(ring, NOW)).toBeUndefined();
  expect(planRotation(ring, NOW)).toBeUndefined();
});

test('a slot number is never used twice, however many keys are gone', () => {
  const keys = [activeRecord(7), keyRecord(9, { state: 'RETIRED' })];
  expect(planRotation(ringWith({ keys }), NOW)).toEqual({ do: 'reserve', slot: 10 });
});
