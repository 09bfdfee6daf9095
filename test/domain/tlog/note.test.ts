import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import {
  formatNote,
  formatVerifierKey,
  keyHashOf,
  parseNote,
  parseVerifierKey,
  verifierKeyOf,
  verifyNote,
} from '../../../lib/domain/tlog/note';

const format = (message: string) => expect.objectContaining({ code: 'ERR_EVIDENCE_FORMAT', message });
const parse = (text: string) => parseNote(Buffer.from(text));

/** https://pkg.go.dev/golang.org/x/mod/sumdb/note, ExampleOpen. */
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const NOTE = `${TEXT}\n${LINE}`;

describe('https://pkg.go.dev/golang.org/x/mod/sumdb/note', () => {
  test('the example opens under its key', () => {
    const note = parse(NOTE);
    expect(note.text).toBe(TEXT);
    expect(note.signatures.map(({ name, keyHash }) => [name, keyHash.toString('hex')])).toEqual([
      ['PeterNeumann', 'c74f20a3'],
    ]);
    verifyNote(note, parseVerifierKey(PETER));
  });

  test('and is what its signer key makes', () => {
    const seed = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
    const signature = sign(null, Buffer.from(TEXT), createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
    const key = parseVerifierKey(PETER);
    expect(formatNote({ text: TEXT, signatures: [{ name: key.name, keyHash: keyHashOf(key), signature }] })).toBe(NOTE);
  });

  test.each(['EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop', PETER])(
    '%s is a verifier key',
    (vkey) => {
      expect(formatVerifierKey(parseVerifierKey(vkey))).toBe(vkey);
    },
  );
});

test('https://c2sp.org/signed-note: the example, with an empty line in its text, is read and written back', () => {
  const example =
    'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n';
  expect(parse(example).text.endsWith('\n\ned è subito sera.\n')).toBe(true);
  expect(formatNote(parse(example))).toBe(example);
});

describe('a note is refused', () => {
  test.each<[string, string, string]>([
    ['empty', '', 'a signed note is a text, a blank line and signatures'],
    ['without signatures', TEXT, 'a signed note is a text, a blank line and signatures'],
    ['without a text', `\n\n${LINE}`, 'a signed note is a text, a blank line and signatures'],
    ['with an empty signature block', `${TEXT}\n`, 'a signed note has 1 to 100 signatures'],
    ['without the last newline', NOTE.slice(0, -1), 'a signed note ends with a newline'],
    ['with CRLF', NOTE.replaceAll('\n', '\r\n'), 'a signed note holds no control character but newlines'],
    ['with a tab', NOTE.replace('you', '\tyou'), 'a signed note holds no control character but newlines'],
    ['with a NUL', NOTE.replace('you', '\0'), 'a signed note holds no control character but newlines'],
    ['with a hyphen for the dash', NOTE.replace('—', '-'), 'a signed note has signature lines: "— <name> <base64>"'],
    ['with two spaces', NOTE.replace('— P', '—  P'), 'a signed note has signature lines: "— <name> <base64>"'],
    [
      'with a trailing space',
      NOTE.replace('AM=\n', 'AM= \n'),
      'a signed note has signature lines: "— <name> <base64>"',
    ],
    [
      'with a plus in the name',
      NOTE.replace('— Peter', '— Peter+'),
      'a signed note has signature lines: "— <name> <base64>"',
    ],
    [
      'with no more than a key hash',
      `${TEXT}\n— PeterNeumann x08gow==\n`,
      'a signed note has signature lines: "— <name> <base64>"',
    ],
    ['with base64url', NOTE.replace('o/Z', 'o_Z'), 'a signed note is spelled canonically'],
    ['without padding', NOTE.replace('AM=', 'AM'), 'a signed note is spelled canonically'],
    ['with stray bits', NOTE.replace('nAM=', 'nAN='), 'a signed note is spelled canonically'],
    ['with one signer twice', `${NOTE}${LINE}`, 'a signed note has one signature of a key'],
    [
      'with 101 signatures',
      `${TEXT}\n${Array.from({ length: 101 }, (_, i) => LINE.replace('Peter', `P${i}`)).join('')}`,
      'a signed note has 1 to 100 signatures',
    ],
    ['with a text after the signatures', `${NOTE}more\n`, 'a signed note has signature lines: "— <name> <base64>"'],
  ])('%s', (_what, text, message) => {
    expect(() => parse(text)).toThrow(format(message));
  });

  test('that is not UTF-8', () => {
    expect(() => parseNote(Buffer.concat([Buffer.of(0xff), Buffer.from(NOTE)]))).toThrow(
      format('a signed note is UTF-8'),
    );
  });

  test('beyond a megabyte', () => {
    expect(() => parse(`${'x'.repeat(1 << 20)}\n\n${LINE}`)).toThrow(format('a signed note is at most 1048576 bytes'));
  });
});

describe('a verifier key is refused', () => {
  test.each([
    '',
    'PeterNeumann',
    PETER.replace('c74f20a3', 'c74f20a4'),
    PETER.replace('c74f20a3', 'C74F20A3'),
    PETER.replace('PeterNeumann', 'Peter Neumann'),
    PETER.replace('PeterNeumann', ''),
    `${PETER}\n`,
    ` ${PETER}`,
    `${PETER}=`,
    PETER.slice(0, -4),
    // Go's vector of an unknown algorithm, with its right hash
    'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  ])('%p', (vkey) => {
    expect(() => parseVerifierKey(vkey)).toThrow(
      format('the verifier key is not <name>+<hash>+<base64 of type 1 and key>'),
    );
  });

  test('that is not Ed25519', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    expect(() => verifierKeyOf('log', spki)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message: 'the key is not an Ed25519 key' }),
    );
  });
});

describe('a signature', () => {
  const peter = parseVerifierKey(PETER);
  const refused = (message: string) => expect.objectContaining({ code: 'ERR_EVIDENCE_SIGNATURE', message });

  test('over another text is wrong', () => {
    const note = parse(NOTE.replace('cryptography', 'cryptographY'));
    expect(() => verifyNote(note, peter)).toThrow(refused('the signature of the note is wrong'));
  });

  test('of another name or another hash is not ours', () => {
    expect(() => verifyNote(parse(NOTE.replace('— Peter', '— peter')), peter)).toThrow(
      refused('the note carries no signature of this key'),
    );
    expect(() => verifyNote(parse(NOTE.replace('x08go', 'y08go')), peter)).toThrow(
      refused('the note carries no signature of this key'),
    );
  });

  test('holds beside those of keys we do not know', () => {
    verifyNote(parse(`${TEXT}\n${LINE.replace('Peter', 'witness.example/')}${LINE}`), peter);
  });
});
