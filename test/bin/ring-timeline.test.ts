import { timeline } from '../../bin/commands/ring-timeline';
import { type KeyRecord, verifyUntilOf } from '../../lib/domain/rings/ring';
import { activeRecord, CFG, DAY, keyRecord, NOW, ringWith } from '../support/rings';

/** The key pairs are new in each run; a drawing that is compared needs kids that stand still. */
const named = (kid: string, key: KeyRecord): KeyRecord => ({ ...key, kid });
const born = (days: number) => {
  const bornAt = NOW + days * DAY;
  const signUntil = bornAt + 93 * DAY;
  return { bornAt, confirmedAt: bornAt + 60, signUntil, verifyUntil: verifyUntilOf(signUntil, CFG) };
};
const stopped = (days: number) => ({
  deactivatedAt: NOW + days * DAY,
  verifyUntil: verifyUntilOf(NOW + days * DAY, CFG),
});
const tainted = (days: number) => ({ class: 'compromise' as const, reason: 'drill', at: NOW + days * DAY, cases: [] });
const draw = (keys: readonly KeyRecord[], { unicode = false, width = 80, now = NOW } = {}) =>
  `\n${timeline(ringWith({ keys }), now, { width, unicode })}\n`;

const LIFE = [
  named(
    'ended-by-taint',
    keyRecord(1, {
      ...born(-55),
      state: 'DENIED',
      activatedAt: NOW - 54 * DAY,
      ...stopped(-20),
      taint: tainted(-20),
      deniedAt: NOW - 12 * DAY,
    }),
  ),
  named('signs-now', activeRecord(2, { ...born(-50), activatedAt: NOW - 20 * DAY })),
  named('stands-by', keyRecord(3, born(-40))),
  named('was-just-born', keyRecord(4, { ...born(0), confirmedAt: undefined })),
];

test('the life of each key on one axis: what was, left of now, and what it could still do, right of it', () => {
  expect(draw(LIFE)).toMatchInlineSnapshot(`
"
           2026-11-21              now                               2027-04-18
                                    |
1 ended-by ================???xxxxxx
2 signs-no   ::::::::::::::=========--------------------S
3 stands-b       :::::::::::::::::::------------------------S
4 was-just                          ------------------------------------------S

: published   - could sign   = active   ? suspect   x denied
S its own policy ends its right to sign
"
`);
});

test('the same in a terminal that has more than ASCII', () => {
  expect(draw(LIFE, { unicode: true, width: 100 })).toMatchInlineSnapshot(`
"
           2026-11-21                     now                                            2027-04-18
                                           │
1 ended-by ████████████████████?????×××××××
2 signs-no   ░░░░░░░░░░░░░░░░░░████████████──────────────────────────S
3 stands-b         ░░░░░░░░░░░░░░░░░░░░░░░░────────────────────────────────S
4 was-just                                 ───────────────────────────────────────────────────────S

░ published   ─ could sign   █ active   ? suspect   × denied
S its own policy ends its right to sign
"
`);
});

test('a key that only verifies, a tainted one, and the key of the issuer before us, cut off where the axis ends', () => {
  const keys = [
    named('pem-of-before', {
      ...keyRecord(0, { ...born(-10), verifyUntil: NOW + 400 * DAY }),
      kind: 'legacy',
      state: 'OBSERVED',
      signUntil: 0,
    }),
    named(
      'verifies-on',
      keyRecord(1, { ...born(-40), state: 'VERIFY_ONLY', activatedAt: NOW - 39 * DAY, ...stopped(0) }),
    ),
    named(
      'suspected',
      keyRecord(2, { ...born(-30), state: 'SUSPECT', activatedAt: NOW - 9 * DAY, ...stopped(-2), taint: tainted(-2) }),
    ),
    named('signs', activeRecord(3, { ...born(-20), activatedAt: NOW - 2 * DAY })),
  ];
  expect(draw(keys)).toMatchInlineSnapshot(`
"
             2026-12-06            now                               2027-03-29
                                    |
PEM pem-of-b                  oooooooooooooooooooooooooooooooooooooooooooooooo>
1 verifies   =======================V
2 suspecte        :::::::::::::====?
3 signs                 :::::::::::=------------------------------------------S

: published   o observed   - could sign   = active   ? suspect
S its own policy ends its right to sign   V past this nothing it signed is good
> goes on beyond this
"
`);
});

test('what lived for seconds gets a column too, and a ring that was born this second can be drawn', () => {
  const brief = keyRecord(1, {
    state: 'DENIED',
    activatedAt: NOW,
    ...stopped(0),
    taint: tainted(0),
    deniedAt: NOW + 20,
  });
  expect(draw([named('brief', brief), named('signs-now', activeRecord(2))], { now: NOW + 30 })).toMatchInlineSnapshot(`
"
           now                                                       2027-04-18
           |
1 brief    x
2 signs-no =------------------------------------------------------------------S

- could sign   = active   x denied   S its own policy ends its right to sign
"
`);
  expect(draw([named('first', activeRecord(1))])).toMatchInlineSnapshot(`
"
        now                                                          2027-04-18
        |
1 first ----------------------------------------------------------------------S

- could sign   S its own policy ends its right to sign
"
`);
});

test('keys of long ago do not squeeze those of today: they are counted', () => {
  const old = keyRecord(1, { ...born(-400), state: 'RETIRED', activatedAt: NOW - 399 * DAY, ...stopped(-369) });
  expect(draw([named('old', old), ...LIFE.slice(1, 3)])).toMatchInlineSnapshot(`
"
           2026-11-26                     now                        2027-03-09
                                           |
2 signs-no :::::::::::::::::::=============-----------------------------S
3 stands-b       ::::::::::::::::::::::::::-----------------------------------S

: published   - could sign   = active   S its own policy ends its right to sign
1 older key is over and not drawn
"
`);
  expect(draw([named('old', old)])).toBe('\nno key of the last periods to draw\n');
});

test('no line is wider than the terminal, however narrow it says it is, and trails no blanks', () => {
  for (const width of [10, 60, 80, 133, 240])
    for (const unicode of [true, false])
      for (const line of draw(LIFE, { width, unicode }).split('\n')) {
        expect(line).toBe(line.trimEnd());
        expect([width, line.length <= Math.max(60, width)]).toEqual([width, true]);
      }
});
