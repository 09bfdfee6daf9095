/**
 * The feed: the signed, versioned, expiring document of kid states and cut-offs that verifiers poll.
 *
 *     header   {"alg":"ES256","kid":"<feed key>","typ":"curfew-feed+jwt"}
 *     payload  {"v":1,"ring":"customer-api","seq":42,"iat":…,"exp":…,
 *               "keys":[{"kid":…,"state":"ACTIVE","jwk":{…},"alg":"ES256","windows":[{"iatFrom":…,"iatTo":…}],"verifyUntil":…}],
 *               "cut":[["<blinded subject>",notBefore,blocked],…]}
 *
 * Subjects are blinded with the ring's pepper, which is never in the feed. `seq` never goes back, DENIED is terminal,
 * a cut-off never moves back: a document that breaks this is refused whole.
 */
import { CurfewError } from '../base/errors';
import type { SigningAlgorithm } from '../jose/algorithm';
import type { PublicJwk } from '../jose/jwk';
import type { KeyRecord, KeyState, Ring, Window } from '../rings/ring';

export const FEED_TYP = 'curfew-feed+jwt';

/** Where the feed stands in bucket `public`, and its path under the public base URL. */
export function feedObjectKey(ring: string): string {
  return `r/${ring}/feed`;
}

export const FEED_STATES: readonly KeyState[] = ['STANDBY', 'ACTIVE', 'VERIFY_ONLY', 'OBSERVED', 'SUSPECT', 'DENIED'];

export interface FeedKey {
  readonly kid: string;
  readonly state: KeyState;
  readonly jwk: PublicJwk;
  readonly alg: SigningAlgorithm;
  readonly windows: readonly Window[];
  readonly verifyUntil: number;
}

export interface CutOff {
  /** base64url of HMAC-SHA256(pepper, type NUL value). */
  readonly blinded: string;
  /** Epoch seconds: a token issued at or before this is refused. */
  readonly notBefore: number;
  readonly blocked: boolean;
}

export interface Feed {
  readonly v: 1;
  readonly ring: string;
  readonly seq: number;
  readonly iat: number;
  readonly exp: number;
  readonly keys: readonly FeedKey[];
  readonly cut: readonly (readonly [string, number, boolean])[];
}

export function feedAt(ring: Ring, cut: readonly CutOff[], seq: number, now: number, expirySeconds: number): Feed {
  const keys = ring.keys
    .filter((key) => FEED_STATES.includes(key.state) && now <= key.verifyUntil)
    .map((key) => {
      const { kid, state, jwk, alg, windows, verifyUntil } = isPrepared(key) ? asActive(key) : key;
      return { kid, state, jwk, alg, windows, verifyUntil };
    });
  return {
    v: 1,
    ring: ring.id,
    seq,
    iat: now,
    exp: now + expirySeconds,
    keys,
    cut: cut.map(({ blinded, notBefore, blocked }) => [blinded, notBefore, blocked] as const),
  };
}

function isPrepared({ state, kmsState, probedAt = 0, policyState = 'as-written' }: KeyRecord): boolean {
  return state === 'STANDBY' && kmsState === 'Enabled' && probedAt > 0 && policyState === 'as-written';
}

/**
 * What was prepared may be the key that issues by the time this is read. Said before it issues, so that no verifier is
 * shown a token before there is a feed that explains it; if it is given up, the next feed calls it a STANDBY again.
 */
function asActive(key: KeyRecord): KeyRecord {
  return { ...key, state: 'ACTIVE', windows: [{ iatFrom: key.preparedAt ?? 0, iatTo: key.signUntil }] };
}

/**
 * May `next` follow `last`? Throws `ERR_FEED_ROLLBACK` for a document that takes anything back. The same document
 * again is fine. A DENIED kid may leave the feed only when its tokens are past `verifyUntil`; a cut-off never leaves.
 */
export function checkFollows(last: Feed, next: Feed): void {
  const refuse = (why: string, got: unknown) => {
    throw new CurfewError('ERR_FEED_ROLLBACK', `the feed rolls back: ${why}`, { got });
  };
  if (next.ring !== last.ring) refuse('it is of another ring', next.ring);
  if (next.seq < last.seq || (next.seq === last.seq && next.iat !== last.iat)) refuse('its seq is older', next.seq);

  const after = new Map(next.keys.map((key) => [key.kid, key]));
  for (const { kid, state, verifyUntil } of last.keys) {
    const now = after.get(kid);
    if (state === 'DENIED' && now?.state !== 'DENIED' && !(now === undefined && next.iat > verifyUntil))
      refuse('a DENIED kid is back', kid);
    if (state === 'SUSPECT' && now !== undefined && now.state !== 'SUSPECT' && now.state !== 'DENIED')
      refuse('a SUSPECT kid is back', kid);
  }
  const cutAfter = new Map(next.cut.map(([blinded, notBefore, blocked]) => [blinded, { notBefore, blocked }]));
  for (const [blinded, notBefore, blocked] of last.cut) {
    const now = cutAfter.get(blinded);
    if (now === undefined || now.notBefore < notBefore) refuse('a cut-off moved back', blinded);
    // A block may end, by a give-back: it moves the cut-off forward, so that no token from before counts again.
    if (blocked && !now?.blocked && (now?.notBefore ?? 0) <= notBefore) refuse('a blocked subject is back', blinded);
  }
}
