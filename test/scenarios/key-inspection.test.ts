/** Each tick reads every living KMS key back: what somebody did behind our back is found, recorded and mended. */
import { rotate } from '../../lambdas/keys/rotator';
import { seeKeyPolicyPut, watchRings } from '../../lambdas/keys/watch';
import { findKey } from '../../lib/domain/keys/ring';
import { policyAllowing } from '../../lib/local/kms';
import { roleArn } from '../../lib/local/world';
import { alwaysViolated, canSign, settledViolated } from '../support/ring-invariants';
import { issueTo, RING, ringOf, SETTINGS, type SigningWorld, signingWorld } from './signing-world';

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
  test('puts every figure of every ring, and knows the ring of a dead scheduler by its feed', async () => {
    const world = await signingWorld();
    expect(await watchRings(world.deps('watch'))).toEqual({ rings: 1 });
    const age = SETTINGS.propagationSeconds + SETTINGS.verifierCacheSeconds;
    expect(world.metrics.kept).toEqual([
      { name: 'ActiveKeyAge', value: age, ring: RING },
      { name: 'StandbyKeys', value: 2, ring: RING },
      { name: 'RotationOverdue', value: 0, ring: RING },
      { name: 'FeedAge', value: age, ring: RING },
      { name: 'KeyPolicyDrift', value: 0, ring: RING },
    ]);
  });

  test('sees a PutKeyPolicy on a key of the ring, named by id or by ARN, and no other', async () => {
    const world = await signingWorld();
    const arn = await arnOf(world, (await ringOf(world)).activeKid ?? '');
    const put = (keyId: string) =>
      seeKeyPolicyPut({ detail: { eventName: 'PutKeyPolicy', requestParameters: { keyId } } }, world.deps('watch'));
    expect(await put(arn)).toEqual({ rings: 1 });
    expect(await put(arn.split('/').at(-1) ?? '')).toEqual({ rings: 1 });
    expect(await put(world.config.feedKeyArn ?? '')).toEqual({ rings: 0 });
    expect(world.metrics.kept).toEqual([
      { name: 'KeyPolicyPuts', value: 1, ring: RING },
      { name: 'KeyPolicyPuts', value: 1, ring: RING },
    ]);
  });
});
