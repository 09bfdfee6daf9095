/** Each tick reads every living KMS key back: what somebody did behind our back is found, recorded and mended. */
import { rotate } from '../../lambdas/rotator';
import { seeKeyTouched, watchRings } from '../../lambdas/watch';
import { CurfewError } from '../../lib/domain/base/errors';
import { findKey } from '../../lib/domain/rings/ring';
import { policyAllowing } from '../../lib/local/kms';
import { roleArn } from '../../lib/local/world';
import { alwaysViolated, canSign, settledViolated } from '../support/ring-invariants';
import {
  calmly,
  issueTo,
  NOW,
  RING,
  ringOf,
  SETTINGS,
  type SigningWorld,
  signingWorld,
  taintKeys,
} from './signing-world';

const tick = (world: SigningWorld) => rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
const arnOf = async (world: SigningWorld, kid: string) => findKey(await ringOf(world), kid).kmsKeyArn ?? '';
const standbys = async (world: SigningWorld) => (await ringOf(world)).keys.filter(({ state }) => state === 'STANDBY');
const recordsOf = (world: SigningWorld, type: string) =>
  world.tables
    .dump('keys')
    .flatMap(({ record }) => ((record as { type?: string } | undefined)?.type === type ? [record] : []));

test('a ring that nobody touched is found as it was left, and nothing is written', async () => {
  const world = await signingWorld();
  const before = (await ringOf(world)).fence;
  expect(await tick(world)).toEqual({ done: [] });
  expect((await ringOf(world)).fence).toBe(before);
});

test.each([
  [
    'lets somebody else sign',
    'changed',
    (policy: string) => policy.replace(roleArn('issuer'), roleArn('people-import')),
  ],
  [
    'names a role by the id it had before it was deleted',
    'orphaned',
    (policy: string) => policy.replace(roleArn('issuer'), 'AROAEXAMPLEID0123456789'),
  ],
])(
  'a STANDBY whose policy %s never signs for us: it leaves the JWKS, and another takes its place',
  async (_what, policyState, change) => {
    const world = await signingWorld();
    const [{ kid = '' } = {}] = await standbys(world);
    const arn = await arnOf(world, kid);
    world.kms.override(arn, { policy: change(await world.deps('rotator').ringKeys.policy(arn)) });

    expect((await tick(world)).done).toEqual(expect.arrayContaining([`policy ${policyState} ${kid}`, `retire ${kid}`]));
    expect(findKey(await ringOf(world), kid)).toMatchObject({ state: 'RETIRED', inJwks: false, policyState });
    expect(recordsOf(world, 'key.policy')).toMatchObject([
      { ring: RING, body: { kid, policyState, state: 'STANDBY' } },
    ]);
    expect([await alwaysViolated(world), await settledViolated(world)]).toEqual([[], []]);
  },
);

test('a policy that shuts us out is found once, blocks its key, and does not breed new ones at every tick', async () => {
  const world = await signingWorld();
  const [{ kid = '' } = {}, { kid: other = '' } = {}] = await standbys(world);
  world.kms.override(await arnOf(world, kid), { policy: policyAllowing([roleArn('issuer')], ['kms:Sign']) });

  expect((await tick(world)).done).toEqual([`policy unreadable ${kid}`]);
  expect((await tick(world)).done).toEqual([]);
  const { kid: prepared } = await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'));
  expect(prepared).toBe(other);
});

test('a policy that is put right again is found right', async () => {
  const world = await signingWorld();
  const { activeKid = '' } = await ringOf(world);
  const arn = await arnOf(world, activeKid);
  const written = await world.deps('rotator').ringKeys.policy(arn);
  world.kms.override(arn, { policy: written.replace('DeadMan', 'Harmless') });
  expect((await tick(world)).done).toEqual([`policy changed ${activeKid}`]);
  world.kms.override(arn, { policy: written });
  expect((await tick(world)).done).toEqual([`policy as-written ${activeKid}`]);
  expect((await tick(world)).done).toEqual([]);
});

test.each(['STANDBY', 'VERIFY_ONLY'] as const)(
  'a %s key that somebody enables is disabled again by the next tick',
  async (state) => {
    const world = await signingWorld();
    if (state === 'VERIFY_ONLY') {
      world.clock.advance(30 * 86_400);
      await tick(world);
      world.clock.advance(15);
      await tick(world);
    }
    const { kid = '', kmsKeyArn = '' } = (await ringOf(world)).keys.find((key) => key.state === state) ?? {};
    await world.deps('rotator').ringKeys.enable(kmsKeyArn);
    // Every host of KMS knows by now.
    world.clock.advance(60);
    expect(await canSign(world, kmsKeyArn)).toBe(true);

    expect((await tick(world)).done).toEqual([`enabled ${kid}`, `disable ${kid}`]);
    expect(await canSign(world, kmsKeyArn)).toBe(false);
    expect(recordsOf(world, 'key.enabled')).toMatchObject([{ body: { kid, state } }]);
    expect(await alwaysViolated(world)).toEqual([]);
  },
);

