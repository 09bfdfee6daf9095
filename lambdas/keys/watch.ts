/** Once a minute: how every ring is, in figures, for the alarms. And at once: somebody touched a key that signs for us. */
import { entry } from '../../lib/aws/entry';
import { isCurfewError } from '../../lib/domain/errors';
import { feedObjectKey, feedOf } from '../../lib/domain/keys/feed';
import { type Health, healthOf, worstOf } from '../../lib/domain/keys/health';
import type { Deps, Metric } from '../../lib/ports';
import { listRings, loadRing, type RingEntry } from './load-ring';

type WatchDeps = Deps<'watch'>;

/** CloudTrail's word on a call to KMS, as EventBridge hands it over. The key may be named by id or ARN, or not at all. */
export interface KeyTouched {
  readonly detail: {
    readonly eventName: string;
    readonly requestParameters?: { readonly keyId?: string } | null;
    readonly userIdentity?: { readonly arn?: string };
  };
}

export async function watchRings(deps: WatchDeps): Promise<{ readonly rings: number }> {
  const rings = await listRings(deps);
  const figures = await Promise.all(rings.map((entry) => figuresOf(entry, deps)));
  const ofRings = figures.flatMap((health, n) => metricsOf(health, rings[n]?.id));
  await deps.metrics.put([...ofRings, ...metricsOf(worstOf(figures))]);
  return { rings: rings.length };
}

/**
 * Keys that are none of ours are other people's business, and what our own roles do to ours is theirs. A ring's key is
 * counted for its ring; every one, the feed's and the checkpoints' too, for the instance.
 */
export async function seeKeyTouched({ detail }: KeyTouched, deps: WatchDeps): Promise<{ readonly keys: number }> {
  const id = idOf(detail.requestParameters?.keyId);
  if (id === undefined || isOurs(detail.userIdentity?.arn, deps)) return { keys: 0 };
  const rings = await Promise.all((await listRings(deps)).map((entry) => loadRing(deps, entry.id)));
  const touched = rings.filter(({ keys }) => keys.some(({ kmsKeyArn }) => idOf(kmsKeyArn) === id));
  const { feedKeyArn, checkpointKeyArn } = deps.config;
  const isPurposeKey = [feedKeyArn, checkpointKeyArn].some((arn) => idOf(arn) === id);
  if (touched.length === 0 && !isPurposeKey) return { keys: 0 };
  const one = { name: 'KeyPolicyPuts', value: 1 } as const;
  await deps.metrics.put([...touched.map((ring) => ({ ...one, ring: ring.id })), one]);
  return { keys: 1 };
}

function idOf(keyIdOrArn: string | undefined): string | undefined {
  return keyIdOrArn?.split('/').at(-1);
}

/** Sessions of our roles; of these, only the rotator and the disabler may touch a key at all. */
function isOurs(arn: string | undefined, { config: { instance } }: WatchDeps): boolean {
  return ['rotator', 'disabler'].some((role) => arn?.includes(`:assumed-role/curfew-${instance}-${role}/`));
}

async function figuresOf({ id, inspectedAt }: RingEntry, deps: WatchDeps): Promise<Health> {
  const ring = await loadRing(deps, id);
  return healthOf({ ring, feed: await publishedFeed(id, deps), inspectedAt }, deps.clock.now());
}

/** What nobody can read is none: a figure that says so is better than no figures of any ring. */
async function publishedFeed(ring: string, { objects }: WatchDeps) {
  const published = await objects.get('public', feedObjectKey(ring));
  try {
    return published && feedOf(published.body.toString());
  } catch (error) {
    if (isCurfewError(error, 'ERR_FEED_INVALID')) return undefined;
    throw error;
  }
}

function metricsOf(health: Health | undefined, ring?: string): Metric[] {
  return Object.entries(health ?? {}).map(([name, value]) => ({ name: name as keyof Health, value, ring }));
}

export const handler = entry('watch', async (event: KeyTouched | Record<string, never>, deps) =>
  'detail' in event ? seeKeyTouched(event as KeyTouched, deps) : watchRings(deps),
);
