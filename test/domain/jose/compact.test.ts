import { compactVerify } from 'jose';
import { ALGORITHMS, type SigningAlgorithm } from '../../../lib/domain/jose/algorithm';
import { assemble, parseCompact, signingInput, TOKEN_BYTES_MAX } from '../../../lib/domain/jose/compact';
import { keyObject } from '../../../lib/domain/jose/jwk';
import { isSigned } from '../../../lib/domain/jose/signature';
import { encode, type SigningKey, signingKey, signJws, withOtherS } from '../../support/keys';
import { ODD_VALUES } from '../../support/odd';

const key = signingKey();
const header = { alg: 'ES256', kid: key.jwk.kid, typ: 'at+jwt' };
const payload = { iss: 'https://id.example', sub: 'member-1', exp: 1_800_000_000 };
const malformed = (message: string) => expect.objectContaining({ code: 'ERR_TOKEN_MALFORMED', message });
const headerRefused = (message: string) => expect.objectContaining({ code: 'ERR_TOKEN_HEADER', message });

/** base64url's own letters, the two of plain base64, and what other parsers skip. */
const ALPHABET = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', ...'+/=. \n\t\0', '\u00e9'];

/** Every string that is one substitution, insertion or deletion away. */
function* mutantsOf(token: string): Generator<string> {
  for (let at = 0; at <= token.length; at++) {
    const [before, after] = [token.slice(0, at), token.slice(at + 1)];
    if (at < token.length) yield before + after;
    for (const letter of ALPHABET) {
      yield before + letter + token.slice(at);
      if (at < token.length && token[at] !== letter) yield before + letter + after;
    }
  }
}

function isAccepted(token: string, { jwk }: SigningKey): boolean {
  try {
    const { signature, signingInput: input } = parseCompact(token);
    return isSigned(jwk, input, signature);
  } catch {
    return false;
  }
}

test('every one-character mutant of a valid token is refused, and so is its twin signature, which jose accepts', async () => {
  const token = signJws(key, header, { sub: 'm' });
  expect(isAccepted(token, key)).toBe(true);
  const mutants = [...new Set(mutantsOf(token))].filter((mutant) => mutant !== token);
  expect(mutants.length).toBeGreaterThan(25_000);
  expect(mutants.filter((mutant) => isAccepted(mutant, key))).toEqual([]);

  const other = withOtherS(token);
  await expect(compactVerify(other, keyObject(key.jwk))).resolves.toBeDefined();
  expect(isAccepted(other, key)).toBe(false);
});

test.each(Object.keys(ALGORITHMS) as SigningAlgorithm[])(
  'a %s signature with any bit flipped, any byte more or any byte less is refused',
  (alg) => {
    const other = signingKey(alg);
    const token = signJws(other, { alg, kid: other.jwk.kid, typ: 'at+jwt' }, payload);
    const start = token.lastIndexOf('.') + 1;
    const signature = Buffer.from(token.slice(start), 'base64url');
    const mutants = [
      signature.subarray(1),
      signature.subarray(0, -1),
      Buffer.concat([signature, Buffer.alloc(1)]),
      Buffer.concat([Buffer.alloc(1), signature]),
    ];
    for (let bit = 0; bit < signature.length * 8; bit++) {
      const flipped = Buffer.from(signature);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      mutants.push(flipped);
    }
    expect(isAccepted(token, other)).toBe(true);
    expect(mutants.filter((mutant) => isAccepted(token.slice(0, start) + encode(mutant), other))).toEqual([]);
  },
);

test('what we write is what we read', () => {
  const token = signJws(key, header, payload);
  const parsed = parseCompact(token);
  expect(parsed.header).toEqual(header);
  expect(JSON.parse(parsed.payload.toString())).toEqual(payload);
  expect(assemble(parsed.signingInput, parsed.signature)).toBe(token);
  expect(signingInput(header, parsed.payload).equals(parsed.signingInput)).toBe(true);
});

test('what is no string is no token', () => {
  for (const odd of ODD_VALUES.filter((value) => typeof value !== 'string'))
    expect(() => parseCompact(odd)).toThrow(malformed('the token is not a string'));
});

test('a token has three parts that are not empty', () => {
  const token = signJws(key, header, payload);
  for (const odd of ['', 'a', 'a.b', `${token}.`, `.${token}`, token.replace('.', '..')])
    expect(() => parseCompact(odd)).toThrow(malformed('the token does not have three parts'));
  const [first, second, third] = token.split('.');
  for (const odd of ['..', `${first}..${third}`, `.${second}.${third}`, `${first}.${second}.`])
    expect(() => parseCompact(odd)).toThrow(malformed('a part of the token is not canonical base64url'));
});

test('the other spellings of base64url are refused', () => {
  const [first, second, third = ''] = signJws(key, header, payload).split('.');
  // 64 bytes leave four bits over in the last letter: A, Q, g and w are its only canonical ones.
  const strayBits = third.slice(0, -1) + String.fromCharCode(third.charCodeAt(third.length - 1) + 1);
  for (const spelling of [
    `${third}=`,
    `${third}==`,
    ` ${third}`,
    `${third}\n`,
    `${third.slice(0, 9)} ${third.slice(9)}`,
    `${third.slice(0, -2)}+/`,
    strayBits,
  ])
    expect(() => parseCompact(`${first}.${second}.${spelling}`)).toThrow(
      malformed('a part of the token is not canonical base64url'),
    );
});

