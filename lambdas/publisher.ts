/** Signs and publishes the feed of a ring, and cannot sign anything else. */

import { entry } from '../lib/aws/entry';
import { CurfewError, isCurfewError } from '../lib/domain/base/errors';
import type { Messages } from '../lib/domain/deployment/messages';
import { FEED_TYP, feedAt, feedObjectKey } from '../lib/domain/feed/feed';
import { feedOf } from '../lib/domain/feed/parse-feed';
import { parseCompact, signingInput } from '../lib/domain/jose/compact';
import { jwkFromSpki, type PublicJwk } from '../lib/domain/jose/jwk';
import { isSigned } from '../lib/domain/jose/signature';
import { CUT_OFF } from '../lib/domain/store/cut-off';
import type { Deps } from '../lib/ports';
import { loadRing } from '../lib/work/rings/load-ring';
import { signJws } from '../lib/work/tokens/seal';
import { inTurn } from '../lib/work/transactions';

type PublisherDeps = Deps<'publisher'>;
const RACES_MAX = 5;

export async function publishFeed(
  { ring }: Messages['publisher']['request'],
  deps: PublisherDeps,
): Promise<Messages['publisher']['response']> {
  return inTurn(`the feed of ring ${ring}`, () => publishOnce(ring, deps), RACES_MAX);
}

/**
 * What is published is read first, then the table, then compared-and-swapped: a publisher that read an older table
 * loses the swap and reads again, so a later seq never says less than an earlier one.
 */
async function publishOnce(ringId: string, deps: PublisherDeps): Promise<Messages['publisher']['response']> {
  const { clock, config, objects, tables } = deps;
  const published = await objects.get('public', feedObjectKey(ringId));
  const ring = await loadRing(deps, ringId);
  const cutOffs = await tables.query(CUT_OFF.in(ringId));

  // Never behind the clock: if what is published is lost, verifiers that remember it still follow what comes next.
  const key = await feedKey(deps);
  const seq = Math.max(clock.now(), published ? seqOf(published.body, key.jwk) + 1 : 0);
  const feed = feedAt(ring, cutOffs, seq, clock.now(), config.settings.feedExpirySeconds);
  const input = signingInput({ alg: 'ES256', kid: key.jwk.kid, typ: FEED_TYP }, Buffer.from(JSON.stringify(feed)));
  const body = Buffer.from(await signJws(deps.signer, key, input));
  await objects.put(
    'public',
    feedObjectKey(ringId),
    body,
    published ? { ifMatch: published.etag } : { ifAbsent: true },
  );
  // If we stop here, the feed is out; whoever publishes next reads it and goes on from its seq.
  return { seq };
}

async function feedKey({ signer, config }: PublisherDeps) {
  const kmsKeyArn = config.feedKeyArn;
  if (!kmsKeyArn)
    throw new CurfewError('ERR_CONFIG_INVALID', 'the publisher has no feed key', {
      fix: 'deploy the signing stack again: it sets feedKeyArn',
    });
  return { kmsKeyArn, jwk: jwkFromSpki(await signer.publicKey(kmsKeyArn), 'ES256') };
}

/** Of what we signed ourselves. Anything else that lies there is replaced, and has no say in what comes after it. */
function seqOf(body: Buffer, jwk: PublicJwk): number {
  try {
    const document = parseCompact(body.toString(), body.length);
    const isOwn = document.header.typ === FEED_TYP && isSigned(jwk, document.signingInput, document.signature);
    return isOwn ? feedOf(body.toString()).seq : 0;
  } catch (error) {
    if (isCurfewError(error)) return 0;
    throw error;
  }
}

export const handler = entry('publisher', publishFeed);
