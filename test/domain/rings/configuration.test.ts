import { parseSettings } from '../../../lib/domain/deployment/settings';
import { parseRingConfig, type RingConfig, ringSettings, settingsSha } from '../../../lib/domain/rings/configuration';
import { signingKey } from '../../support/keys';
import { ODD_VALUES, oddBut } from '../../support/odd';
import { DAY, NOW } from '../../support/rings';

const GOOD = {
  id: 'customer-api',
  issuer: 'https://id.shop.example/r/customer-api',
  audience: 'https://api.shop.example',
  algorithm: 'ES256',
  periodSeconds: 30 * DAY,
  maxTtlSeconds: 3600,
  standbyAgeSeconds: undefined,
  verifiers: [],
  legacyKeys: [],
  closing: false,
  exemptions: [],
};
const refused = (message: string, more: object = {}) =>
  expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message, ...more });
const beyond = (message: string, more: object = {}) => refused(message, { code: 'ERR_RING_LIMIT', ...more });

test('a sound configuration is taken as it stands, and the token life has a default', () => {
  expect(parseRingConfig(GOOD)).toEqual(GOOD);
  const { id, issuer, audience, algorithm, periodSeconds } = GOOD;
  expect(parseRingConfig({ id, issuer, audience, algorithm, periodSeconds })).toEqual(GOOD);
});

test('what is no object configures no ring', () => {
  for (const odd of ODD_VALUES.filter((value) => typeof value !== 'object' || value === null))
    expect(() => parseRingConfig(odd)).toThrow(refused('the configuration of a ring is not an object'));
});

test('a ring cannot be configured without a rotation schedule', () => {
  expect(() => parseRingConfig({ ...GOOD, periodSeconds: undefined })).toThrow(
    refused('ring customer-api has no rotation schedule', {
      code: 'ERR_RING_SCHEDULE',
      allowed: '1 h to 90 d',
      fix: 'give a rotation period: periodDays in a configuration file, period of SigningKeyRing',
    }),
  );
});

test('a rotation period is a whole number of seconds within its limits', () => {
  const message = 'the rotation period of ring customer-api is outside its limits';
  const allowed = '1 h to 90 d, in whole seconds';
  for (const periodSeconds of [...oddBut(undefined, null), 3599, 90 * DAY + 1, 3600.5, '3600', Infinity])
    expect(() => parseRingConfig({ ...GOOD, periodSeconds })).toThrow(beyond(message, { allowed }));
  expect(() => parseRingConfig({ ...GOOD, periodSeconds: 400 * DAY })).toThrow(
    beyond(message, { got: '400 d', fix: expect.stringContaining('periodDays') }),
  );
  for (const periodSeconds of [3600, 90 * DAY])
    expect(parseRingConfig({ ...GOOD, periodSeconds }).periodSeconds).toBe(periodSeconds);
});

