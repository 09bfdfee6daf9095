import fc from 'fast-check';
import { DEK_BYTES, IV_BYTES, isSealed, openField, sealField } from '../../../lib/domain/evidence/sealed';
import { World } from '../../../lib/local/world';

const dek = Buffer.alloc(DEK_BYTES, 7);
const iv = Buffer.alloc(IV_BYTES, 9);
const place = { pseudonym: 'p-1', context: 'c-1/opened#sealed' };
const closed = expect.objectContaining({
  code: 'ERR_EVIDENCE_SIGNATURE',
  message: 'the sealed field was not sealed for this person and place',
});

test('what was sealed opens in its place', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array({ minLength: 12, maxLength: 12 }), (clear, fresh) => {
      const text = sealField(dek, fresh, place, clear);
      expect(isSealed(text)).toBe(true);
      expect(openField(dek, place, text)).toBe(clear);
    }),
  );
});

test('the text form is three parts, and as long as its clear text and 16 bytes', () => {
  const text = sealField(dek, iv, place, 'Jane Doe');
  expect(text).toMatch(/^v1\.[\w-]{16}\.[\w-]{32}$/);
  expect(text).not.toContain(Buffer.from('Jane').toString('base64url'));
});

test.each([
  ['another person', { pseudonym: 'p-2', context: place.context }],
  ['another record', { pseudonym: place.pseudonym, context: 'c-2/opened#sealed' }],
  ['parts that run into each other', { pseudonym: 'p', context: `-1${place.context}` }],
])('moved to %s it does not open', (_where, elsewhere) => {
  expect(() => openField(dek, elsewhere, sealField(dek, iv, place, 'Jane Doe'))).toThrow(closed);
});

test('under another key it does not open', () => {
  expect(() => openField(Buffer.alloc(DEK_BYTES, 8), place, sealField(dek, iv, place, 'x'))).toThrow(closed);
});

test('with any bit changed it does not open', () => {
  const [, ivText = '', sealed = ''] = sealField(dek, iv, place, 'Jane').split('.');
  const bytes = Buffer.concat([Buffer.from(ivText, 'base64url'), Buffer.from(sealed, 'base64url')]);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const text = `v1.${changed.subarray(0, 12).toString('base64url')}.${changed.subarray(12).toString('base64url')}`;
    expect(() => openField(dek, place, text)).toThrow(closed);
  }
});

test.each([
  '',
  'v1',
  'v1..',
  'v2.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA',
  'v1.AAAAAAAAAAAAAAAA.AAAA',
  'v1.AAAA.AAAAAAAAAAAAAAAAAAAAAA',
  'v1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA==',
  'v1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAB',
  'v1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA.x',
])('%p is no sealed field', (text) => {
  expect(isSealed(text)).toBe(false);
  expect(() => openField(dek, place, text)).toThrow(
    expect.objectContaining({
      code: 'ERR_EVIDENCE_FORMAT',
      message: 'the sealed field is not v1.<iv>.<ciphertext and tag>',
    }),
  );
});

test.each([
  [{ pseudonym: '', context: 'c' }],
  [{ pseudonym: 'p', context: '' }],
  [{ pseudonym: 'p\0', context: 'c' }],
  [{ pseudonym: 'p', context: 'a\0c' }],
])('%p is no place to seal for', (bad) => {
  expect(() => sealField(dek, iv, bad, 'x')).toThrow(
    expect.objectContaining({
      code: 'ERR_INPUT_INVALID',
      message: 'the pseudonym or the context is empty or holds a NUL',
    }),
  );
});

test('a short key or IV is refused', () => {
  expect(() => sealField(dek.subarray(1), iv, place, 'x')).toThrow(
    expect.objectContaining({ message: 'the key of the person is not 32 bytes' }),
  );
  expect(() => sealField(dek, iv.subarray(1), place, 'x')).toThrow(
    expect.objectContaining({ message: 'the IV is not 12 bytes' }),
  );
});

test('once the key of a person is shredded, nothing of theirs opens, and others still do', async () => {
  const { sealer } = new World();
  const [mine, other] = [await sealer.seal('p-1', 'c-1', 'Jane'), await sealer.seal('p-2', 'c-2', 'John')];
  expect(await sealer.open('p-1', 'c-1', mine)).toBe('Jane');
  sealer.shred('p-1');
  await expect(sealer.open('p-1', 'c-1', mine)).rejects.toThrow(expect.objectContaining({ code: 'ERR_NOT_FOUND' }));
  expect(await sealer.open('p-2', 'c-2', other)).toBe('John');
});
