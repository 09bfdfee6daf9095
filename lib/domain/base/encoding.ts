/** Bytes and text: base64url of RFC 4648 section 5 in its one canonical spelling, SHA-256, and JSON in one spelling. */
import { createHash } from 'node:crypto';
import { CurfewError } from './errors';

export function base64url(bytes: Uint8Array | string): string {
  return Buffer.from(bytes as Uint8Array).toString('base64url');
}

/** Decodes only what `base64url` would have written: no padding, no stray bits, no other alphabet. Undefined otherwise. */
export function parseBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

export function sha256(bytes: Uint8Array | string): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** H(x) of the data model: base64url(SHA-256(x)), 43 characters. */
export function H(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('base64url');
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

/**
 * JSON with members sorted by code unit, no spaces, and whole numbers only: one value has one spelling.
 * (RFC 8785 agrees wherever numbers are safe integers; anything else is refused rather than spelled.)
 */
export function canonicalJson(value: Json): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new CurfewError('ERR_INPUT_INVALID', 'the number is not a safe integer', { got: value });
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value as Record<string, Json | undefined>).filter(
    (member): member is [string, Json] => member[1] !== undefined,
  );
  members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}
