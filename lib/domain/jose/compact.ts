/**
 * JWS compact serialisation (RFC 7515 section 7.1) in its one canonical spelling.
 *
 *     eyJhbGciOi… . eyJpc3MiOi… . MEUCIQ…      header . payload . signature
 *
 * A plain library accepts some 1.3 % of one-character mutants of a valid token as the same token, because it ignores
 * stray bits of base64url and either half of an ECDSA signature. Here another string is another token, and refused.
 */
import { base64url, H, parseBase64url } from '../base/encoding';
import { CurfewError } from '../base/errors';
import { ALGORITHMS, RAW_MESSAGE_BYTES_MAX, type SigningAlgorithm } from './algorithm';
import { KID_PATTERN } from './jwk';

export const TOKEN_BYTES_MAX = 8192;
/** A dot and the longest signature, of RSA-2048, have to fit behind it. */
const SIGNING_INPUT_BYTES_MAX = TOKEN_BYTES_MAX - 1 - 342;

export const ACCESS_TOKEN_TYP = 'at+jwt';

interface ProtectedHeader {
  readonly alg: string;
  readonly kid: string;
  readonly typ: string;
}

export interface CompactToken {
  readonly header: ProtectedHeader;
  /** The header as spelled in the token. */
  readonly protected: string;
  readonly payload: Buffer;
  readonly signature: Buffer;
  /** What was signed: protected "." payload, ASCII. */
  readonly signingInput: Buffer;
  /** SHA-256 of the whole token, base64url: what the ledger knows it by. */
  readonly tokenSha256: string;
}

/** Throws `ERR_TOKEN_MALFORMED` or `ERR_TOKEN_HEADER`; says nothing of the signature. Never echoes the token. */
export function parseCompact(token: unknown, bytesMax = TOKEN_BYTES_MAX): CompactToken {
  if (typeof token !== 'string') throw malformed('the token is not a string', typeof token);
  if (token.length > bytesMax) throw malformed(`the token is larger than ${bytesMax} bytes`, token.length);
  const parts = token.split('.');
  if (parts.length !== 3) throw malformed('the token does not have three parts', parts.length);
  const [header, payload, signature] = parts.map(parseBase64url);
  if (!header?.length || !payload?.length || !signature?.length)
    throw malformed('a part of the token is not canonical base64url', 'another spelling');

  const [protectedPart, payloadPart] = parts as [string, string, string];
  return {
    header: parseHeader(header),
    protected: protectedPart,
    payload,
    signature,
    signingInput: Buffer.from(`${protectedPart}.${payloadPart}`),
    tokenSha256: H(token),
  };
}

/** The header we write: exactly these members, in this order. */
function formatHeader(header: ProtectedHeader): string {
  const { alg, kid, typ } = header;
  return base64url(JSON.stringify({ alg, kid, typ }));
}

export function signingInput(header: ProtectedHeader, payload: Uint8Array): Buffer {
  return Buffer.from(`${formatHeader(header)}.${base64url(payload)}`);
}

/** What can be signed at all, and then verified by anybody: a token too large for verifiers must never be issued. */
export function signingInputBytesMax(alg: SigningAlgorithm): number {
  return ALGORITHMS[alg].message === 'RAW' ? RAW_MESSAGE_BYTES_MAX : SIGNING_INPUT_BYTES_MAX;
}

export function assemble(signingInput: Uint8Array, signature: Uint8Array): string {
  return `${Buffer.from(signingInput).toString()}.${base64url(signature)}`;
}

/** Exactly `{alg, kid, typ}`: no crit, jwk, jku, x5c, zip or b64 can be there to be obeyed. */
function parseHeader(bytes: Buffer): ProtectedHeader {
  let header: unknown;
  try {
    header = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new CurfewError('ERR_TOKEN_HEADER', 'the header is not JSON', { cause });
  }
  const members = typeof header === 'object' && header !== null ? Object.keys(header).sort().join() : typeof header;
  if (members !== 'alg,kid,typ')
    throw new CurfewError('ERR_TOKEN_HEADER', 'the header has other members than alg, kid and typ', {
      allowed: ['alg', 'kid', 'typ'],
    });
  const { alg, kid, typ } = header as Record<string, unknown>;
  if (typeof alg !== 'string' || typeof typ !== 'string' || typeof kid !== 'string' || !KID_PATTERN.test(kid))
    throw new CurfewError('ERR_TOKEN_HEADER', 'alg, kid or typ is not a short string', {
      allowed: String(KID_PATTERN),
    });
  // A duplicate member, or white space, would be a second spelling of the same header.
  if (JSON.stringify(header) !== bytes.toString('utf8'))
    throw new CurfewError('ERR_TOKEN_HEADER', 'the header is not spelled as JSON.stringify spells it');
  return { alg, kid, typ };
}

function malformed(message: string, got: unknown): CurfewError {
  return new CurfewError('ERR_TOKEN_MALFORMED', message, { got });
}