test('a key under a stranger’s policy is an ACTIVE key still: people decide, and the figures say so', async () => {
  const world = await signingWorld();
  const { activeKid = '' } = await ringOf(world);
  const arn = await arnOf(world, activeKid);
  world.kms.override(arn, {
    policy: (await world.deps('rotator').ringKeys.policy(arn)).replace('DeadMan', 'Harmless'),
  });
  await tick(world);
  await expect(issueTo(world, 'member-1')).resolves.toBeDefined();

  await watchRings(world.deps('watch'));
  expect(world.metrics.kept).toContainEqual({ name: 'KeyPolicyDrift', value: 1, ring: RING });
});

describe('the watch', () => {
  const age = SETTINGS.propagationSeconds + SETTINGS.verifierCacheSeconds;

  test('puts every figure of every ring, and the worst of them, and knows a dead scheduler by the age of its work', async () => {
    const world = await signingWorld({}, calmly);
    expect(await watchRings(world.deps('watch'))).toEqual({ rings: 1 });
    const now = world.clock.now();
    const { activatedAt = now } = (await ringOf(world)).keys.find(({ state }) => state === 'ACTIVE') ?? {};
    const figures = {
      ActiveKeyAge: now - activatedAt,
      StandbyKeys: 2,
      RotationOverdue: 0,
      InspectionAge: age,
      UndisabledKeys: 0,
      FeedAge: age,
      KeyPolicyDrift: 0,
    };
    const metrics = (ring?: string) => Object.entries(figures).map(([name, value]) => ({ name, value, ring }));
    expect(world.metrics.kept).toEqual([...metrics(RING), ...metrics()]);

    await tick(world);
    await watchRings(world.deps('watch'));
    expect(world.metrics.kept).toContainEqual({ name: 'InspectionAge', value: 0, ring: RING });
  });

  test('what lies there as the feed and is none is as old as the ring, and keeps no figure back', async () => {
    const world = await signingWorld({}, calmly);
    const known = await world.deps('watch').objects.get('public', `r/${RING}/feed`);
    await world
      .deps('publisher')
      .objects.put('public', `r/${RING}/feed`, Buffer.from('garbage'), { ifMatch: known?.etag ?? '' });
    await watchRings(world.deps('watch'));
    expect(world.metrics.kept).toContainEqual({ name: 'FeedAge', value: world.clock.now() - NOW, ring: RING });
    await world.functions.invoke('publisher', { ring: RING });
    await watchRings(world.deps('watch'));
    expect(world.metrics.kept).toContainEqual({ name: 'FeedAge', value: 0, ring: RING });
  });

  const one = { name: 'KeyPolicyPuts', value: 1 };
  const touched = (world: SigningWorld, keyId: string | undefined, eventName = 'PutKeyPolicy', session = 'admin/x') => {
    const userIdentity = { arn: `arn:aws:sts::000000000000:assumed-role/${session}` };
    const requestParameters = keyId === undefined ? null : { keyId };
    return seeKeyTouched({ detail: { eventName, requestParameters, userIdentity } }, world.deps('watch'));
  };

  test('sees a key of a ring touched, named by id or by ARN, and the feed’s and the checkpoints’, and no other', async () => {
    const world = await signingWorld();
    const arn = await arnOf(world, (await ringOf(world)).activeKid ?? '');
    for (const name of [arn, arn.split('/').at(-1)]) expect(await touched(world, name)).toEqual({ keys: 1 });
    expect(world.metrics.kept).toEqual([{ ...one, ring: RING }, one, { ...one, ring: RING }, one]);
    world.metrics.kept.length = 0;
    for (const name of [world.config.feedKeyArn, world.config.checkpointKeyArn])
      expect(await touched(world, name)).toEqual({ keys: 1 });
    expect(world.metrics.kept).toEqual([one, one]);
    for (const name of ['0000', undefined]) expect(await touched(world, name)).toEqual({ keys: 0 });
  });

  test('does not count that our own roles disable keys, and counts whatever else is done in their name', async () => {
    const world = await signingWorld();
    const arn = await arnOf(world, (await ringOf(world)).activeKid ?? '');
    for (const role of ['rotator', 'disabler']) {
      expect(await touched(world, arn, 'DisableKey', `curfew-test-${role}/f`)).toEqual({ keys: 0 });
      expect(await touched(world, arn, 'PutKeyPolicy', `curfew-test-${role}/f`)).toEqual({ keys: 1 });
    }
    expect(await touched(world, arn, 'DisableKey', 'curfew-test-rotator-2/f')).toEqual({ keys: 1 });
  });
});

