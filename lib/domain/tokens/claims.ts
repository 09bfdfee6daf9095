/** Claims of an access token (RFC 9068): built at issue, judged at verify and at adoption, in whole seconds. */
import { H, isMembers, type Members } from '../base/encoding';
import { CurfewError } from '../base/errors';

/** Which claim names a subject: `sub`, `act.sub`, `client_id`. */
export type SubjectType = 'sub' | 'act' | 'client';

export interface Claims {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  readonly client_id: string;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
  readonly nbf?: number;
  readonly scope?: string;
  /** RFC 8693 section 4.1: who acts, outermost first. */
  readonly act?: Actor;
  readonly cnf?: object;
  readonly [claim: string]: unknown;
}
interface Actor {
  readonly sub: string;
  readonly act?: Actor;
}

/** The only form in which a jti is stored: the ledger, the lists and the feed never show which token is meant. */
export function jtiHash(jti: string): string {
  return H(jti);
}

/** What a verifier demands of a ring's tokens. */
export interface ClaimRules {
  readonly issuer: string;
  readonly audience: string;
  readonly maxTtlSeconds: number;
  readonly skewSeconds: number;
}

/** What a caller of `issue` may not set: the issuer does. */
const OURS = ['iss', 'aud', 'iat', 'exp', 'nbf', 'jti', 'status'];

/** Claims in, payload out. `lifeSeconds` may only shorten the ring's maximum. */
export function buildClaims(
  given: Readonly<Record<string, unknown>>,
  rules: Omit<ClaimRules, 'skewSeconds'>,
  jti: string,
  now: number,
): Claims {
  const { lifeSeconds, ...asked } = given;
  const claims = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  for (const name of OURS)
    if (name in claims)
      throw new CurfewError('ERR_INPUT_INVALID', `claim ${name} is set by the issuer`, {
        got: name,
        fix: 'leave it out',
      });
  const life = lifeSeconds ?? rules.maxTtlSeconds;
  if (typeof life !== 'number' || !Number.isSafeInteger(life) || life < 1 || life > rules.maxTtlSeconds)
    throw new CurfewError('ERR_INPUT_INVALID', `lifeSeconds is not a whole number from 1 to ${rules.maxTtlSeconds}`, {
      got: life,
    });
  const { sub, client_id, ...others } = claims;
  const subjects = { sub: shortText('sub', sub), client_id: shortText('client_id', client_id) };
  actors(claims.act);
  return {
    iss: rules.issuer,
    aud: rules.audience,
    ...subjects,
    jti,
    iat: now,
    exp: now + life,
    ...others,
  };
}

/** Parses a payload and checks its claims; throws `ERR_TOKEN_CLAIM` naming the claim, `ERR_TOKEN_EXPIRED` past exp. */
export function parseClaims(payload: Uint8Array, rules: ClaimRules, now: number): Claims {
  const claims = typed(membersIn(payload));
  const { iat, exp, nbf } = claims;
  if (claims.iss !== rules.issuer) throw refused('iss');
  if (claims.aud !== rules.audience) throw refused('aud');
  if (exp <= iat || exp - iat > rules.maxTtlSeconds) throw refused('exp');
  if (nbf !== undefined && nbf > now + rules.skewSeconds) throw refused('nbf');
  if (iat > now + rules.skewSeconds) throw refused('iat');
  if (now >= exp + rules.skewSeconds)
    throw new CurfewError('ERR_TOKEN_EXPIRED', 'the token is past its exp', { got: now - exp });
  return claims;
}

/** Claims of the types that we compute with, whatever they say: of a token whose digest tells that we issued it. */
export function readClaims(payload: Uint8Array): Claims {
  return typed(membersIn(payload));
}

function membersIn(payload: Uint8Array): Members {
  let claims: unknown;
  try {
    claims = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload));
  } catch (cause) {
    throw new CurfewError('ERR_TOKEN_CLAIM', 'the payload is not UTF-8 JSON', { cause });
  }
  if (isMembers(claims)) return claims;
  throw new CurfewError('ERR_TOKEN_CLAIM', 'the payload is not a JSON object');
}

/** The same claims in the same order: a token is copied, never edited. */
function typed(claims: Members): Claims {
  const { iss, aud, sub, client_id, jti, iat, exp, nbf } = claims;
  if (!isText(iss)) throw refused('iss');
  if (!isText(aud)) throw refused('aud');
  if (!isText(sub)) throw refused('sub');
  if (!isText(client_id)) throw refused('client_id');
  if (!isText(jti)) throw refused('jti');
  if (!isInstant(iat)) throw refused('iat');
  if (!isInstant(exp)) throw refused('exp');
  if (nbf !== undefined && !isInstant(nbf)) throw refused('nbf');
  actors(claims.act);
  return { ...claims, iss, aud, sub, client_id, jti, iat, exp, ...(nbf !== undefined && { nbf }) };
}

/** Everybody whose cut-off ends the token: sub, every act.sub, client_id. */
export function subjectsOf(claims: Claims): readonly { readonly type: SubjectType; readonly value: string }[] {
  return [
    { type: 'sub', value: claims.sub },
    ...actors(claims.act).map((value) => ({ type: 'act' as const, value })),
    { type: 'client', value: claims.client_id },
  ];
}

const ACTORS_MAX = 8;

function actors(act: unknown): string[] {
  const subjects: string[] = [];
  let actor = act;
  while (actor !== undefined) {
    if (!isMembers(actor) || typeof actor.sub !== 'string' || subjects.length === ACTORS_MAX) throw refused('act');
    subjects.push(actor.sub);
    actor = actor.act;
  }
  return subjects;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function shortText(name: string, value: unknown): string {
  if (isText(value) && value.length <= 256) return value;
  throw new CurfewError('ERR_INPUT_INVALID', `claim ${name} is not a text of 1 to 256 characters`, {
    got: typeof value,
  });
}

function refused(claim: string): CurfewError {
  return new CurfewError('ERR_TOKEN_CLAIM', `"${claim}" claim check failed`, { got: claim });
}
