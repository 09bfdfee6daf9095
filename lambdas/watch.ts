/** Once per minute: how every ring is, in figures, for the alarms. At once: a key change that CloudTrail saw. */
import { entry } from '../lib/aws/entry';
import { isCurfewError } from '../lib/domain/base/errors';
import { feedObjectKey } from '../lib/domain/feed/feed';
import { feedOf } from '../lib/domain/feed/parse-feed';
import { type Health, healthOf, worstOf } from '../lib/domain/health/ring-health';
import { isClosed } from '../lib/domain/rings/rotation';
import type { RingEntry } from '../lib/domain/store/ring-head';
import type { Deps, Metric } from '../lib/ports';
import { listRings, loadRing } from '../lib/work/rings/load-ring';

type WatchDeps = Deps<'watch'>;

/** CloudTrail's word on a call to KMS, as EventBridge hands it over. The key may be named by id or ARN, or not at all. */
interface KeyTouched {
  readonly detail: {
    readonly eventName: string;
    readonly requestParameters?: { readonly keyId?: string } | null;
    readonly userIdentity?: { readonly arn?: string };
  };
}

export async function watchRings(deps: WatchDeps): Promise<{ readonly rings: number }> {
  const rings = await listRings(deps);
  const all = await Promise.all(rings.map((entry) => figuresOf(entry, deps)));
  // One that is being born has no feed yet, and would be the worst of all rings: CloudFormation waits for its birth, and
  // says if it fails.
  const figures = all.filter(({ born }) => born);
  const ofRings = figures.flatMap(({ id, health }) => metricsOf(health, id));
  // A ring that closed was removed, or will be: it needs no more rotation.
  const open = figures.filter(({ closed }) => !closed).map(({ health }) => health);
  await deps.metrics.put([...ofRings, ...metricsOf(worstOf(open))]);
  return { rings: rings.length };
}

/**
 * Keys that are none of ours are other people's business. A ring's key is counted for its ring; every one, the feed's and
 * the checkpoints' too, for the instance.
 */
export async function seeKeyTouched({ detail }: KeyTouched, deps: WatchDeps): Promise<{ readonly keys: number }> {
  const id = idOf(detail.requestParameters?.keyId);
  if (id === undefined || isOurs(detail, deps)) return { keys: 0 };
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

/** Disabling is what rotator and disabler are for. Whatever else one of their sessions does to a key is not our doing. */
function isOurs({ eventName, userIdentity }: KeyTouched['detail'], { config: { instance } }: WatchDeps): boolean {
  const { arn = '' } = userIdentity ?? {};
  return (
    eventName === 'DisableKey' &&
    ['rotator', 'disabler'].some((role) => arn.includes(`:assumed-role/curfew-${instance}-${role}/`))
  );
}

async function figuresOf({ id, inspectedAt }: RingEntry & { readonly id: string }, deps: WatchDeps) {
  const ring = await loadRing(deps, id);
  const health = healthOf({ ring, feed: await publishedFeed(id, deps), inspectedAt }, deps.clock.now());
  return { id, health, born: ring.activations > 0, closed: isClosed(ring) };
}

/** A feed that cannot be read counts as none: a figure that says so is better than no figures of any ring. */
async function publishedFeed(ring: string, { objects }: WatchDeps) {
  const published = await objects.get('public', feedObjectKey(ring));
  try {
    return published && feedOf(published.body.toString());
  } catch (error) {
    if (isCurfewError(error, 'ERR_FEED_INVALID')) return undefined;
    throw error;
  }
}

function metricsOf(health: Health, ring?: string): Metric[] {
  return Object.entries(health).map(([name, value]) => ({ name: name as keyof Health, value, ring }));
}

/** The schedule calls with nothing in it. */
type Tick = { readonly detail?: undefined };

export const handler = entry('watch', async (event: KeyTouched | Tick, deps) =>
  event.detail === undefined ? watchRings(deps) : seeKeyTouched(event, deps),
);