describe('behind our back', () => {
  test('a grant outlives the policy that allowed it: it is found although the policy is as written', async () => {
    const world = await signingWorld();
    const [{ kid = '' } = {}] = await standbys(world);
    world.kms.override(await arnOf(world, kid), { grants: ['g-1'] });
    expect((await tick(world)).done).toEqual(expect.arrayContaining([`policy granted ${kid}`, `retire ${kid}`]));
    expect([await alwaysViolated(world), await settledViolated(world)]).toEqual([[], []]);
  });

  test('a STANDBY that is to be deleted stands by for nothing: another one is born', async () => {
    const world = await signingWorld();
    const [{ kid = '' } = {}] = await standbys(world);
    world.kms.override(await arnOf(world, kid), { state: 'PendingDeletion' });
    expect((await tick(world)).done).toContain(`retire ${kid}`);
    expect(await standbys(world)).toHaveLength(2);
  });

  test.each(['Disabled', 'PendingDeletion'] as const)(
    'an ACTIVE key that is %s is replaced by the next tick, and not at the end of its period',
    async (state) => {
      const world = await signingWorld();
      const { activeKid = '' } = await ringOf(world);
      world.kms.override(await arnOf(world, activeKid), { state });
      const issued = world.weather.observe(() => issueTo(world, 'member-1'));
      await expect(issued).rejects.toMatchObject({ code: 'ERR_KEY_DISABLED' });
      expect((await tick(world)).done).toContain(`lost ${activeKid}`);
      await expect(issueTo(world, 'member-1')).resolves.toBeDefined();
      expect(await alwaysViolated(world)).toEqual([]);
    },
  );

  test('one key that KMS will not disable does not blind us to the others, nor stop an emergency', async () => {
    const world = await signingWorld();
    const { activeKid: old = '' } = await ringOf(world);
    await rotate({ op: 'rotate', ring: RING, from: old, reason: 'test' }, world.deps('rotator'));
    const lax = (await world.deps('rotator').ringKeys.policy(await arnOf(world, old))).replace(
      'kms:DisableKey',
      'kms:Nothing',
    );
    world.kms.override(await arnOf(world, old), { policy: lax.replaceAll('kms:DisableKey', 'kms:Nothing') });
    world.clock.advance(15);
    await expect(tick(world)).rejects.toMatchObject({ code: 'ERR_ACCESS_DENIED' });
    expect(findKey(await ringOf(world), old).policyState).toBe('changed');
    await watchRings(world.deps('watch'));
    expect(world.metrics.kept).toContainEqual({ name: 'UndisabledKeys', value: 1, ring: RING });

    const { activeKid = '' } = await ringOf(world);
    const { disabled } = await rotate({ op: 'disable-old', ring: RING }, world.deps('rotator'));
    expect(disabled).toContainEqual({ kid: old, state: 'Enabled' });
    const again = await rotate({ op: 'rotate', ring: RING, from: activeKid, reason: 'test' }, world.deps('rotator'));
    expect(again).toMatchObject({ kid: (await ringOf(world)).activeKid, failed: ['ERR_ACCESS_DENIED'] });
  });
});

test('kms.other-region: a key whose ARN names another Region is never said to be dead, and blinds us to no other key', async () => {
  const world = await signingWorld();
  const { activeKid = '' } = await ringOf(world);
  const elsewhere = await arnOf(world, activeKid);
  await taintKeys(world, [{ kid: activeKid, class: 'planned', reason: 'test' }]);
  world.ports.add((call, go) => {
    if (call.port !== 'ringKeys' || call.args[0] !== elsewhere) return go(call);
    throw new CurfewError('ERR_CONFIG_INVALID', 'the key is in another Region');
  });
  world.clock.advance(world.config.settings.drainSeconds);
  const { disabled = [] } = await rotate({ op: 'disable-old', ring: RING }, world.deps('rotator'));
  expect(disabled).toEqual([{ kid: activeKid, state: 'Unreadable' }]);
  const [{ kid = '' } = {}] = await standbys(world);
  world.kms.override(await arnOf(world, kid), { grants: ['g-1'] });
  await tick(world).catch(() => {});
  expect((await ringOf(world)).keys.find((key) => key.kid === kid)?.policyState).toBe('granted');
});
