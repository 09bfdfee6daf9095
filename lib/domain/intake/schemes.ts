/**
 * How each HR source signs what it sends: one row per scheme.
 *
 *     standard-webhooks   webhook-id, webhook-timestamp, webhook-signature: "v1,<base64 HMAC-SHA256>" or
 *                         "v1a,<base64 Ed25519>", several with spaces between; signed bytes  id "." timestamp "." body
 *     bamboohr            X-BambooHR-Timestamp, X-BambooHR-Signature: lowercase hex HMAC-SHA256;
 *                         signed bytes  body timestamp  (body first, nothing between)
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import { H } from '../base/encoding';
import { CurfewError } from '../base/errors';
import type { HrSource } from '../store/hr-sources';

export type { HrSource as HrSourceConfig } from '../store/hr-sources';
export type Scheme = HrSource['scheme'];

/** Age and skew apart: one symmetric tolerance of 300 s would let a delivery be replayed for ten minutes. */
export const DELIVERY_AGE_SECONDS_MAX = 270;
export const DELIVERY_SKEW_SECONDS_MAX = 30;
/** Each signature costs one try a live secret; a sender in the middle of a rotation needs two. */
const SIGNATURES_MAX = 8;

export interface Delivery {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The bytes as sent: signatures are over these, never over parsed and re-written JSON. */
  readonly rawBody: Uint8Array;
}

interface VerifiedDelivery {
  /** The sender's own id, or the digest of the body where the scheme signs none: what a repeat has in common. */
  readonly deliveryId: string;
  /** Epoch seconds, as signed. */
  readonly sentAt: number;
  readonly bodySha256: string;
}

interface Signature {
  readonly version: string;
  readonly bytes: Buffer;
}

/** One live secret, ready to be asked. */
interface LiveSecret {
  readonly version: string;
  matches(signed: Buffer, signature: Buffer): boolean;
}

interface SchemeRow {
  readonly idHeader?: string;
  readonly timestampHeader: string;
  readonly signatureHeader: string;
  /** Undefined where the header is not spelt as the scheme spells it. */
  parseSignatures(text: string): readonly Signature[] | undefined;
  parseSecret(text: string): LiveSecret | undefined;
  signedBytes(id: string, timestamp: string, body: Uint8Array): Buffer;
}

const SCHEMES: Readonly<Record<Scheme, SchemeRow>> = {
  'standard-webhooks': {
    idHeader: 'webhook-id',
    timestampHeader: 'webhook-timestamp',
    signatureHeader: 'webhook-signature',
    parseSignatures: (text) => {
      const signatures = text.split(' ').map(parseVersionedSignature);
      return allKnown(signatures);
    },
    parseSecret: (text) => {
      if (text.startsWith('whsec_')) return hmacSecret('v1', parseBase64(text.slice('whsec_'.length), 24, 64));
      if (text.startsWith('whpk_')) return ed25519Secret('v1a', parseBase64(text.slice('whpk_'.length), 32, 32));
      return undefined; // whsk_ is the sender's private key: it has no business here
    },
    signedBytes: (id, timestamp, body) => Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]),
  },
  bamboohr: {
    timestampHeader: 'x-bamboohr-timestamp',
    signatureHeader: 'x-bamboohr-signature',
    parseSignatures: (text) =>
      /^[0-9a-f]{64}$/.test(text) ? [{ version: 'hex', bytes: Buffer.from(text, 'hex') }] : undefined,
    parseSecret: (text) => (text.length >= 16 ? hmacSecret('hex', Buffer.from(text)) : undefined),
    // Nothing stands between the two, but a body ends in a brace: no digit can move from one to the other.
    signedBytes: (_id, timestamp, body) => Buffer.concat([body, Buffer.from(timestamp)]),
  },
};

/** Without a full stop, which is what separates the id from the rest of the signed bytes. */
const DELIVERY_ID = /^[\x21-\x2d\x2f-\x7e]{1,128}$/;
const EPOCH_SECONDS = /^[1-9][0-9]{0,11}$/;

