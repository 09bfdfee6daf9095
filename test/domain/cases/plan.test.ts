import {
  FREEZINGS_MAX,
  firstNumber,
  isListedLater,
  listContainment,
  PRINCIPALS_MAX,
  type PrincipalRef,
} from '../../../lib/domain/cases/containment';
import {
  asksForEnd,
  EXPOSURE_CLASSES,
  EXPOSURES_MAX,
  type ExposureClass,
  type Inventory,
  isCovered,
  itemsSha,
  planCase,
} from '../../../lib/domain/cases/plan';
import { proveItem } from '../../../lib/domain/cases/proof';
import { STEPS } from '../../../lib/domain/cases/steps';

const RING = 'customer-api';
const user: PrincipalRef = { ref: 'p0', type: 'iam-user', exists: true, accessKeys: 2, loginProfile: true };
const subject: PrincipalRef = { ref: 'p1', type: 'subject', ring: RING };
const key: PrincipalRef = { ref: 'p2', type: 'kms-key' };

const KEYS: Inventory['keys'] = [
  { ring: RING, kid: 'legacy', state: 'OBSERVED' },
  { ring: RING, kid: 'old', state: 'VERIFY_ONLY' },
  { ring: RING, kid: 'active', state: 'ACTIVE' },
  { ring: RING, kid: 'next', state: 'STANDBY' },
  { ring: RING, kid: 'gone', state: 'DENIED' },
];

function inventory(
  exposures: [asset: string | undefined, custody: ExposureClass][],
  more: Partial<Inventory> = {},
): Inventory {
  return {
    firstItem: 1,
    followUp: false,
    principals: [],
    exposures: exposures.map(([kid, custody], n) => ({
      ref: `e${n}`,
      ring: RING,
      ...(kid && { kid }),
      class: custody,
    })),
    keys: KEYS,
    ...more,
  };
}

const taints = (given: Inventory) =>
  planCase(given).flatMap((item) => (item.kind === 'taint' ? [[item.kid, item.class, item.replace]] : []));

describe('containment', () => {
  test('cut-offs come first, then the latch, then access keys, then personal keys, whoever is named first', () => {
    const kinds = (principals: PrincipalRef[]) =>
      listContainment(principals).map(({ nn, kind, ref }) => `${nn} ${kind} ${ref}`);
    expect(kinds([user, subject, key])).toEqual([
      '01 cut-off p1',
      '02 latch p0',
      '03 access-key p0',
      '04 access-key p0',
      '05 personal-key p2',
    ]);
    expect(kinds([key, subject, user]).map((line) => line.split(' ')[1])).toEqual([
      'cut-off',
      'latch',
      'access-key',
      'access-key',
      'personal-key',
    ]);
  });

  test('a user that IAM does not have is not latched', () => {
    expect(listContainment([{ ...user, exists: false, accessKeys: 0, loginProfile: false }])).toEqual([]);
  });

  test('items name references, rings and counts, and nothing of a person', () => {
    const named = listContainment([user, subject, key]).flatMap((item) => Object.keys(item));
    expect(new Set(named)).toEqual(new Set(['nn', 'kind', 'ref', 'ring', 'key']));
  });
});

