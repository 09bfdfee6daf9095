/** What `curfew doctor` makes of what verifiers see of a ring: JWKS and feed, as served. */
import { canonicalJson, type Json } from '../base/encoding';
import { span } from '../base/time';
import type { Feed } from '../feed/feed';
import { jwksAt } from '../feed/publication';
import { shortKid } from '../jose/jwk';
import { type DiscoveryFacts, diagnoseDiscovery, documentOf, type Served } from './discovery-diagnosis';
import { answersOf, count, type Finding, MAY_LOOK, type Seen } from './finding';
import { askAgainAt, bornAtOf, feedDueAt, publicationDueAt } from './youth';

export interface PublicationFacts extends DiscoveryFacts {
  readonly jwks: Served;
  /** As a verifier that pins the feed key took it, or why it would not; unseen where the feed key could not be read. */
  readonly feed: Seen<Feed | { readonly refused: string /** None was published. */; readonly isAbsent?: boolean }>;
}

/** The heartbeat signs the feed each minute; one may be late. */
const FEED_AGE_SECONDS_MAX = 120;

export function diagnosePublication(facts: PublicationFacts): Finding[] {
  return [jwksFinding(facts), diagnoseDiscovery(facts), feedFinding(facts)];
}

export function jwksFinding({ ring, at, jwks: served }: PublicationFacts): Finding {
  const { ok, problem, unknown } = answersOf(ring.id);
  const expected = jwksAt(ring, at);
  const fix = 'check publicBaseUrl and the CDN or proxy before it; a CDN may be behind by jwksMaxAgeSeconds';
  const document = documentOf(served);
  if ('refused' in document) return problem('JWKS', document.refused, fix);
  if (canonicalJson(document.json) === canonicalJson(expected as unknown as Json))
    return ok('JWKS', `${count(expected.keys.length, 'key')} as of now`);
  const { keys } = (document.json ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) return problem('JWKS', 'the answer is not a JWKS', fix);
  const found = keys.map((key: { kid?: unknown } | null) => String(key?.kid));
  const wanted = expected.keys.map(({ kid }) => kid);
  const extra = found.filter((kid) => !wanted.includes(kid)).map(shortKid);
  const missing = wanted.filter((kid) => !found.includes(kid)).map(shortKid);
  const young = ring.keys.filter(({ kid, state }) => missing.includes(shortKid(kid)) && state === 'STANDBY');
  const dueAt = Math.max(...young.map(({ bornAt }) => publicationDueAt(bornAt, ring.cfg.propagationSeconds)));
  if (extra.length === 0 && missing.length > 0 && young.length === missing.length && at < dueAt)
    return unknown('JWKS', `young: lacks ${missing.join(', ')}`, askAgainAt(dueAt));
  const says = [
    extra.length > 0 ? `serves ${extra.join(', ')}, which it should not` : '',
    missing.length > 0 ? `lacks ${missing.join(', ')}` : '',
  ].filter(Boolean);
  return problem('JWKS', says.join('; ') || 'has the right kids, with other key material', fix);
}

function feedFinding({ ring, at, feed }: PublicationFacts): Finding {
  const { ok, problem, unknown } = answersOf(ring.id);
  const fix = 'read the log of the publisher and the dead letters of the heartbeat';
  if ('unseen' in feed) return unknown('feed', `the feed key could not be read: ${feed.unseen}`, MAY_LOOK);
  const dueAt = feedDueAt(bornAtOf(ring, at));
  if ('refused' in feed.seen && feed.seen.isAbsent && at < dueAt)
    return unknown('feed', 'young: none is published yet', askAgainAt(dueAt));
  if ('refused' in feed.seen) return problem('feed', `verifiers refuse it: ${feed.seen.refused}`, fix);
  const { iat, keys } = feed.seen;
  const age = at - iat;
  if (age > FEED_AGE_SECONDS_MAX) return problem('feed', `was signed ${span(age)} ago`, fix);
  const active = keys.filter(({ state }) => state === 'ACTIVE').map(({ kid }) => kid);
  // One that was made ready is announced before it issues; it may have been given up since the feed was signed.
  const announced = active.filter((kid) => ring.keys.some((key) => key.kid === kid && key.state === 'STANDBY'));
  if (active.filter((kid) => !announced.includes(kid)).join() !== (ring.activeKid ?? ''))
    return problem('feed', `says that ${active.map(shortKid).join(', ') || 'no key'} is ACTIVE`, fix);
  return ok('feed', `signed ${span(age)} ago under the feed key, names the ACTIVE key`);
}
