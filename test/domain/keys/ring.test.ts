import {
  findKey,
  parseRingConfig,
  RING_LIMITS,
  ringSettings,
  settingsSha,
  signUntilOf,
  verifyUntilOf,
} from '../../../lib/domain/keys/ring';
import { parseSettings } from '../../../lib/domain/settings';
import { signingKey } from '../../support/keys';
import { ODD_VALUES, oddBut } from '../../support/odd';
import { CFG, DAY, NOW, ringWith } from '../../support/rings';

const GOOD = {
  id: 'customer-api',
  issuer: 'https://id.shop.example/r/customer-api',
  audience: 'https://api.shop.example',
  algorithm: 'ES256',
  periodSeconds: 30 * DAY,
  maxTtlSeconds: 3600,
  legacyKeys: [],
};
const refused = (message: string, more: object = {}) =>
  expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message, ...more });

test('a sound configuration is taken as it stands, and the token life has a default', () => {
  expect(parseRingConfig(GOOD)).toEqual(GOOD);
  expect(parseRingConfig({ ...GOOD, maxTtlSeconds: undefined, legacyKeys: undefined })).toEqual(GOOD);
});

test('what is no object configures no ring', () => {
  for (const odd of ODD_VALUES.filter((value) => typeof value !== 'object' || value === null))
    expect(() => parseRingConfig(odd)).toThrow(refused('a ring is configured by an object'));
});

test('a ring cannot be configured without a rotation schedule', () => {
  expect(() => parseRingConfig({ ...GOOD, periodSeconds: undefined })).toThrow(
    refused('ring customer-api has no rotation schedule', {
      allowed: RING_LIMITS.periodSeconds,
      fix: 'give a rotation period',
    }),
  );
});

test('a rotation period is a whole number of seconds within its limits', () => {
  const message = 'the rotation period of ring customer-api is a whole number of seconds from 3600 to 7776000';
  for (const periodSeconds of [...oddBut(undefined, null), 3599, 90 * DAY + 1, 3600.5, '3600', Infinity])
    expect(() => parseRingConfig({ ...GOOD, periodSeconds })).toThrow(
      refused(message, { got: periodSeconds, allowed: { min: 3600, max: 7_776_000 } }),
    );
  for (const periodSeconds of [3600, 90 * DAY])
    expect(parseRingConfig({ ...GOOD, periodSeconds }).periodSeconds).toBe(periodSeconds);
});

test('a token life is a whole number of seconds within its limits', () => {
  const message = 'the longest token life of ring customer-api is a whole number of seconds from 60 to 86400';
  for (const maxTtlSeconds of [...oddBut(undefined, null), 59, DAY + 1])
    expect(() => parseRingConfig({ ...GOOD, maxTtlSeconds })).toThrow(refused(message));
});

test('a ring id is a short lower-case name: it stands in URLs, keys and object names', () => {
  for (const id of [...ODD_VALUES, 'ab', 'Customer', '1ring', 'ring-', 'a/b', 'a#b', '../x', 'ring\n', 'x'.repeat(41)])
    expect(() => parseRingConfig({ ...GOOD, id })).toThrow(
      refused('the ring id is not a short lower-case name', { got: id }),
    );
});

test('an issuer is an https URL without a slash at the end', () => {
  for (const issuer of [
    ...ODD_VALUES,
    'http://id.shop.example',
    'https://',
    'https://id.shop.example/',
    'id.shop.example',
    'javascript:1',
  ])
    expect(() => parseRingConfig({ ...GOOD, issuer })).toThrow(
      refused('the issuer of ring customer-api is not an https URL', { got: issuer }),
    );
});

test('an audience is named', () => {
  for (const audience of oddBut('x', '007', '-1'))
    expect(() => parseRingConfig({ ...GOOD, audience })).toThrow(refused('ring customer-api has no audience'));
});

test('an algorithm is one of the table, by its own name', () => {
  for (const algorithm of [...ODD_VALUES, 'HS256', 'none', 'es256', 'ES512', 'toString', '__proto__'])
    expect(() => parseRingConfig({ ...GOOD, algorithm })).toThrow(
      refused('the algorithm is not one a ring may use', { got: algorithm }),
    );
});

describe('legacy keys', () => {
  const legacy = { jwk: signingKey().jwk, verifyUntil: NOW, approver: 'CHG-7' };

  test('are public keys with an approver and an end', () => {
    expect(parseRingConfig({ ...GOOD, legacyKeys: [legacy] }).legacyKeys).toEqual([legacy]);
    const message = 'a legacy key of ring customer-api needs an approver and an end';
    for (const approver of oddBut('x', '007', '-1'))
      expect(() => parseRingConfig({ ...GOOD, legacyKeys: [{ ...legacy, approver }] })).toThrow(refused(message));
    for (const verifyUntil of oddBut(0, -1))
      expect(() => parseRingConfig({ ...GOOD, legacyKeys: [{ ...legacy, verifyUntil }] })).toThrow(refused(message));
    for (const odd of [null, undefined, 7, 'x'])
      expect(() => parseRingConfig({ ...GOOD, legacyKeys: [odd] })).toThrow(refused(message));
  });

  test('are never given with their private half', () => {
    const jwk = { ...signingKey().privateKey.export({ format: 'jwk' }), alg: 'ES256' };
    expect(() => parseRingConfig({ ...GOOD, legacyKeys: [{ ...legacy, jwk }] })).toThrow(
      refused('the JWK holds a private key'),
    );
  });
});

test('signUntil leaves a STANDBY its wait for two keys, a period of its own and a tenth of grace', () => {
  expect(signUntilOf(NOW, 30 * DAY)).toBe(NOW + 93 * DAY);
  expect(signUntilOf(0, 3601)).toBe(3 * 3601 + 361);
});

test('a key verifies as long as the last token it can have signed', () => {
  expect(verifyUntilOf(NOW, CFG)).toBe(NOW + CFG.maxTtl + CFG.skew);
});

test('the sha of the settings sees each of them', () => {
  const settings = ringSettings(parseRingConfig(GOOD), parseSettings());
  const shas = Object.keys(settings).map((name) => settingsSha({ ...settings, [name]: 'changed' as never }));
  expect(new Set([...shas, settingsSha(settings)]).size).toBe(Object.keys(settings).length + 1);
});

test('a key that the ring has not is refused by name', () => {
  expect(() => findKey(ringWith(), 'no-such-kid')).toThrow(
    expect.objectContaining({ code: 'ERR_NOT_FOUND', message: 'ring customer-api has no key no-such-kid' }),
  );
});
