import { sign } from 'node:crypto';
import { compactVerify } from 'jose';
import { isCurfewError } from '../../../lib/domain/base/errors';
import { keyObject } from '../../../lib/domain/jose/jwk';
import { fromDer, isSigned, toJws } from '../../../lib/domain/jose/signature';
import { derInteger, derSignature, tagged } from '../../support/der';
import { derFailures, edgesOf, expectedHex, orderOf } from '../../support/der-trial';
import { counted, extent } from '../../support/extent';
import { bytesOf, encode, numberOf, signingKey } from '../../support/keys';

const WIDTHS = [32, 48] as const;
const TRIES = extent(10_000, 50_000);
const N = orderOf;
const refused = (why: string) =>
  expect.objectContaining({
    code: 'ERR_SIGNATURE_ENCODING',
    message: `the signature is not a DER ECDSA signature: ${why}`,
  });

describe.each(WIDTHS)('%i bytes a half', (width) => {
  test('random and edge signatures arrive as r and the lower s, each in its full width', () => {
    const failures = derFailures(width, TRIES);
    process.stdout.write(`DER to JWS, ${width} bytes a half: ${failures} failures of ${counted(TRIES)}\n`);
    expect(failures).toBe(0);
  });

  test('every length an INTEGER can have, with its top bit set and clear, in both halves', () => {
    const pairs = edgesOf(width).flatMap((edge) =>
      [1n, 0x80n, N(width) - 1n].flatMap((other) => [[edge, other] as const, [other, edge] as const]),
    );
    const wrong = pairs.filter(
      ([r, s]) => fromDer(derSignature(r, s), width).toString('hex') !== expectedHex(r, s, width),
    );
    expect(wrong).toEqual([]);
    expect(pairs.length).toBeGreaterThan(width * 16 * 5);
  });

  test('zero, the order and beyond are no halves of a signature', () => {
    for (const odd of [0n, N(width), N(width) + 1n, (1n << BigInt(width * 8)) - 1n]) {
      expect(() => fromDer(derSignature(odd, 1n), width)).toThrow(refused('an INTEGER is out of range'));
      expect(() => fromDer(derSignature(1n, odd), width)).toThrow(refused('an INTEGER is out of range'));
    }
  });
});

describe('DER has one spelling', () => {
  const one = derInteger(1n);
  const sequence = (...parts: Buffer[]) => tagged(0x30, Buffer.concat(parts));
  const padded = tagged(0x02, Buffer.from([0, 1]));
  const negative = tagged(0x02, Buffer.from([0x80]));
  const empty = tagged(0x02, Buffer.alloc(0));
  const longForm = Buffer.concat([Buffer.from([0x30, 0x81, 6]), one, one]);
  const indefinite = Buffer.concat([Buffer.from([0x30, 0x80]), one, one, Buffer.alloc(2)]);

  test.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'it is not one short SEQUENCE'],
    ['r‖s already', Buffer.alloc(64, 1), 'it is not one short SEQUENCE'],
    ['a SET', tagged(0x31, Buffer.concat([one, one])), 'it is not one short SEQUENCE'],
    ['a length in long form', longForm, 'it is not one short SEQUENCE'],
    ['an indefinite length', indefinite, 'it is not one short SEQUENCE'],
    ['a byte after it', Buffer.concat([sequence(one, one), Buffer.alloc(1)]), 'it is not one short SEQUENCE'],
    ['a byte less', sequence(one, one).subarray(0, -1), 'it is not one short SEQUENCE'],
    ['a third INTEGER', sequence(one, one, one), 'something follows it'],
    ['a NULL after it', sequence(one, one, tagged(0x05, Buffer.alloc(0))), 'something follows it'],
    ['one INTEGER', sequence(one), 'an INTEGER is cut short'],
    ['no INTEGER', sequence(), 'an INTEGER is cut short'],
    ['an OCTET STRING for r', sequence(tagged(0x04, Buffer.from([1])), one), 'an INTEGER is cut short'],
    ['an empty r', sequence(empty, one), 'an INTEGER is cut short'],
    ['an empty s', sequence(one, empty), 'an INTEGER is cut short'],
    ['an s that ends too late', Buffer.from([0x30, 6, 2, 1, 1, 2, 2, 1]), 'an INTEGER is cut short'],
    ['an r in long form', sequence(Buffer.from([0x02, 0x81, 1, 1]), one), 'an INTEGER is cut short'],
    ['a padded r', sequence(padded, one), 'an INTEGER is padded'],
    ['a padded s', sequence(one, padded), 'an INTEGER is padded'],
    ['a negative r', sequence(negative, one), 'an INTEGER is negative'],
    ['a negative s', sequence(one, negative), 'an INTEGER is negative'],
  ])('%s is refused', (_what, der, why) => {
    for (const width of WIDTHS) expect(() => fromDer(der, width)).toThrow(refused(why));
  });

  test('every byte changed, cut off or added gives another signature or a refusal, never the same one', () => {
    const der = derSignature(N(32) - 5n, 0x1234n << 200n);
    const spelling = fromDer(der, 32).toString('hex');
    const same: string[] = [];
    for (let at = 0; at < der.length; at++)
      for (let value = 0; value < 256; value++) {
        if (value === der[at]) continue;
        const changed = Buffer.from(der);
        changed[at] = value;
        try {
          if (fromDer(changed, 32).toString('hex') === spelling) same.push(`${at}:${value}`);
        } catch (error) {
          if (!isCurfewError(error, 'ERR_SIGNATURE_ENCODING')) throw error;
        }
      }
    expect(same).toEqual([]);
  });
});

