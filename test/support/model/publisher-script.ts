/** Mirrors lambdas/publisher.ts, call by call and in the same order. */
import { CurfewError, isCurfewError } from '../../../lib/domain/base/errors';
import { checkFollows, feedAt } from '../../../lib/domain/feed/feed';
import { load } from './birth-script';
import { effect, read, type Script } from './script';
import type { ModelWorld } from './world';

const RACES_MAX = 5;
export const FEED_LIFE = 300;

export function* publish(world: ModelWorld): Script {
  for (let n = 0; n < RACES_MAX; n++) {
    try {
      return yield* publishOnce(world);
    } catch (error) {
      if (!isCurfewError(error, 'ERR_CONDITION_FAILED')) throw error;
    }
  }
}

function* publishOnce(world: ModelWorld): Script {
  const before = yield* read('objects.get', '', () => world.published);
  const ring = yield* load(world);
  yield* read('tables.query', 'cut-offs', () => undefined);
  const feed = feedAt(ring, [], Math.max(world.now, before ? before.feed.seq + 1 : 0), world.now, FEED_LIFE);
  yield* read('signer.publicKey', '', () => undefined);
  yield* read('signer.sign', '', () => undefined);
  yield* effect('objects.put', '', () => {
    if (world.rules.takes('swap') && world.published?.etag !== before?.etag)
      throw new CurfewError('ERR_CONDITION_FAILED', 'another feed was published meanwhile');
    if (world.published) isFollowed(world.published.feed, feed, world);
    world.published = { feed, etag: (world.published?.etag ?? 0) + 1 };
  });
}

/** What the verifier does with it: a feed that takes something back is refused whole, and then nobody learns anything. */
function isFollowed(before: Parameters<typeof checkFollows>[0], feed: typeof before, world: ModelWorld): void {
  try {
    checkFollows(before, feed);
  } catch (error) {
    world.broken.push(`no feed takes anything back: ${(error as Error).message}`);
  }
}
