/**
 * Sealed fields: personal data inside records, AES-256-GCM under a key per person (docs/evidence-format.md, "Sealed fields").
 *
 *     v1.<iv, 12 bytes>.<ciphertext and 16-byte tag>        each part base64url, canonical
 *
 * Pseudonym and context are authenticated: a field copied to another person or place does not open. Once the person's
 * key is shredded nothing opens, while the tree, which commits to the sealed text, still verifies.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { base64url, parseBase64url } from '../base/encoding';
import { CurfewError } from '../base/errors';

export const DEK_BYTES = 32;
export const IV_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

/** Whose field it is and where it stands: `context` names the record and the member, like `c-…/opened#name`. */
interface SealedPlace {
  readonly pseudonym: string;
  readonly context: string;
}

/** `iv` must be fresh: one IV twice under one key gives both texts away. */
export function sealField(dek: Uint8Array, iv: Uint8Array, place: SealedPlace, clear: string): string {
  if (iv.length !== IV_BYTES)
    throw new CurfewError('ERR_INPUT_INVALID', `the IV is not ${IV_BYTES} bytes`, {
      got: iv.length,
      allowed: IV_BYTES,
    });

  const cipher = createCipheriv(CIPHER, checkedDek(dek), iv, { authTagLength: TAG_BYTES }).setAAD(boundTo(place));
  const sealed = Buffer.concat([cipher.update(clear, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `v1.${base64url(iv)}.${base64url(sealed)}`;
}

export function openField(dek: Uint8Array, place: SealedPlace, text: string): string {
  const { iv, ciphertext, tag } = parseSealed(text);
  const decipher = createDecipheriv(CIPHER, checkedDek(dek), iv, { authTagLength: TAG_BYTES })
    .setAAD(boundTo(place))
    .setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new CurfewError('ERR_EVIDENCE_SIGNATURE', 'the sealed field was not sealed for this person and place', {
      got: place.context,
      cause,
    });
  }
}

/** True for text in the form of a sealed field; says nothing about whether it opens. */
export function isSealed(text: string): boolean {
  const [version, iv, sealed, ...rest] = text.split('.');
  return (
    version === 'v1' &&
    rest.length === 0 &&
    parseBase64url(iv ?? '')?.length === IV_BYTES &&
    (parseBase64url(sealed ?? '')?.length ?? 0) >= TAG_BYTES
  );
}

function parseSealed(text: string): { iv: Buffer; ciphertext: Buffer; tag: Buffer } {
  if (!isSealed(text))
    throw new CurfewError('ERR_EVIDENCE_FORMAT', 'the sealed field is not v1.<iv>.<ciphertext and tag>', {
      got: text.slice(0, 8),
    });

  const [, iv = '', sealed = ''] = text.split('.');
  const bytes = Buffer.from(sealed, 'base64url');
  return {
    iv: Buffer.from(iv, 'base64url'),
    ciphertext: bytes.subarray(0, -TAG_BYTES),
    tag: bytes.subarray(-TAG_BYTES),
  };
}

function checkedDek(dek: Uint8Array): Uint8Array {
  if (dek.length === DEK_BYTES) return dek;
  throw new CurfewError('ERR_INPUT_INVALID', `the key of the person is not ${DEK_BYTES} bytes`, { got: dek.length });
}

/** NUL parts the two, so that no pair of names runs into another; neither may hold one. */
function boundTo({ pseudonym, context }: SealedPlace): Buffer {
  if (pseudonym === '' || context === '' || `${pseudonym}${context}`.includes('\0'))
    throw new CurfewError('ERR_INPUT_INVALID', 'the pseudonym or the context is empty or holds a NUL', {
      got: context,
    });
  return Buffer.from(`${pseudonym}\0${context}`, 'utf8');
}
