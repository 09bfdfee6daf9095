/** The first figures of a ring are good: what pages somebody on the day of the first deployment is believed no more. */
import { applyRingConfig } from '../../lambdas/ring-deployer';
import { watchRings } from '../../lambdas/watch';
import { ALARMS, type AlarmName } from '../../lib/constructs/watch/alarms';
import { World } from '../../lib/local/world';
import { AUDIENCE, ISSUER, NOW, RING, wire } from './signing-world';

const PERIOD_SECONDS = 30 * 86_400;
const config = (more: object = {}) => ({
  id: RING,
  issuer: ISSUER,
  audience: AUDIENCE,
  algorithm: 'ES256',
  periodSeconds: PERIOD_SECONDS,
  maxTtlSeconds: 3600,
  ...more,
});

/** What an alarm would call bad. */
function isBad(name: AlarmName, value: number): boolean {
  const { above, below }: { above?: (ring: object) => number; below?: number } = ALARMS[name] as never;
  const times = { periodSeconds: PERIOD_SECONDS, tickSeconds: 300 };
  return below === undefined ? value > (above?.(times) ?? 0) : value < below;
}

test.each([600, 7200])('no figure of a ring just born is bad, its slowest verifier caching for %i s', async (cache) => {
  const world = wire(new World({ now: NOW }));
  const verifiers = [{ name: 'slow', cacheSeconds: cache }];
  await applyRingConfig(config({ verifiers }), world.deps('ring-deployer'));
  await watchRings(world.deps('watch'));
  const kept = world.metrics.kept as readonly { name: AlarmName; value: number }[];
  expect(kept.length).toBeGreaterThanOrEqual(14);
  expect(kept.filter(({ name, value }) => isBad(name, value))).toEqual([]);
});

test('a ring that is being born is no ring in trouble: its figures come when it issues', async () => {
  const world = wire(new World({ now: NOW }));
  await applyRingConfig(config(), world.deps('ring-deployer'));
  // KMS makes no key for the next one: its birth stops after its first rows, as it stands for minutes on AWS.
  const deps = world.deps('ring-deployer');
  const create = () => Promise.reject(new Error('not yet'));
  const stuck = { ...deps, ringKeys: Object.assign(Object.create(deps.ringKeys), { create }) };
  await expect(applyRingConfig({ ...config(), id: 'partners' }, stuck)).rejects.toThrow('not yet');

  expect(await watchRings(world.deps('watch'))).toEqual({ rings: 2 });
  const kept = world.metrics.kept as readonly { name: AlarmName; value: number; ring?: string }[];
  expect(new Set(kept.map(({ ring }) => ring))).toEqual(new Set([RING, undefined]));
  expect(kept.filter(({ name, value }) => isBad(name, value))).toEqual([]);
});
