/** Polls a ring's feed: signed by a pinned key, unexpired, never taking anything back; the last good one is kept. */
import { CurfewError } from '../domain/base/errors';
import { checkFollows, FEED_TYP, type Feed, type FeedKey } from '../domain/feed/feed';
import { feedOf } from '../domain/feed/parse-feed';
import { parseCompact } from '../domain/jose/compact';
import type { PublicJwk } from '../domain/jose/jwk';
import { isSigned } from '../domain/jose/signature';

/** A well-signed token that the feed does not explain may be newer than the feed; an unknown kid is mostly junk. */
const COOL_DOWN_SECONDS = { 'well-signed': 1, 'unknown-kid': 30 } as const;
const FEED_BYTES_MAX = 64 * 1024 * 1024;

interface FeedSourceOptions {
  readonly feedUrl: string;
  readonly ring: string;
  /** The pinned set, current and next; never taken from the network. */
  readonly feedKeys: readonly PublicJwk[];
  readonly pollSeconds: number;
  readonly skewSeconds: number;
  readonly now: () => number;
  readonly fetchText: (url: string) => Promise<string>;
}

/** What verification asks of a feed, indexed once a document. */
export interface KnownFeed {
  readonly feed: Feed;
  readonly keys: ReadonlyMap<string, FeedKey>;
  readonly cut: ReadonlyMap<string, { readonly notBefore: number; readonly blocked: boolean }>;
}

export class FeedSource {
  private known: KnownFeed | undefined;
  private triedAt = Number.NEGATIVE_INFINITY;
  private refreshing: Promise<void> | undefined;
  private failure: unknown;
  private readonly asked = new Map<string, number>();

  constructor(private readonly options: FeedSourceOptions) {}

  /** The feed to judge by, at most one poll old if it can be had; closed once the last good one is past its exp. */
  async current(): Promise<KnownFeed> {
    await this.poll();
    const { known, failure } = this;
    const now = this.options.now();
    if (!known || now > known.feed.exp)
      throw new CurfewError(
        'ERR_FEED_EXPIRED',
        `no current feed: ${known ? `the last one expired ${now - known.feed.exp} s ago` : 'none received yet'}`,
        {
          got: known ? now - known.feed.exp : 'no feed yet',
          fix: 'check that this service can reach the feed URL',
          cause: failure,
        },
      );
    return known;
  }

  /**
   * Asks ahead of the next poll, once for all who wait, and no sooner again than the cool-down of this reason: a storm
   * of unknown kids costs one request in 30 s, and cannot use up what well-signed tokens may ask for.
   */
  async refreshFor(reason: keyof typeof COOL_DOWN_SECONDS): Promise<void> {
    const now = this.options.now();
    if (now < (this.asked.get(reason) ?? Number.NEGATIVE_INFINITY) + COOL_DOWN_SECONDS[reason]) return this.refreshing;
    this.asked.set(reason, now);
    return this.request();
  }

  private async poll(): Promise<void> {
    return this.options.now() < this.triedAt + this.options.pollSeconds ? this.refreshing : this.request();
  }

  private request(): Promise<void> {
    this.triedAt = this.options.now();
    this.refreshing = this.load().then(
      () => {
        this.failure = undefined;
      },
      (error: unknown) => {
        // The last good feed goes on until its exp; `current` says why it was not followed once it is over.
        this.failure = error;
      },
    );
    return this.refreshing;
  }

  private async load(): Promise<void> {
    const feed = this.parse(await this.options.fetchText(this.options.feedUrl));
    // Checked and kept in one step: two requests may be under way, and the older answer may come last.
    if (this.known) checkFollows(this.known.feed, feed);
    const keys = new Map(feed.keys.map((key) => [key.kid, key]));
    const cut = new Map(feed.cut.map(([blinded, notBefore, blocked]) => [blinded, { notBefore, blocked }]));
    this.known = { feed, keys, cut };
  }

  private parse(text: string): Feed {
    const { feedKeys, ring, skewSeconds, now } = this.options;
    const document = parseCompact(text, FEED_BYTES_MAX);
    const jwk = feedKeys.find(({ kid }) => kid === document.header.kid);
    if (document.header.typ !== FEED_TYP || !jwk || document.header.alg !== jwk.alg)
      throw new CurfewError('ERR_FEED_INVALID', 'the feed is not signed by a pinned feed key', {
        got: document.header.kid,
        allowed: feedKeys.map(({ kid }) => kid),
        fix: 'take the current set from `curfew verifier config`',
      });
    if (!isSigned(jwk, document.signingInput, document.signature))
      throw new CurfewError('ERR_FEED_INVALID', 'the signature of the feed does not verify');
    const feed = feedOf(text);
    if (feed.ring !== ring)
      throw new CurfewError('ERR_FEED_INVALID', 'the feed names another ring', { got: feed.ring, allowed: ring });
    if (now() > feed.exp || feed.iat > now() + skewSeconds)
      throw new CurfewError('ERR_FEED_INVALID', 'the feed is expired or from the future', {
        got: { iat: feed.iat, exp: feed.exp },
        allowed: now(),
      });
    return feed;
  }
}
