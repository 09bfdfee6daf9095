/** Two Lambdas of one case run on two hosts, and the clock of one is some seconds behind. */
import { commitIssued } from '../../lambdas/committer';
import { issue } from '../../lambdas/issuer';
import { rotate } from '../../lambdas/rotator';
import { findKey } from '../../lib/domain/rings/ring';
import { calmly, RING, ringOf, type SigningWorld, signingWorld, taintKeys } from './signing-world';

/** The ports of a Lambda whose host is behind. */
function behind<D extends object>(seconds: number, world: SigningWorld, deps: D) {
  const { clock } = world;
  return { ...deps, clock: { now: () => clock.now() - seconds, sleep: (s: number) => clock.sleep(s) } };
}

test('clock.step: a rotator whose clock is behind disables a key whose drain the caller has waited for', async () => {
  const world = await signingWorld({}, calmly);
  const { activeKid: kid = '' } = await ringOf(world);
  await taintKeys(world, [{ kid, class: 'planned', reason: 'test' }]);
  world.clock.advance(world.config.settings.drainSeconds);

  const { disabled } = await rotate({ op: 'disable-old', ring: RING }, behind(3, world, world.deps('rotator')));
  expect(disabled).toContainEqual({ kid, state: 'Disabled' });
  expect(world.kms.stateOf(findKey(await ringOf(world), kid).kmsKeyArn ?? '')).toBe('Disabled');
});

test('clock.step: a key that has only begun to drain is neither waited for nor disabled', async () => {
  const world = await signingWorld({}, calmly);
  const { activeKid: kid = '' } = await ringOf(world);
  await taintKeys(world, [{ kid, class: 'planned', reason: 'test' }]);
  const asked = world.clock.now();

  const { disabled } = await rotate({ op: 'disable-old', ring: RING }, behind(3, world, world.deps('rotator')));
  expect(disabled).toContainEqual({ kid, state: 'Enabled' });
  expect(world.clock.now()).toBe(asked);
});

test('clock.step: a committer whose clock is behind lists what was issued before it was asked', async () => {
  const world = await signingWorld({}, calmly);
  const claims = { sub: 'member-1', client_id: 'web' };
  await issue({ op: 'issue', ring: RING, claims, callerArn: 'arn:test' }, world.deps('issuer'));
  expect(await commitIssued({}, behind(3, world, world.deps('committer')))).toEqual({ committed: 1 });
});

test.each([0, 1])(
  'clock.step: a rotator whose clock steps back after %i readings disables it all the same',
  async (good) => {
    const world = await signingWorld({}, calmly);
    const { activeKid: kid = '' } = await ringOf(world);
    await taintKeys(world, [{ kid, class: 'planned', reason: 'test' }]);
    world.clock.advance(world.config.settings.drainSeconds);
    let read = 0;
    const now = () => world.clock.now() - (read++ < good ? 0 : 3);
    const deps = { ...world.deps('rotator'), clock: { now, sleep: (s: number) => world.clock.sleep(s) } };

    const { disabled } = await rotate({ op: 'disable-old', ring: RING }, deps);
    expect(disabled).toContainEqual({ kid, state: 'Disabled' });
  },
);
