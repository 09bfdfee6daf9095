import { findKey, signUntilOf, verifyUntilOf } from '../../../lib/domain/rings/ring';
import { CFG, DAY, NOW, ringWith } from '../../support/rings';

test('signUntil leaves a STANDBY its wait for two keys, a period of its own and a tenth of grace', () => {
  expect(signUntilOf(NOW, 30 * DAY)).toBe(NOW + 93 * DAY);
  expect(signUntilOf(0, 3601)).toBe(3 * 3601 + 361);
});

test('a key verifies as long as the last token it can have signed', () => {
  expect(verifyUntilOf(NOW, CFG)).toBe(NOW + CFG.maxTtlSeconds + CFG.skewSeconds);
});

test('a key that the ring has not is refused by name', () => {
  expect(() => findKey(ringWith(), 'no-such-kid')).toThrow(
    expect.objectContaining({ code: 'ERR_NOT_FOUND', message: 'ring customer-api has no key no-such-kid' }),
  );
});