describe('custody decides the response', () => {
  test('whoever could have copied a key: compromise of that key, and no second rotation', () => {
    expect(planCase(inventory([['legacy', 'copied-possible']]))).toEqual([
      { nn: '01', kind: 'taint', ring: RING, kid: 'legacy', class: 'compromise', replace: false, because: ['e0'] },
    ]);
  });

  test.each<ExposureClass>(['could-use', 'could-deploy', 'administers'])(
    '%s: the ACTIVE key is replaced now, and again later',
    (custody) => {
      expect(planCase(inventory([[undefined, custody]], { firstItem: 7 }))).toEqual([
        { nn: '07', kind: 'taint', ring: RING, kid: 'active', class: 'planned', replace: true, because: ['e0'] },
        { nn: '08', kind: 'rotate-again', rings: [RING] },
      ]);
    },
  );

  test('whoever reads what is public had custody of nothing', () => {
    expect(planCase(inventory([[undefined, 'reads-public']]))).toEqual([]);
  });

  test('any number of exposures of a kid is one taint of it, and a compromise outweighs', () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
    ]) {
      const exposures = [
        [undefined, 'could-use'],
        ['active', 'copied-possible'],
        [undefined, 'administers'],
      ] as [string | undefined, ExposureClass][];
      expect(taints(inventory(order.map((n) => exposures[n] as [string | undefined, ExposureClass])))).toEqual([
        ['active', 'compromise', true],
      ]);
    }
  });

  test('compromised keys come before planned ones', () => {
    expect(
      taints(
        inventory([
          [undefined, 'could-deploy'],
          ['legacy', 'copied-possible'],
          ['old', 'copied-possible'],
        ]),
      ),
    ).toEqual([
      ['legacy', 'compromise', false],
      ['old', 'compromise', false],
      ['active', 'planned', true],
    ]);
  });

  test('what is DENIED needs no taint', () => {
    expect(planCase(inventory([['gone', 'copied-possible']]))).toEqual([]);
  });

  test('a follow-up rotates once and asks for no third', () => {
    expect(planCase(inventory([[undefined, 'could-use']], { followUp: true })).map(({ kind }) => kind)).toEqual([
      'taint',
    ]);
  });

  test('a console login is an item of the plan; a user without one has none', () => {
    expect(planCase(inventory([], { principals: [user, subject], firstItem: 3 }))).toEqual([
      { nn: '03', kind: 'login-profile', ref: 'p0' },
    ]);
    expect(planCase(inventory([], { principals: [{ ...user, loginProfile: false }] }))).toEqual([]);
  });

  test.each(['unknown', 'next'])(
    'custody of the key %s, which cannot be tainted, stays open and holds up nothing else',
    (kid) => {
      const given = inventory([
        [kid, 'could-use'],
        ['legacy', 'copied-possible'],
      ]);
      expect(planCase({ ...given, principals: [user] })).toMatchObject([
        { nn: '01', kind: 'taint', kid: 'legacy' },
        { nn: '02', kind: 'login-profile' },
        ...(kid === 'next' ? [{ nn: '03', kind: 'rotate-again', rings: [RING] }] : []),
        { kind: 'unplannable', ref: 'e0', reason: `ring ${RING} has no key ${kid} to taint` },
      ]);
    },
  );

  test('custody of a ring that does not exist stays open; reading what is public of it asks for nothing', () => {
    const gone = (custody: ExposureClass) =>
      planCase({ ...inventory([[undefined, custody]]), keys: [] }).map((item) => Object.values(item));
    expect(gone('could-deploy')).toEqual([['01', 'unplannable', 'e0', `ring ${RING} has no ACTIVE key`]]);
    expect(gone('reads-public')).toEqual([]);
  });

  test('exposures beyond what a case lists stay open', () => {
    expect(planCase(inventory([], { omitted: 3 }))).toEqual([
      { nn: '01', kind: 'unplannable', ref: 'more', reason: '3 more exposures than one case lists' },
    ]);
  });

  test('every class of custody has an answer', () => {
    for (const custody of EXPOSURE_CLASSES) expect(() => planCase(inventory([[undefined, custody]]))).not.toThrow();
  });

  test('one inventory has one plan and one name', () => {
    const given = inventory(
      [
        ['legacy', 'copied-possible'],
        [undefined, 'could-deploy'],
      ],
      { principals: [user] },
    );
    expect(itemsSha(planCase(given))).toBe(itemsSha(planCase(structuredClone(given))));
  });
});

describe('the order of the workflow', () => {
  const at = (name: string) => STEPS.findIndex((step) => step.name === name);
  test.each([
    ['list', 'contain', 'what is done is frozen first'],
    ['contain', 'announce', 'verifiers hear of cut-offs'],
    ['contained', 'plan', 'nobody plans about someone who can still act'],
    ['close', 'hold', 'a doubt is no failure'],
    ['hold', 'seal', 'what is held is not sealed'],
    ['plan', 'prepare', 'the plan is frozen before the first act on it'],
    ['prepare', 'taint', 'the successor can sign before it must'],
    ['taint', 'commit', 'nothing more is issued under the old key'],
    ['commit', 'resign', 'commit before re-sign'],
    ['poll', 'resign', 'verifiers know the window'],
    ['taint', 'drain', 'what was begun under the old key ends'],
    ['drain', 'disable-old', 'KMS disables only what has drained'],
    ['disable-old', 'commit', 'an old key signs nothing that the list does not have'],
    ['disable-old', 'resign', 'no wave keeps an old key alive'],
    ['resign', 'resign-again', 'pass 2 sees what pass 1 left'],
    ['resign-again', 'deny', 'DENIED only when a pass found nothing'],
    ['act', 'prove', 'proof comes after every act'],
    ['deny', 'prove', 'proof comes after every act'],
    ['prove', 'close', 'closed on observed refusals'],
    ['close', 'seal', 'the closing is in the tree too'],
  ])('%s before %s: %s', (before, after) => {
    expect(at(before)).toBeGreaterThanOrEqual(0);
    expect(at(before)).toBeLessThan(at(after));
  });

  test('names are unique, and every answer a step refers to is of an earlier step, or its own', () => {
    const names = STEPS.map(({ name }) => name as string);
    expect(new Set(names).size).toBe(names.length);
    for (const [index, step] of STEPS.entries()) {
      const { over, when, until, waitSeconds } = step as Partial<
        Record<'over' | 'when' | 'until' | 'waitSeconds', string>
      >;
      for (const path of [over, when, until, waitSeconds])
        if (path !== undefined) expect(names.slice(0, index + 1)).toContain(path.split('.')[0]);
    }
  });
});