/** Throws an `ERR_WEBHOOK_*` unless one live secret signed exactly these bytes within the window around `now`. */
export function verifyDelivery(
  scheme: Scheme,
  { headers, rawBody }: Delivery,
  secrets: readonly string[],
  now: number,
): VerifiedDelivery {
  const row = SCHEMES[scheme];
  const id = row.idHeader === undefined ? '' : header(headers, row.idHeader);
  if (row.idHeader !== undefined && !DELIVERY_ID.test(id))
    throw misspelt(row.idHeader, '1 to 128 visible characters, no full stop');
  const timestamp = header(headers, row.timestampHeader);
  if (!EPOCH_SECONDS.test(timestamp)) throw misspelt(row.timestampHeader, 'whole epoch seconds');
  const signatures = row.parseSignatures(header(headers, row.signatureHeader));
  if (signatures === undefined || signatures.length > SIGNATURES_MAX)
    throw misspelt(row.signatureHeader, `1 to ${SIGNATURES_MAX} signatures as ${scheme} spells them`);

  const sentAt = Number(timestamp);
  if (now - sentAt > DELIVERY_AGE_SECONDS_MAX)
    throw new CurfewError('ERR_WEBHOOK_TOO_OLD', `the delivery is older than ${DELIVERY_AGE_SECONDS_MAX} seconds`, {
      got: now - sentAt,
      allowed: DELIVERY_AGE_SECONDS_MAX,
      fix: 'sign each retry again, with its own timestamp',
    });
  if (sentAt - now > DELIVERY_SKEW_SECONDS_MAX)
    throw new CurfewError(
      'ERR_WEBHOOK_TOO_NEW',
      `the delivery is more than ${DELIVERY_SKEW_SECONDS_MAX} seconds ahead`,
      {
        got: sentAt - now,
        allowed: DELIVERY_SKEW_SECONDS_MAX,
        fix: "set the sender's clock",
      },
    );

  const signed = row.signedBytes(id, timestamp, rawBody);
  let matched = false;
  // No early exit: the time taken does not tell which secret or which signature it was.
  for (const secret of liveSecrets(row, secrets))
    for (const { version, bytes } of signatures)
      if (version === secret.version) matched = secret.matches(signed, bytes) || matched;
  if (!matched)
    throw new CurfewError('ERR_WEBHOOK_SIGNATURE', 'no live secret of this source signed these bytes', {
      fix: 'sign the raw body with the secret configured for this source',
    });

  const bodySha256 = H(rawBody);
  return { deliveryId: row.idHeader === undefined ? bodySha256 : id, sentAt, bodySha256 };
}

/** An unreadable secret refuses everything: skipping it would hide that a rotation went wrong. */
function liveSecrets(row: SchemeRow, secrets: readonly string[]): readonly LiveSecret[] {
  const live = secrets.map(row.parseSecret);
  const known = allKnown(live);
  if (known === undefined || known.length === 0)
    throw new CurfewError('ERR_CONFIG_INVALID', 'a webhook secret of this source is missing or unreadable', {
      got: { secrets: secrets.length },
      allowed: 'whsec_ or whpk_ and base64 (standard-webhooks), 16 characters or more (bamboohr)',
    });
  return known;
}

/** Undefined where one of them is. */
function allKnown<T>(all: readonly (T | undefined)[]): readonly T[] | undefined {
  const known = all.filter((one) => one !== undefined);
  return known.length === all.length ? known : undefined;
}

function parseVersionedSignature(text: string): Signature | undefined {
  const comma = text.indexOf(',');
  const [version, encoded] = [text.slice(0, comma), text.slice(comma + 1)];
  const length = version === 'v1' ? 32 : version === 'v1a' ? 64 : undefined;
  const bytes = length === undefined ? undefined : parseBase64(encoded, length, length);
  return bytes && { version, bytes };
}

/** Base64 of RFC 4648 section 4 in its one canonical spelling, padded. */
function parseBase64(text: string, bytesMin: number, bytesMax: number): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  const canonical = bytes.toString('base64') === text && bytes.length >= bytesMin && bytes.length <= bytesMax;
  return canonical ? bytes : undefined;
}

function hmacSecret(version: string, key: Buffer | undefined): LiveSecret | undefined {
  if (key === undefined) return undefined;
  // Both sides are 32 bytes by construction: timingSafeEqual throws on lengths that differ.
  return { version, matches: (signed, mac) => timingSafeEqual(createHmac('sha256', key).update(signed).digest(), mac) };
}

/** SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410, section 4). */
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');

function ed25519Secret(version: string, raw: Buffer | undefined): LiveSecret | undefined {
  if (raw === undefined) return undefined;
  const key = createPublicKey({ key: Buffer.concat([ED25519_SPKI, raw]), format: 'der', type: 'spki' });
  return { version, matches: (signed, signature) => verify(null, signed, key, signature) };
}

function header(headers: Delivery['headers'], name: string): string {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (value === undefined)
    throw new CurfewError('ERR_WEBHOOK_HEADER', `the header ${name} is missing`, { fix: `send ${name}` });
  return value;
}

/** The value is not quoted: it is the caller's, unauthenticated, and on its way into an answer and a log. */
function misspelt(name: string, allowed: string): CurfewError {
  return new CurfewError('ERR_WEBHOOK_HEADER', `the header ${name} is not ${allowed}`, { allowed });
}