test('a token life is a whole number of seconds within its limits', () => {
  const message = 'the longest token life of ring customer-api is outside its limits';
  for (const maxTtlSeconds of [...oddBut(undefined, null), 59, DAY + 1])
    expect(() => parseRingConfig({ ...GOOD, maxTtlSeconds })).toThrow(beyond(message));
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
    'https://id.shop.example/r?ring=a',
    'https://id.shop.example/r?',
    'https://id.shop.example/r#a',
    'https://somebody@id.shop.example/r',
    'https://id.shop.example/r ',
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
      refused('a ring may not use this algorithm', { got: algorithm }),
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

test('the sha of the settings sees each of them', () => {
  const settings = ringSettings(parseRingConfig(GOOD), parseSettings());
  const shas = Object.keys(settings).map((name) => settingsSha({ ...settings, [name]: 'changed' as never }));
  expect(new Set([...shas, settingsSha(settings)]).size).toBe(Object.keys(settings).length + 1);
});

describe('the age of a STANDBY', () => {
  const SETTINGS = parseSettings({ propagationSeconds: 60, verifierCacheSeconds: 600 });
  const settings = (more: Partial<RingConfig>) => ringSettings(parseRingConfig({ ...GOOD, ...more }), SETTINGS);
  const verifiers = [
    { name: 'orders', cacheSeconds: 900 },
    { name: 'search', cacheSeconds: 300 },
  ];

  test('is the propagation and the cache of the stage, where no verifier is declared', () => {
    expect(settings({})).toMatchObject({ propagationSeconds: 60, cacheSeconds: 600 });
  });

  test('is the propagation and the largest declared cache; one without a limit sets none, and is kept for the report', () => {
    const unbounded = { name: 'old-gateway', cacheSeconds: 'unbounded' } as const;
    expect(settings({ verifiers })).toMatchObject({ propagationSeconds: 60, cacheSeconds: 900, verifiers });
    expect(settings({ verifiers: [...verifiers, unbounded] })).toMatchObject({ cacheSeconds: 900 });
    expect(settings({ verifiers: [unbounded] })).toMatchObject({ cacheSeconds: 600, verifiers: [unbounded] });
  });

  test('may be longer, to the second not shorter, and no longer than a period', () => {
    expect(settings({ verifiers, standbyAgeSeconds: 5000 })).toMatchObject({
      propagationSeconds: 60,
      cacheSeconds: 4940,
    });
    expect(settings({ verifiers, standbyAgeSeconds: 960 })).toMatchObject({ cacheSeconds: 900 });
    const refusal = (message: string, got: string, allowed: string) =>
      expect.objectContaining({ code: 'ERR_RING_STANDBY_AGE', message, got, allowed, fix: expect.any(String) });
    expect(() => settings({ verifiers, standbyAgeSeconds: 959 })).toThrow(
      refusal(
        'a STANDBY of ring customer-api could sign before every verifier knows it',
        '15 min 59 s',
        '16 min or more: propagation and the largest declared verifier cache',
      ),
    );
    expect(() => settings({ verifiers, periodSeconds: 3600, standbyAgeSeconds: 3601 })).toThrow(
      refusal(
        'a STANDBY of ring customer-api would not be old enough when its turn comes',
        '1 h',
        '1 h at most: the rotation period',
      ),
    );
  });

  test('is a number of seconds', () => {
    for (const standbyAgeSeconds of oddBut(undefined, 0))
      expect(() => parseRingConfig({ ...GOOD, standbyAgeSeconds })).toThrow(
        expect.objectContaining({ code: 'ERR_RING_STANDBY_AGE', got: standbyAgeSeconds }),
      );
  });
});

test('a verifier has no valid name or cache age', () => {
  const declare = (one: unknown) => () => parseRingConfig({ ...GOOD, verifiers: [one] });
  const message = 'a verifier of ring customer-api has no valid name or cache age';
  for (const cacheSeconds of oddBut(0)) expect(declare({ name: 'orders', cacheSeconds })).toThrow(refused(message));
  for (const name of [...oddBut('x', '007'), 'a b', '-'])
    expect(declare({ name, cacheSeconds: 60 })).toThrow(refused(message));
  for (const one of [null, undefined, 7, 'orders']) expect(declare(one)).toThrow(refused(message));
});

test('a ring may sign for longer than the limit only under an exemption that names it, which stands in its settings', () => {
  const exemption = {
    rule: 'ERR_RING_LIMIT',
    subject: 'customer-api',
    approver: 'CHG-7',
    reason: 'test',
    until: '2027-01-31',
  };
  const asked = { ...GOOD, periodSeconds: 180 * DAY };
  expect(() => parseRingConfig(asked)).toThrow(expect.objectContaining({ code: 'ERR_RING_LIMIT' }));
  for (const other of [{ subject: 'another' }, { rule: 'ERR_KEY_OUTSIDE_RING' }])
    expect(() => parseRingConfig({ ...asked, exemptions: [{ ...exemption, ...other }] })).toThrow(
      expect.objectContaining({ code: 'ERR_RING_LIMIT' }),
    );
  const exempt = parseRingConfig({ ...asked, exemptions: [exemption] });
  expect(ringSettings(exempt, parseSettings())).toMatchObject({
    periodSeconds: 180 * DAY,
    periodExemptUntil: Date.parse('2027-02-01T00:00:00Z') / 1000,
    exemptions: [exemption],
  });
  expect(() => parseRingConfig({ ...asked, periodSeconds: 367 * DAY, exemptions: [exemption] })).toThrow(
    expect.objectContaining({ code: 'ERR_RING_LIMIT' }),
  );
});

test('an exemption is stored with the ring, so one that is none is refused, and one past its date is not', () => {
  const past = { rule: 'ERR_RING_LIMIT', subject: 'another', approver: 'CHG-7', reason: 'test', until: '2020-01-31' };
  expect(parseRingConfig({ ...GOOD, exemptions: [past] }).exemptions).toEqual([past]);
  for (const exemptions of ['x', {}, [null], [7], [{}], [{ ...past, until: 7 }], [{ ...past, until: '31 January' }]])
    expect(() => parseRingConfig({ ...GOOD, exemptions })).toThrow(expect.objectContaining({ code: 'ERR_EXEMPTION' }));
  for (const more of [{ rule: 'ERR_NOT_FOUND' }, { approver: '' }, { reason: undefined }, { later: 1 }])
    expect(() => parseRingConfig({ ...GOOD, exemptions: [{ ...past, ...more }] })).toThrow(
      expect.objectContaining({ code: 'ERR_EXEMPTION' }),
    );
});
