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

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [name: string]: Json | undefined };

/** Members whose values nobody has looked at yet. */
export type Members = Readonly<Record<string, unknown>>;

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * JSON with members sorted by code unit, no spaces, and whole numbers only: one value has one spelling. Of objects that
 * are typed by their members too, which is why it asks for no more than an object.
 * (RFC 8785 agrees wherever numbers are safe integers; anything else is refused rather than spelled.)
 */
export function canonicalJson(value: Json | object): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new CurfewError('ERR_INPUT_INVALID', 'the number is not a safe integer', { got: value });
  if (typeof value === 'function') throw new CurfewError('ERR_INPUT_INVALID', 'the value is a function');
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((member) => canonicalJson(member)).join(',')}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}