describe('what KMS returns', () => {
  test.each([
    ['ES256', 400],
    ['ES384', 60],
  ] as const)('of %s verifies with us and with jose, %i times out of as many', async (alg, times) => {
    const { jwk, privateKey } = signingKey(alg);
    const hash = alg === 'ES256' ? 'sha256' : 'sha384';
    for (let n = 0; n < times; n++) {
      const input = Buffer.from(`${encode({ alg })}.${encode(String(n))}`);
      const signature = toJws(alg, sign(hash, input, { key: privateKey, dsaEncoding: 'der' }));
      expect(signature).toHaveLength(alg === 'ES256' ? 64 : 96);
      expect(isSigned(jwk, input, signature)).toBe(true);
      await compactVerify(`${input}.${encode(signature)}`, keyObject(jwk));
    }
  });

  test('of Ed25519 and RSA stands in the JWS as it is', () => {
    const bytes = Buffer.from([1, 2, 3]);
    for (const alg of ['EdDSA', 'RS256', 'PS256'] as const) expect(toJws(alg, bytes)).toEqual(bytes);
  });
});

describe('a signature counts', () => {
  const { jwk, privateKey } = signingKey();
  const input = Buffer.from('a.b');
  const good = toJws('ES256', sign('sha256', input, { key: privateKey, dsaEncoding: 'der' }));
  const withHalves = (r: bigint, s: bigint) => Buffer.concat([bytesOf(r, 32), bytesOf(s, 32)]);
  const [r, s] = [numberOf(good.subarray(0, 32)), numberOf(good.subarray(32))];

  test('with the lower s only', () => {
    expect(isSigned(jwk, input, good)).toBe(true);
    expect(isSigned(jwk, input, withHalves(r, N(32) - s))).toBe(false);
  });

  test('never with a half of zero, the order, or beyond it (CVE-2022-21449)', () => {
    for (const odd of [0n, N(32), (1n << 256n) - 1n])
      for (const bytes of [withHalves(odd, odd), withHalves(odd, s), withHalves(r, odd)])
        expect(isSigned(jwk, input, bytes)).toBe(false);
  });

  test('never as DER, empty, or of another length', () => {
    for (const bytes of [
      Buffer.alloc(0),
      derSignature(r, s),
      good.subarray(1),
      Buffer.concat([good, good]),
      Buffer.alloc(96),
    ])
      expect(isSigned(jwk, input, bytes)).toBe(false);
  });

  test('under its own key and message only', () => {
    expect(isSigned(signingKey().jwk, input, good)).toBe(false);
    expect(isSigned(jwk, Buffer.from('a.c'), good)).toBe(false);
  });

  test('of PS256 with a salt of 32 bytes and no other, and not as RS256', () => {
    const rsa = signingKey('PS256');
    const salted = (saltLength: number) => sign('sha256', input, { key: rsa.privateKey, padding: 6, saltLength });
    expect([0, 20, 31, 32, 33, 64].map((saltLength) => isSigned(rsa.jwk, input, salted(saltLength)))).toEqual([
      false,
      false,
      false,
      true,
      false,
      false,
    ]);
    expect(isSigned(rsa.jwk, input, sign('sha256', input, rsa.privateKey))).toBe(false);
    expect(isSigned({ ...rsa.jwk, alg: 'RS256' }, input, salted(32))).toBe(false);
  });
});
