/** Verifiers hear of the next key before it issues: there is no instant at which a good token has no feed that explains it. */
import { rotate } from '../../lambdas/rotator';
import { taintOrDeny } from '../../lambdas/taint';
import { CurfewError } from '../../lib/domain/base/errors';
import { feedObjectKey } from '../../lib/domain/feed/feed';
import { feedOf } from '../../lib/domain/feed/parse-feed';
import type { World } from '../../lib/local/world';
import { verdict } from '../support/published';
import { issueTo, RING, ringOf, signingWorld, verifierOf } from './signing-world';

const prepare = async (world: World) => (await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'))).kid;

async function taintActive(world: World, successor: string | undefined): Promise<void> {
  const { activeKid: kid = '' } = await ringOf(world);
  const targets = [{ kid, class: 'planned', reason: 'test' }] as const;
  await taintOrDeny({ op: 'taint', ring: RING, targets, successor }, world.deps('taint'));
}

async function saidToIssue(world: World): Promise<string[]> {
  const feed = await world.deps('publisher').objects.get('public', feedObjectKey(RING));
  return feedOf(String(feed?.body))
    .keys.filter(({ state }) => state === 'ACTIVE')
    .map(({ kid }) => kid);
}

test('a token of the next key is accepted though nothing was published since it became ACTIVE', async () => {
  const world = await signingWorld();
  const verifier = await verifierOf(world);
  expect(await verdict(verifier, await issueTo(world, 'member-1'))).toBe('accepted');
  await taintActive(world, await prepare(world));
  expect(await verdict(verifier, await issueTo(world, 'member-2'))).toBe('accepted');
});

test('prepared, it is said to issue beside the one that does; given up, it is not', async () => {
  const world = await signingWorld();
  const { activeKid } = await ringOf(world);
  const prepared = await prepare(world);
  expect((await saidToIssue(world)).sort()).toEqual([activeKid, prepared].sort());
  await rotate({ op: 'disable-old', ring: RING, prepared }, world.deps('rotator'));
  await world.functions.invoke('publisher', { ring: RING });
  expect(await saidToIssue(world)).toEqual([activeKid]);
});

test('a publisher that is down keeps nobody from replacing a key', async () => {
  const world = await signingWorld();
  world.functions.register('publisher', async () => {
    throw new CurfewError('ERR_UNAVAILABLE', 'the publisher is down');
  });
  const prepared = await prepare(world);
  await taintActive(world, prepared);
  expect((await ringOf(world)).activeKid).toBe(prepared);
});
