/** What a verifier sees of a ring: a feed that is signed as a publisher would, a ledger that answers, and who asked what. */

import type { Feed, FeedKey } from '../../lib/domain/feed/feed';
import { parseCompact } from '../../lib/domain/jose/compact';
import type { KeyState } from '../../lib/domain/rings/ring';
import { blind, type Subject } from '../../lib/domain/tokens/cut-off';
import { createVerifier, type VerifierOptions } from '../../lib/verifier';
import { type SigningKey, signingKey, signJws } from './keys';
import { CFG, NOW } from './rings';

const PEPPER = 'a pepper of this test';
export const POLL = 5;
export const FEED_LIFE = 300;

export class Published {
  now = NOW;
  readonly feedKey = signingKey();
  readonly key = signingKey();
  readonly asked = { feed: 0, ledger: 0 };
  readonly issued = new Set<string>();
  /** Served as the feed; an Error is thrown instead. */
  document: string | Error = '';
  ledger: 'answers' | 'is down' | 'talks nonsense' = 'answers';
  private feed: Feed = {
    v: 1,
    ring: 'customer-api',
    seq: 0,
    iat: NOW,
    exp: NOW + FEED_LIFE,
    keys: [this.keyOf(this.key)],
    cut: [],
  };

  /** Signs the next document and serves it. */
  publish(change: Partial<Feed> = {}): string {
    this.document = this.next(change);
    return this.document;
  }

  /** Signs the next document and keeps it back. */
  next(change: Partial<Feed> = {}): string {
    this.feed = { ...this.feed, seq: this.feed.seq + 1, iat: this.now, exp: this.now + FEED_LIFE, ...change };
    return this.sign(this.feed);
  }

  sign(feed: object, by: SigningKey = this.feedKey, header: object = {}): string {
    return signJws(by, { alg: by.jwk.alg, kid: by.jwk.kid, typ: 'curfew-feed+jwt', ...header }, feed);
  }

  get last(): Feed {
    return this.feed;
  }

  keyOf({ jwk }: SigningKey, state: KeyState = 'ACTIVE', more: Partial<FeedKey> = {}): FeedKey {
    const windows = [{ iatFrom: NOW - 3600, iatTo: NOW + 86_400 }];
    return { kid: jwk.kid, state, jwk, alg: jwk.alg, windows, verifyUntil: NOW + 90 * 86_400, ...more };
  }

  inState(state: KeyState, more: Partial<FeedKey> = {}): FeedKey[] {
    return [this.keyOf(this.key, state, more)];
  }

  cut(...subjects: readonly (Subject & { readonly notBefore: number; readonly blocked?: boolean })[]): Feed['cut'] {
    return subjects.map(({ notBefore, blocked = false, ...subject }) => [blind(PEPPER, subject), notBefore, blocked]);
  }

  claims(more: object = {}): object {
    return {
      iss: CFG.iss,
      aud: CFG.aud,
      sub: 'member-1',
      client_id: 'web',
      jti: 'jti-1',
      iat: this.now,
      exp: this.now + 3600,
      ...more,
    };
  }

  token(claims: object = {}, header: object = {}, by: SigningKey = this.key): string {
    return signJws(by, { alg: by.jwk.alg, kid: by.jwk.kid, typ: 'at+jwt', ...header }, this.claims(claims));
  }

  /** In the ledger from now on. */
  record(token: string): string {
    this.issued.add(parseCompact(token).tokenSha256);
    return token;
  }

  readonly fetchText = async (url: string): Promise<string> => {
    if (url.endsWith('/feed')) {
      this.asked.feed++;
      if (this.document instanceof Error) throw this.document;
      return this.document;
    }
    this.asked.ledger++;
    if (this.ledger === 'is down') throw new Error('503');
    if (this.ledger === 'talks nonsense') return '<html>';
    return JSON.stringify({ issued: this.issued.has(url.slice(url.lastIndexOf('/') + 1)) });
  };

  verifier(more: Partial<VerifierOptions> = {}) {
    return createVerifier({
      ring: 'customer-api',
      issuer: CFG.iss,
      audience: CFG.aud,
      publicBaseUrl: 'https://curfew.test',
      feedKeys: [this.feedKey.jwk],
      pepper: PEPPER,
      maxTtlSeconds: 3600,
      pollSeconds: POLL,
      now: () => this.now,
      fetchText: this.fetchText,
      ...more,
    });
  }
}

/** The code a token is refused with, or `accepted`. */
export async function verdict(verifier: { verify(token: unknown): Promise<unknown> }, token: unknown): Promise<string> {
  return verifier.verify(token).then(
    () => 'accepted',
    (error: { code?: string }) => error.code ?? String(error),
  );
}
