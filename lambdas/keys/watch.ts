/** Once a minute: how every ring is, in figures, for the alarms. And at once: somebody changed the policy of a ring key. */
import { entry } from '../../lib/aws/entry';
import { feedObjectKey, feedOf } from '../../lib/domain/keys/feed';
import { type Health, healthOf } from '../../lib/domain/keys/health';
import type { Ring } from '../../lib/domain/keys/ring';
import type { Deps, Metric } from '../../lib/ports';
import { listRings, loadRing } from './load-ring';

/** CloudTrail's word on a PutKeyPolicy, as EventBridge hands it over. Whoever calls it may name the key by id or by ARN. */
export interface KeyPolicyPut {
  readonly detail: { readonly eventName: string; readonly requestParameters: { readonly keyId: string } };
}

export async function watchRings(deps: Deps<'watch'>): Promise<{ readonly rings: number }> {
  const rings = await ringsOf(deps);
  const figures = await Promise.all(rings.map((ring) => figuresOf(ring, deps)));
  await deps.metrics.put(figures.flat());
  return { rings: rings.length };
}

/** Keys that are none of ours are other people's business. */
export async function seeKeyPolicyPut(
  { detail }: KeyPolicyPut,
  deps: Deps<'watch'>,
): Promise<{ readonly rings: number }> {
  const id = detail.requestParameters.keyId.split('/').at(-1);
  const touched = (await ringsOf(deps)).filter(({ keys }) =>
    keys.some(({ kmsKeyArn }) => kmsKeyArn?.split('/').at(-1) === id),
  );
  await deps.metrics.put(touched.map((ring) => ({ name: 'KeyPolicyPuts', value: 1, ring: ring.id })));
  return { rings: touched.length };
}

async function ringsOf(deps: Deps<'watch'>): Promise<Ring[]> {
  return Promise.all((await listRings(deps)).map((id) => loadRing(deps, id)));
}

async function figuresOf(ring: Ring, { objects, clock }: Deps<'watch'>): Promise<Metric[]> {
  const published = await objects.get('public', feedObjectKey(ring.id));
  const health: Health = healthOf(ring, published && feedOf(published.body.toString()), clock.now());
  return Object.entries(health).map(([name, value]) => ({ name: name as keyof Health, value, ring: ring.id }));
}

export const handler = entry('watch', async (event: KeyPolicyPut | Record<string, never>, deps) =>
  'detail' in event ? seeKeyPolicyPut(event as KeyPolicyPut, deps) : watchRings(deps),
);
