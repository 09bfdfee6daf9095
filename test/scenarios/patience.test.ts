/** A scheduled rotation whose hosts of KMS are each a moment behind. */
import { rotate } from '../../lambdas/rotator';
import { CurfewError } from '../../lib/domain/base/errors';
import { calmly, RING, ringOf, signingWorld, taintKeys } from './signing-world';

test('kms.stale: no key loses its turn, and no tick fails, over a first NotFound to enable or disable each key', async () => {
  const world = await signingWorld({}, calmly);
  const asked = new Set<string>();
  world.ports.add((call, go) => {
    const asks = `${call.name} ${call.args[0]}`;
    if (!/^ringKeys\.(enable|disable)$/.test(call.name) || asked.has(asks)) return go(call);
    asked.add(asks);
    throw new CurfewError('ERR_NOT_FOUND', 'kms has no such key yet');
  });
  const oldest = (await ringOf(world)).keys.find(({ state }) => state === 'STANDBY')?.kid;
  world.clock.advance(30 * 86_400);
  for (let n = 0; n < 3; n++) {
    await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
    world.clock.advance(150);
  }
  expect((await ringOf(world)).activeKid).toBe(oldest);
  // The successor is enabled, the old key disabled, and so is the new STANDBY.
  expect(asked.size).toBe(3);
});

test.each<[string, string, () => unknown]>([
  ['state', 'ringKeys.describe', () => ({ state: 'Enabled', origin: 'AWS_KMS' })],
  [
    'policy',
    'ringKeys.policy',
    () => {
      throw new CurfewError('ERR_NOT_FOUND', 'kms has no such key yet');
    },
  ],
])(
  'kms.stale: a tick accuses nobody, and gives no key up, over an old %s that one host tells',
  async (_of, name, old) => {
    const world = await signingWorld({}, calmly);
    const { fence, keys } = await ringOf(world);
    const standby = keys.find(({ state }) => state === 'STANDBY')?.kmsKeyArn;
    let told = 0;
    world.ports.add(async (call, go) =>
      call.name === name && call.args[0] === standby && told++ === 0 ? old() : go(call),
    );
    expect(await rotate({ op: 'tick', ring: RING }, world.deps('rotator'))).toEqual({ done: [] });
    expect(told).toBe(2);
    expect((await ringOf(world)).fence).toBe(fence);
  },
);

test('kms.stale: a key that was disabled is not said to be enabled on the word of one host', async () => {
  const world = await signingWorld({}, calmly);
  const { activeKid: kid = '' } = await ringOf(world);
  await taintKeys(world, [{ kid, class: 'compromise', reason: 'test' }]);
  const disableOld = () => rotate({ op: 'disable-old', ring: RING }, world.deps('rotator'));
  await disableOld();
  let told = 0;
  world.ports.add(async (call, go) =>
    call.name === 'ringKeys.describe' && told++ === 0 ? { state: 'Enabled', origin: 'AWS_KMS' } : go(call),
  );
  expect((await disableOld()).disabled).toContainEqual({ kid, state: 'Disabled' });
});

test('a key that signs is not said to be unfit because its issuer answers slowly', async () => {
  const world = await signingWorld({}, calmly);
  const oldest = (await ringOf(world)).keys.find(({ state }) => state === 'STANDBY')?.kid;
  world.ports.add(async (call, go) => {
    if (call.args[0] === 'issuer') world.clock.advance(9);
    return go(call);
  });
  expect(await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'))).toMatchObject({ kid: oldest });
});

test.each(['ERR_UNAVAILABLE', 'ERR_NOT_FOUND', 'ERR_KEY_DISABLED'] as const)(
  'kms.stale, lambda.throttled: a probe that once ends with %s costs a probe, and not the turn of its key',
  async (code) => {
    const world = await signingWorld({}, calmly);
    const oldest = (await ringOf(world)).keys.find(({ state }) => state === 'STANDBY')?.kid;
    let asked = 0;
    world.ports.add(async (call, go) => {
      if (call.args[0] !== 'issuer' || ++asked !== 2) return go(call);
      if (code === 'ERR_KEY_DISABLED') return { probe: { signed: false, code } };
      throw new CurfewError(code, 'the issuer did not answer the probe');
    });
    expect(await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'))).toMatchObject({ kid: oldest });
    // One that was good, the one that failed, and five in a row after it.
    expect(asked).toBe(7);
  },
);
