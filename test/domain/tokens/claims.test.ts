import { buildClaims, type ClaimRules, parseClaims, readClaims, subjectsOf } from '../../../lib/domain/tokens/claims';
import { oddBut } from '../../support/odd';
import { CFG, NOW } from '../../support/rings';

const RULES: ClaimRules = { issuer: CFG.iss, audience: CFG.aud, maxTtlSeconds: 3600, skewSeconds: 30 };
const GOOD = { iss: CFG.iss, aud: CFG.aud, sub: 'member-1', client_id: 'web', jti: 'j-1', iat: NOW, exp: NOW + 3600 };
const parse = (claims: unknown, now = NOW) =>
  parseClaims(Buffer.from(typeof claims === 'string' ? claims : JSON.stringify(claims)), RULES, now);
const refused = (claim: string) =>
  expect.objectContaining({ code: 'ERR_TOKEN_CLAIM', message: `"${claim}" claim check failed`, got: claim });

describe('parseClaims', () => {
  test('gives back what the token says', () => {
    expect(parse({ ...GOOD, scope: 'orders', act: { sub: 'a' } })).toEqual({
      ...GOOD,
      scope: 'orders',
      act: { sub: 'a' },
    });
  });

  test.each(['', '{', 'x', '{"a":1}{', '\ufeff{}'])('%j is not JSON', (text) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'ERR_TOKEN_CLAIM', message: 'the payload is not UTF-8 JSON' }),
    );
  });

  test('bytes that are not UTF-8 are refused, not replaced', () => {
    const payload = Buffer.concat([Buffer.from('{"sub":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    expect(() => parseClaims(payload, RULES, NOW)).toThrow(
      expect.objectContaining({ message: 'the payload is not UTF-8 JSON' }),
    );
  });

  test.each(['null', '7', '"sub"', '[]', 'true'])('%s is no object of claims', (text) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'ERR_TOKEN_CLAIM', message: 'the payload is not a JSON object' }),
    );
  });

  test('iss and aud are the ring’s, exactly; a list with the right one in it is not', () => {
    for (const iss of [...oddBut(), `${CFG.iss}/`, CFG.iss.toUpperCase(), [CFG.iss]])
      expect(() => parse({ ...GOOD, iss })).toThrow(refused('iss'));
    for (const aud of [...oddBut(), `${CFG.aud} `, [CFG.aud], [CFG.aud, 'https://other.example']])
      expect(() => parse({ ...GOOD, aud })).toThrow(refused('aud'));
  });

  test.each(['sub', 'client_id', 'jti'])('%s is a text that is not empty', (name) => {
    for (const odd of oddBut('x', '007', '-1')) expect(() => parse({ ...GOOD, [name]: odd })).toThrow(refused(name));
  });

  test('iat, exp and nbf are whole, safe numbers of seconds', () => {
    const odd = [...oddBut(0), NOW + 0.5, String(NOW), 2 ** 53, -0.0001];
    for (const iat of odd) expect(() => parse({ ...GOOD, iat })).toThrow(refused('iat'));
    for (const exp of odd) expect(() => parse({ ...GOOD, exp })).toThrow(refused('exp'));
    for (const nbf of odd.filter((value) => JSON.stringify({ value }) !== '{}'))
      expect(() => parse({ ...GOOD, nbf })).toThrow(refused('nbf'));
  });

  test('a token lives at most the ring’s maximum, whenever it says it was issued', () => {
    expect(() => parse({ ...GOOD, exp: NOW + 3600 })).not.toThrow();
    for (const exp of [NOW + 3601, NOW, NOW - 1, NOW + 10 * 365 * 86_400])
      expect(() => parse({ ...GOOD, exp })).toThrow(refused('exp'));
    expect(() => parse({ ...GOOD, iat: NOW - 3600, exp: NOW + 1 })).toThrow(refused('exp'));
    expect(() => parse({ ...GOOD, iat: 0 })).toThrow(refused('exp'));
  });

  test('a clock difference of skew is forgiven, and not a second more', () => {
    const atSkew = { ...GOOD, iat: NOW + 30, exp: NOW + 60 };
    expect(() => parse(atSkew)).not.toThrow();
    expect(() => parse({ ...atSkew, iat: NOW + 31 })).toThrow(refused('iat'));
    expect(() => parse({ ...GOOD, nbf: NOW + 30 })).not.toThrow();
    expect(() => parse({ ...GOOD, nbf: NOW + 31 })).toThrow(refused('nbf'));
    expect(() => parse(GOOD, GOOD.exp + 29)).not.toThrow();
    expect(() => parse(GOOD, GOOD.exp + 30)).toThrow(
      expect.objectContaining({ code: 'ERR_TOKEN_EXPIRED', message: 'the token is past its exp', got: 30 }),
    );
  });
});

