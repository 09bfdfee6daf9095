import { instant, span } from '../../../lib/domain/base/time';

test.each([
  [0, '0 s'],
  [3.2, '3.2 s'],
  [59, '59 s'],
  [59.96, '1 min'],
  [61, '1 min 1 s'],
  [3600, '1 h'],
  [3659, '1 h'],
  [7500, '2 h 5 min'],
  [86_399, '23 h 59 min'],
  [86_400, '1 d'],
  [100_000, '1 d 3 h'],
])('%d seconds are %s', (seconds, said) => expect(span(seconds)).toBe(said));

test('an instant is UTC, to the millisecond', () => {
  expect(instant(1_800_000_000)).toBe('2027-01-15T08:00:00Z');
  expect(instant(1_800_000_000.25)).toBe('2027-01-15T08:00:00.250Z');
});

test.each([-1, Number.MAX_SAFE_INTEGER, Number.NaN])('%d is no instant', (at) => {
  expect(instant(at)).toBe('an instant out of range');
});
