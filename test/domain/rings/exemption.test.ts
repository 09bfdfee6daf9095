import { EXEMPTABLE, endOf, isExempt, parseExemptions } from '../../../lib/domain/rings/exemption';
import { ODD_VALUES, oddBut } from '../../support/odd';

const NOW = Date.parse('2026-11-23T12:00:00Z') / 1000;
const GOOD = {
  rule: 'ERR_KEY_OUTSIDE_RING',
  subject: 'Legacy/SigningKey',
  approver: 'CHG-7',
  reason: 'the partner cannot fetch a JWKS yet',
  until: '2027-03-31',
} as const;
const refused = (message: string, more: object = {}) =>
  expect.objectContaining({ code: 'ERR_EXEMPTION', message, fix: expect.any(String), ...more });
const parsing = (more: object) => () => parseExemptions([{ ...GOOD, ...more }], NOW);
const WHAT = 'the exemption of Legacy/SigningKey from ERR_KEY_OUTSIDE_RING';

test('an exemption names what is let through, who approved it, why, and until when', () => {
  expect(parseExemptions([GOOD], NOW)).toEqual([GOOD]);
  expect(isExempt([GOOD], 'ERR_KEY_OUTSIDE_RING', 'Legacy/SigningKey')).toBe(true);
  expect(isExempt([GOOD], 'ERR_RING_LIMIT', 'Legacy/SigningKey')).toBe(false);
  expect(isExempt([GOOD], 'ERR_KEY_OUTSIDE_RING', 'Legacy')).toBe(false);
});

test('it counts to the end of its last day, UTC, and not a second longer', () => {
  const until = '2026-11-23';
  const end = Date.parse('2026-11-24T00:00:00Z') / 1000;
  expect(endOf({ until })).toBe(end);
  expect(parseExemptions([{ ...GOOD, until }], end - 1)).toHaveLength(1);
  expect(() => parseExemptions([{ ...GOOD, until }], end)).toThrow(
    refused(`${WHAT} is past its date`, { got: until, allowed: '2026-11-24' }),
  );
});

test('for more than a year it is not given', () => {
  expect(parsing({ until: '2027-11-23' })).not.toThrow();
  expect(parsing({ until: '2027-11-25' })).toThrow(refused(`${WHAT} is for longer than a year`));
});

test('without approver, reason or date it is none', () => {
  for (const approver of [...oddBut('x', '007', '-1'), ' '])
    expect(parsing({ approver })).toThrow(refused(`${WHAT} has no approver`));
  for (const reason of [...oddBut('x', '007', '-1'), ' '])
    expect(parsing({ reason })).toThrow(refused(`${WHAT} has no reason`));
  for (const until of [...ODD_VALUES, '2027-02-30', '2027-3-1', '31.12.2026', '2027-03-31T00:00:00Z'])
    expect(parsing({ until })).toThrow(refused(`${WHAT} has no date`, { got: until }));
});

test('only some rules can be let through, and never everything at once', () => {
  for (const rule of [
    ...ODD_VALUES,
    'ERR_RING_SCHEDULE',
    'ERR_RING_STANDBY_AGE',
    'ERR_EVIDENCE_UNLOCKED',
    '*',
    'toString',
  ])
    expect(parsing({ rule })).toThrow(
      refused('no exemption exists from this rule', { allowed: Object.keys(EXEMPTABLE) }),
    );
  for (const subject of oddBut('x', '007', '-1'))
    expect(parsing({ subject })).toThrow(refused('an exemption from ERR_KEY_OUTSIDE_RING has no subject'));
  expect(parsing({ forever: true })).toThrow(refused('an exemption has an unknown member', { got: 'forever' }));
  for (const odd of [null, 7, 'x'])
    expect(() => parseExemptions([odd], NOW)).toThrow(refused('an exemption is not an object'));
  for (const odd of [undefined, null, {}, 'x'])
    expect(() => parseExemptions(odd, NOW)).toThrow(refused('exemptions are not a list'));
});