test('the token is larger than 8 KiB, and a megabyte is refused before it is looked at', () => {
  const fill = (length: number) => `${encode(header)}.${encode('x'.repeat(length))}.${encode('s')}`;
  expect(() => parseCompact('a'.repeat(TOKEN_BYTES_MAX + 1))).toThrow(malformed('the token is larger than 8192 bytes'));
  expect(() => parseCompact(fill(1_000_000))).toThrow(malformed('the token is larger than 8192 bytes'));
  expect(() => parseCompact('.'.repeat(1_000_000))).toThrow(malformed('the token is larger than 8192 bytes'));
  expect(parseCompact(fill(6000)).payload).toHaveLength(6000);
});

describe('a header is exactly alg, kid and typ', () => {
  const parse = (odd: string | object) => () => parseCompact(signJws(key, odd, payload));
  const { jwk } = key;

  test.each<[string, object]>([
    ['crit', { ...header, crit: ['exp'] }],
    ['b64', { ...header, b64: false, crit: ['b64'] }],
    ['jwk', { ...header, jwk }],
    ['jku', { ...header, jku: 'https://evil.example/jwks' }],
    ['x5c', { ...header, x5c: ['MII'] }],
    ['x5u', { ...header, x5u: 'https://evil.example' }],
    ['zip', { ...header, zip: 'DEF' }],
    ['enc', { ...header, enc: 'A128GCM' }],
    ['p2c', { ...header, p2c: 2_000_000_000 }],
    ['no kid', { alg: 'ES256', typ: 'at+jwt' }],
    ['no typ', { alg: 'ES256', kid: 'k' }],
    ['no alg', { kid: 'k', typ: 'at+jwt' }],
    ['nothing', {}],
    ['a list', ['alg', 'kid', 'typ']],
  ])('%s is refused', (_what, odd) => {
    expect(parse(odd)).toThrow(headerRefused('the header has other members than alg, kid and typ'));
  });

  test.each(['null', '7', '"alg,kid,typ"', 'true', '{"__proto__":{},"alg":"ES256","kid":"k","typ":"at+jwt"}'])(
    '%s is refused',
    (odd) => {
      expect(parse(odd)).toThrow(headerRefused('the header has other members than alg, kid and typ'));
    },
  );

  test.each(['{', 'x', '{"alg":"ES256",}', "{'alg':1}", '\ufeff{}', '{}{}'])('%s is no JSON', (odd) => {
    expect(parse(odd)).toThrow(headerRefused('the header is not JSON'));
  });

  test.each([
    ['a member twice', '{"alg":"none","alg":"ES256","kid":"k","typ":"at+jwt"}'],
    ['a member twice, spelled differently', '{"alg":"ES256","kid":"k","typ":"at+jwt","\\u0061lg":"ES256"}'],
    ['white space', '{"alg": "ES256","kid":"k","typ":"at+jwt"}'],
    ['leading white space', ' {"alg":"ES256","kid":"k","typ":"at+jwt"}'],
    ['a trailing newline', '{"alg":"ES256","kid":"k","typ":"at+jwt"}\n'],
    ['an escape', '{"alg":"ES256","kid":"k","typ":"at\\u002bjwt"}'],
    ['a solidus escape', '{"alg":"ES256","kid":"k","typ":"at\\/jwt"}'],
  ])('%s is a second spelling, and refused', (_what, odd) => {
    expect(parse(odd)).toThrow(headerRefused('the header is not spelled as JSON.stringify spells it'));
  });

  test('alg, kid and typ are strings, and a kid reaches no path, query, header or shell', () => {
    const message = 'alg, kid or typ is not a short string';
    for (const name of ['alg', 'kid', 'typ'])
      for (const odd of ODD_VALUES.filter((value) => typeof value !== 'string' && JSON.stringify(value) !== undefined))
        expect(parse({ ...header, [name]: odd })).toThrow(headerRefused(message));
    for (const kid of [
      '',
      '../../keys',
      '/etc/passwd',
      "' OR 1=1 --",
      'k\r\nX-Evil: 1',
      'k?x=1',
      'k#',
      '$(id)',
      'a'.repeat(65),
      'k'.repeat(4000),
      'é',
      'a b',
      '%2e%2e',
    ])
      expect(parse({ ...header, kid })).toThrow(expect.objectContaining({ code: 'ERR_TOKEN_HEADER', message }));
  });
});

test('no refusal quotes the token', () => {
  const token = signJws(key, header, { sub: 'secret-member' });
  for (const odd of [
    `${token}=`,
    `${token}.x`,
    token.slice(1),
    signJws(key, { ...header, crit: [] }, { sub: 'secret-member' }),
  ]) {
    try {
      parseCompact(odd);
      throw new Error('was accepted');
    } catch (error) {
      const said = JSON.stringify(error) + String((error as Error).message);
      for (const part of odd.split('.').filter(({ length }) => length > 8)) expect(said).not.toContain(part);
    }
  }
});
