/** Serves what is public of a ring: JWKS and discovery, computed from the clock, and the feed as last signed. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { entry } from '../lib/aws/entry';
import { feedObjectKey } from '../lib/domain/feed/feed';
import { discovery, jwksAt } from '../lib/domain/feed/publication';
import { RING_ID_PATTERN } from '../lib/domain/rings/configuration';
import type { Deps } from '../lib/ports';
import { findRing } from '../lib/work/rings/load-ring';

export async function wellKnown(path: string, deps: Deps<'well-known'>): Promise<APIGatewayProxyStructuredResultV2> {
  const [, id = '', document = ''] = /\/r\/([^/]+)\/(.+)$/.exec(path) ?? [];
  if (!RING_ID_PATTERN.test(id)) return notFound();

  const { jwksMaxAgeSeconds, feedPollSeconds } = deps.config.settings;
  if (document === 'feed') {
    const feed = await deps.objects.get('public', feedObjectKey(id));
    return feed ? ok(feed.body.toString(), 'application/jwt', feedPollSeconds) : notFound();
  }
  const ring = await findRing(deps, id);
  if (!ring) return notFound();
  if (document === '.well-known/jwks.json')
    return ok(JSON.stringify(jwksAt(ring, deps.clock.now())), 'application/jwk-set+json', jwksMaxAgeSeconds);
  if (document === '.well-known/openid-configuration')
    return ok(JSON.stringify(discovery(ring, deps.config.publicBaseUrl ?? '')), 'application/json', jwksMaxAgeSeconds);
  return notFound();
}

/** RFC 5861: a cache that cannot reach us must not go on serving what is too old: a key past its end would stay published. */
function ok(body: string, contentType: string, maxAgeSeconds: number): APIGatewayProxyStructuredResultV2 {
  const cacheControl = `public, max-age=${maxAgeSeconds}, must-revalidate, stale-if-error=0`;
  return { statusCode: 200, headers: { 'content-type': contentType, 'cache-control': cacheControl }, body };
}

/** Never cached: a ring that is being born must not be missing for the length of a CDN's default. */
function notFound(): APIGatewayProxyStructuredResultV2 {
  return { statusCode: 404, headers: { 'cache-control': 'no-store' }, body: JSON.stringify({ code: 'ERR_NOT_FOUND' }) };
}

export const handler = entry('well-known', (event: APIGatewayProxyEventV2, deps) => wellKnown(event.rawPath, deps));