describe('act', () => {
  const chain = (length: number): object | undefined =>
    length === 0 ? undefined : { sub: `actor-${length}`, act: chain(length - 1) };

  test('everybody in the chain can end the token', () => {
    expect(subjectsOf(parse({ ...GOOD, act: chain(3) }))).toEqual([
      { type: 'sub', value: 'member-1' },
      { type: 'act', value: 'actor-3' },
      { type: 'act', value: 'actor-2' },
      { type: 'act', value: 'actor-1' },
      { type: 'client', value: 'web' },
    ]);
  });

  test('a chain is at most eight long, at issue and at verify', () => {
    expect(() => parse({ ...GOOD, act: chain(8) })).not.toThrow();
    expect(() => parse({ ...GOOD, act: chain(9) })).toThrow(refused('act'));
    expect(() => buildClaims({ sub: 's', client_id: 'c', act: chain(9) }, RULES, 'j', NOW)).toThrow(refused('act'));
  });

  test('an actor is an object with a subject, all the way down', () => {
    for (const act of oddBut(undefined).filter((value) => JSON.stringify({ value }) !== '{}')) {
      expect(() => parse({ ...GOOD, act })).toThrow(refused('act'));
      expect(() => parse({ ...GOOD, act: { sub: 'a', act } })).toThrow(refused('act'));
    }
    for (const sub of oddBut('', 'x', '007', '-1'))
      expect(() => parse({ ...GOOD, act: { sub } })).toThrow(refused('act'));
  });
});

describe('buildClaims', () => {
  const build = (given: Record<string, unknown>) => buildClaims(given, RULES, 'j-1', NOW);
  const input = (message: string) => expect.objectContaining({ code: 'ERR_INPUT_INVALID', message });
  const asked = { sub: 'member-1', client_id: 'web' };

  test('what it builds, parseClaims takes', () => {
    expect(parse(build({ ...asked, scope: 'orders', act: { sub: 'a' } }))).toEqual({
      ...GOOD,
      scope: 'orders',
      act: { sub: 'a' },
    });
  });

  test.each(['iss', 'aud', 'iat', 'exp', 'nbf', 'jti', 'status'])('%s is the issuer’s to set', (name) => {
    for (const value of ['x', 0, null, false, {}])
      expect(() => build({ ...asked, [name]: value })).toThrow(input(`claim ${name} is set by the issuer`));
    expect(build({ ...asked, [name]: undefined })).toEqual(GOOD);
  });

  test('a caller may shorten a token’s life and never lengthen it', () => {
    expect(build({ ...asked, lifeSeconds: 1 }).exp).toBe(NOW + 1);
    for (const lifeSeconds of [...oddBut(undefined, null), 3601, Infinity])
      expect(() => build({ ...asked, lifeSeconds })).toThrow(input('lifeSeconds is not a whole number from 1 to 3600'));
  });

  test.each(['sub', 'client_id'])('%s is a text of 1 to 256 characters', (name) => {
    for (const odd of [...oddBut('x', '007', '-1'), 'x'.repeat(257)])
      expect(() => build({ ...asked, [name]: odd })).toThrow(
        input(`claim ${name} is not a text of 1 to 256 characters`),
      );
  });

  test('a claim called __proto__ is a claim like any other and changes no prototype', () => {
    const claims = build(JSON.parse('{"sub":"member-1","client_id":"web","__proto__":{"iss":"https://evil.example"}}'));
    expect(claims.iss).toBe(CFG.iss);
    expect(Object.getPrototypeOf(claims)).toBe(Object.prototype);
  });
});

describe('readClaims', () => {
  const read = (claims: unknown) => readClaims(Buffer.from(JSON.stringify(claims)));

  test('gives back every claim, of whomever and whenever it is', () => {
    const other = { ...GOOD, iss: 'https://other.example', iat: 1, exp: 2, scope: 'orders', act: { sub: 'a' } };
    expect(read(other)).toEqual(other);
    expect(Object.keys(read(other))).toEqual(Object.keys(other));
  });

  test.each(['iss', 'aud', 'sub', 'client_id', 'jti'])('%s is a text', (name) => {
    for (const odd of oddBut('x', '007', '-1')) expect(() => read({ ...GOOD, [name]: odd })).toThrow(refused(name));
  });

  test.each(['iat', 'exp', 'nbf'])('%s is a whole number', (name) => {
    const given = oddBut(0, ...(name === 'nbf' ? [undefined] : [])).filter((odd) => typeof odd !== 'function');
    for (const odd of given) expect(() => read({ ...GOOD, [name]: odd })).toThrow(refused(name));
  });

  test('who acts is a chain of subjects', () => {
    for (const act of [null, 'x', [], {}, { sub: 7 }, { sub: 'a', act: null }])
      expect(() => read({ ...GOOD, act })).toThrow(refused('act'));
  });
});