describe('proof', () => {
  const disabled = { signed: false, code: 'ERR_KEY_DISABLED' };
  const denied = { state: 'DENIED', inJwks: false, sign: disabled, standbys: [{ kid: 'next', ...disabled }] } as const;
  test.each([
    [denied, true],
    [{ ...denied, sign: undefined, standbys: [] }, true],
    [{ ...denied, state: 'SUSPECT' as const }, false],
    [{ ...denied, inJwks: true }, false],
    [{ ...denied, inJwks: undefined }, false],
    [{ ...denied, sign: { signed: true } }, false],
    [{ ...denied, sign: { signed: false, code: 'ERR_ACCESS_DENIED' } }, false],
    [{ ...denied, sign: { signed: false } }, false],
    [{ ...denied, standbys: [{ kid: 'next', signed: true }] }, false],
  ])('%# a taint is proved by KMS saying disabled, and by no other refusal', (observed, ok) => {
    expect(proveItem('taint', observed).ok).toBe(ok);
  });

  test.each([
    ['latch', { exists: true, tagged: true, denied: true }, true],
    ['latch', { exists: true, tagged: true, denied: false }, false],
    ['latch', { exists: true, tagged: false, denied: true }, false],
    ['latch', { exists: false, tagged: false, denied: false }, true],
    ['access-key', { status: 'Inactive' }, true],
    ['access-key', { status: 'none' }, true],
    ['access-key', { status: 'Active' }, false],
    ['personal-key', { kmsState: 'Disabled' }, true],
    ['personal-key', { kmsState: 'PendingDeletion' }, true],
    ['personal-key', { kmsState: 'NotFound' }, true],
    ['unplannable', { reason: 'x' }, false],
    ['personal-key', { kmsState: 'Enabled' }, false],
    ['personal-key', { kmsState: 'Unavailable' }, false],
    ['login-profile', { exists: true }, false],
    ['cut-off', { blocked: false }, false],
    ['rotate-again', {}, false],
  ] as const)('%s %j: %s', (kind, observed, ok) => {
    expect(proveItem(kind, observed as never).ok).toBe(ok);
  });
});

describe('what is frozen later', () => {
  const most = Array.from({ length: PRINCIPALS_MAX + 1 }, (_, n): PrincipalRef => ({ ...user, ref: `p${n}` }));
  const planOf = (n: number) =>
    planCase({
      ...(n > 1 && { n }),
      firstItem: n === 1 ? listContainment(most).length + 1 : firstNumber('plan', n),
      followUp: false,
      principals: most,
      exposures: Array.from({ length: EXPOSURES_MAX }, (_, m) => ({
        ref: `e${m}`,
        ring: `ring-${m}`,
        class: 'could-use',
      })),
      keys: Array.from({ length: EXPOSURES_MAX }, (_, m) => ({ ring: `ring-${m}`, kid: `k${m}`, state: 'ACTIVE' })),
    });

  test('no two items of a case have one number, however often it is listed and planned', () => {
    const numbers = Array.from({ length: FREEZINGS_MAX }, (_, index) => index + 1).flatMap((n) => [
      ...listContainment(most, n),
      ...planOf(n),
    ]);
    expect(new Set(numbers.map(({ nn }) => nn)).size).toBe(numbers.length);
  });

  test('an item of a later listing is told from one of a later plan', () => {
    for (const n of [2, 3, 42, FREEZINGS_MAX]) {
      expect(listContainment(most, n).every(isListedLater)).toBe(true);
      expect(planOf(n).some(isListedLater)).toBe(false);
    }
    expect([...listContainment(most), ...planOf(1)].some(isListedLater)).toBe(false);
  });

  test('a plan covers an exposure of the same ring or key, and of the same class', () => {
    const given = inventory([
      [undefined, 'could-use'],
      ['old', 'copied-possible'],
    ]);
    const covered = (kid: string | undefined, of: ExposureClass, ring = RING) =>
      isCovered({ ring, ...(kid !== undefined && { kid }), class: of }, [inventory([]), given]);
    expect([covered(undefined, 'could-use'), covered('old', 'copied-possible')]).toEqual([true, true]);
    for (const one of [
      covered(undefined, 'administers'),
      covered('active', 'could-use'),
      covered('old', 'could-use'),
      covered(undefined, 'copied-possible'),
      covered(undefined, 'could-use', 'another-ring'),
    ])
      expect(one).toBe(false);
  });

  test('reading what is public is all that asks for nothing', () => {
    expect(EXPOSURE_CLASSES.filter((of) => !asksForEnd({ class: of }))).toEqual(['reads-public']);
  });
});
