/**
 * C2SP signed notes: a text, a blank line, and one line a signature. Verifier keys in their text form.
 *
 *     curfew.example/evidence
 *     923748
 *     nND/nri/U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=
 *
 *     — curfew.example/evidence <base64 of key hash and signature>
 *
 *     curfew.example/evidence+530d903a+<base64 of 0x01 and the Ed25519 public key>        a verifier key ("vkey")
 *
 * Lines of keys we do not know are kept and not judged: witnesses and a successor key will add theirs.
 */
import { createPublicKey, verify } from 'node:crypto';
import { sha256 } from '../base/encoding';
import { CurfewError } from '../base/errors';

const ED25519 = 0x01;
const KEY_BYTES = 32;
const HASH_BYTES = 4;
const SIGNATURES_MAX = 100;
const NOTE_BYTES_MAX = 1 << 20;
/** What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

interface NoteSignature {
  readonly name: string;
  /** Key hash, which the specification also calls key ID. */
  readonly keyHash: Buffer;
  readonly signature: Buffer;
}

export interface Note {
  /** Ends with a newline; this is what is signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface VerifierKey {
  readonly name: string;
  readonly publicKey: Buffer;
}

export function formatNote({ text, signatures }: Note): string {
  const lines = signatures.map(
    ({ name, keyHash, signature }) => `— ${name} ${Buffer.concat([keyHash, signature]).toString('base64')}\n`,
  );
  return `${text}\n${lines.join('')}`;
}

/** Accepts one spelling: `formatNote(parseNote(bytes))` gives the same bytes, or it is refused. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > NOTE_BYTES_MAX) throw malformed(`is at most ${NOTE_BYTES_MAX} bytes`);
  const whole = Buffer.from(bytes).toString('utf8');
  if (!Buffer.from(whole).equals(bytes)) throw malformed('is UTF-8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the specification forbids
  if (/[\x00-\x09\x0b-\x1f]/.test(whole)) throw malformed('holds no control character but newlines');

  const end = whole.lastIndexOf('\n\n');
  if (end < 1) throw malformed('is a text, a blank line and signatures');
  const lines = whole.slice(end + 2).split('\n');
  if (lines.pop() !== '') throw malformed('ends with a newline');
  if (lines.length < 1 || lines.length > SIGNATURES_MAX) throw malformed(`has 1 to ${SIGNATURES_MAX} signatures`);

  const note = { text: whole.slice(0, end + 1), signatures: lines.map(parseSignatureLine) };
  const signers = note.signatures.map(({ name, keyHash }) => `${name} ${keyHash.toString('hex')}`);
  if (new Set(signers).size !== signers.length) throw malformed('has one signature of a key');
  if (formatNote(note) !== whole) throw malformed('is spelled canonically');
  return note;
}

function parseSignatureLine(line: string): NoteSignature {
  const [, name = '', encoded = ''] = /^— (\S+) (\S+)$/u.exec(line) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (!isKeyName(name) || bytes.length <= HASH_BYTES) throw malformed('has signature lines: "— <name> <base64>"');
  return { name, keyHash: bytes.subarray(0, HASH_BYTES), signature: bytes.subarray(HASH_BYTES) };
}

/** SHA-256(name || 0x0A || type || key)[:4]. Names a key among known ones; proves nothing. */
export function keyHashOf({ name, publicKey }: VerifierKey): Buffer {
  return sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), publicKey])).subarray(0, HASH_BYTES);
}

export function formatVerifierKey(key: VerifierKey): string {
  const typed = Buffer.concat([Buffer.of(ED25519), key.publicKey]).toString('base64');
  return `${key.name}+${keyHashOf(key).toString('hex')}+${typed}`;
}

export function parseVerifierKey(text: string): VerifierKey {
  const [name = '', , ...encoded] = text.split('+');
  const typed = Buffer.from(encoded.join('+'), 'base64');
  const key = { name, publicKey: typed.subarray(1) };
  if (!isKeyName(name) || typed[0] !== ED25519 || typed.length !== 1 + KEY_BYTES || formatVerifierKey(key) !== text)
    throw new CurfewError('ERR_EVIDENCE_FORMAT', 'the verifier key is not <name>+<hash>+<base64 of type 1 and key>', {
      got: text.slice(0, 200),
      fix: 'copy the whole line from log.vkey of a deployment you trust',
    });
  return key;
}

/** From the SubjectPublicKeyInfo that KMS gives. */
export function verifierKeyOf(name: string, spki: Buffer): VerifierKey {
  const publicKey = spki.subarray(SPKI_PREFIX.length);
  if (!isKeyName(name))
    throw new CurfewError('ERR_CONFIG_INVALID', 'the key name has a space or a plus', { got: name });
  if (publicKey.length !== KEY_BYTES || !spki.subarray(0, SPKI_PREFIX.length).equals(SPKI_PREFIX))
    throw new CurfewError('ERR_CONFIG_INVALID', 'the key is not an Ed25519 key', { got: spki.toString('hex') });
  return { name, publicKey };
}

/** The signature of this key must be there and hold. */
export function verifyNote(note: Note, key: VerifierKey): void {
  const keyHash = keyHashOf(key);
  const own = note.signatures.find(({ name, keyHash: hash }) => name === key.name && hash.equals(keyHash));
  if (!own)
    throw new CurfewError('ERR_EVIDENCE_SIGNATURE', 'the note carries no signature of this key', {
      got: note.signatures.map(({ name, keyHash: hash }) => `${name}+${hash.toString('hex')}`),
      allowed: `${key.name}+${keyHash.toString('hex')}`,
    });

  const publicKey = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, key.publicKey]), format: 'der', type: 'spki' });
  if (!verify(null, Buffer.from(note.text), publicKey, own.signature))
    throw new CurfewError('ERR_EVIDENCE_SIGNATURE', 'the signature of the note is wrong', { got: key.name });
}

function isKeyName(name: string): boolean {
  return name !== '' && !/[\s+]/u.test(name);
}

function malformed(rule: string): CurfewError {
  return new CurfewError('ERR_EVIDENCE_FORMAT', `a signed note ${rule}`);
}
