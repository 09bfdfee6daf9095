/**
 * Reads a feed: every member of its version, each of its type, and no other. By hand, because this goes into what a
 * service installs, which holds no package. A new member comes with a new `v`; half a deny list would deny nobody.
 */
import { parseBase64url } from '../base/encoding';
import { CurfewError } from '../base/errors';
import { KID_PATTERN, type PublicJwk, parsePublicJwk } from '../jose/jwk';
import { FEED_STATES, type Feed, type FeedKey } from './feed';

type Members = Readonly<Record<string, unknown>>;
type Window = FeedKey['windows'][number];

/** What a published feed says, its signature unchecked: for figures, and never for who trusts it. */
export function feedOf(compact: string): Feed {
  const [, payload = ''] = compact.split('.');
  let feed: unknown;
  try {
    feed = JSON.parse(String(parseBase64url(payload) ?? ''));
  } catch (cause) {
    throw new CurfewError('ERR_FEED_INVALID', 'the published feed is not a valid feed', { cause });
  }
  return parseFeed(feed);
}

/** Throws `ERR_FEED_INVALID`, which carries the name of the member that is wrong. */
export function parseFeed(given: unknown): Feed {
  const { v, ring, seq, iat, exp, keys, cut } = exactly('', given, FEED);
  if (v !== 1) throw refused('v');
  const feed = {
    v: 1,
    ring: text('ring', ring),
    seq: whole('seq', seq),
    iat: whole('iat', iat),
    exp: whole('exp', exp),
    keys: list('keys', keys).map((key, n) => parseKey(`keys.${n}`, key)),
    cut: list('cut', cut).map((one, n) => parseCutOff(`cut.${n}`, one)),
  } as const;
  if (new Set(feed.keys.map(({ kid }) => kid)).size !== feed.keys.length)
    throw new CurfewError('ERR_FEED_INVALID', 'the feed names a kid twice');
  if (new Set(feed.cut.map(([blinded]) => blinded)).size !== feed.cut.length)
    throw new CurfewError('ERR_FEED_INVALID', 'the feed cuts a subject off twice');
  return feed;
}

const FEED = ['v', 'ring', 'seq', 'iat', 'exp', 'keys', 'cut'];
const KEY = ['kid', 'state', 'jwk', 'alg', 'windows', 'verifyUntil'];

function parseKey(at: string, given: unknown): FeedKey {
  const { kid, state, jwk, alg, windows, verifyUntil } = exactly(at, given, KEY);
  if (typeof kid !== 'string' || !KID_PATTERN.test(kid)) throw refused(`${at}.kid`);
  const known = FEED_STATES.find((one) => one === state);
  if (known === undefined) throw refused(`${at}.state`);
  const key = {
    kid,
    state: known,
    windows: list(`${at}.windows`, windows).map((one, n) => parseWindow(`${at}.windows.${n}`, one)),
    verifyUntil: whole(`${at}.verifyUntil`, verifyUntil),
  };
  const parsed = parseJwk(`${at}.jwk`, jwk);
  if (parsed.kid !== kid || parsed.alg !== alg)
    throw new CurfewError('ERR_FEED_INVALID', 'a key of the feed has another kid or alg than its jwk', { got: kid });
  return { ...key, jwk: parsed, alg: parsed.alg };
}

/** The public key as it was written: with every member that it needs, and none beside them. */
function parseJwk(at: string, given: unknown): PublicJwk {
  const jwk = publicKey(at, given);
  const known = new Map<string, unknown>(Object.entries(jwk));
  const members = Object.entries(Object(given));
  if (members.length !== known.size) throw refused(at);
  for (const [name, value] of members) if (known.get(name) !== value) throw refused(`${at}.${name}`);
  return jwk;
}

function publicKey(at: string, given: unknown): PublicJwk {
  try {
    return parsePublicJwk(given);
  } catch (cause) {
    throw refused(at, cause);
  }
}

/** A re-sign wave names itself in the window that it opens. */
function parseWindow(at: string, given: unknown): Window {
  const { iatFrom, iatTo, wave } = exactly(at, given, ['iatFrom', 'iatTo'], ['wave']);
  const window = { iatFrom: whole(`${at}.iatFrom`, iatFrom), iatTo: whole(`${at}.iatTo`, iatTo) };
  return wave === undefined ? window : { ...window, wave: text(`${at}.wave`, wave) };
}

function parseCutOff(at: string, given: unknown): Feed['cut'][number] {
  const [blinded, notBefore, blocked, ...more] = list(at, given);
  if (more.length > 0 || typeof blocked !== 'boolean') throw refused(at);
  return [text(`${at}.0`, blinded), whole(`${at}.1`, notBefore), blocked];
}

/** An object with these members and no others; those that may be absent are `undefined` then. */
function exactly(at: string, given: unknown, names: readonly string[], optional: readonly string[] = []): Members {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw refused(at);
  const members: Members = { ...given };
  const under = (name: string) => (at === '' ? name : `${at}.${name}`);
  const missing = names.find((name) => !Object.hasOwn(members, name));
  if (missing !== undefined) throw refused(under(missing));
  const unknown = Object.keys(members).find((name) => !names.includes(name) && !optional.includes(name));
  if (unknown !== undefined) throw refused(under(unknown));
  return members;
}

function list(at: string, given: unknown): readonly unknown[] {
  if (Array.isArray(given)) return given;
  throw refused(at);
}

function text(at: string, given: unknown): string {
  if (typeof given === 'string') return given;
  throw refused(at);
}

/** Epoch seconds, or a number that counts. */
function whole(at: string, given: unknown): number {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 0) return given;
  throw refused(at);
}

function refused(member: string, cause?: unknown): CurfewError {
  return new CurfewError('ERR_FEED_INVALID', 'the feed is not a version 1 feed', { got: member || 'the whole', cause });
}
