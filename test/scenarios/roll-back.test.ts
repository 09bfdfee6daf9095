/** CloudFormation takes a deployment back: the ring's old properties come again, and legacy keys stay as they are. */
import { deployRing } from '../../lambdas/ring-deployer';
import type { LegacyKeyConfig } from '../../lib/domain/rings/configuration';
import type { World } from '../../lib/local/world';
import { signingKey } from '../support/keys';
import { alwaysViolated } from '../support/ring-invariants';
import {
  AUDIENCE,
  ISSUER,
  legacyClaims,
  NOW,
  RING,
  ringOf,
  signingWorld,
  signLegacy,
  verifierOf,
} from './signing-world';

const DAY = 86_400;
const STACK = 'arn:aws:cloudformation:eu-central-1:000000000000:stack/curfew-test-signing/1';
const second = { jwk: signingKey().jwk, verifyUntil: NOW + 30 * DAY, approver: 'CHG-8' };

async function begun() {
  const world = await signingWorld();
  return { world, first: { jwk: world.legacy.jwk, verifyUntil: NOW + 90 * DAY, approver: 'CHG-7' } };
}

function propertiesOf(legacyKeys: readonly LegacyKeyConfig[], more: object = {}) {
  const ring = {
    id: RING,
    issuer: ISSUER,
    audience: AUDIENCE,
    algorithm: 'ES256',
    periodSeconds: 30 * DAY,
    maxTtlSeconds: 3600,
    legacyKeys,
    ...more,
  };
  return { ring: JSON.stringify(ring) };
}

function deploy(world: World, legacyKeys: readonly LegacyKeyConfig[], more: object = {}) {
  const ResourceProperties = propertiesOf(legacyKeys, more);
  const event = { RequestType: 'Update', StackId: STACK, ResourceProperties } as const;
  return deployRing(event, world.deps('ring-deployer'));
}

const ends = async (world: World) =>
  Object.fromEntries(
    (await ringOf(world)).keys
      .filter(({ kind }) => kind === 'legacy')
      .map(({ kid, state, verifyUntil }) => [kid, `${state} until ${verifyUntil}`]),
  );
const recorded = (world: World) =>
  world.tables.dump('keys').flatMap(({ record }) => {
    const { type, body } = (record ?? {}) as { type?: string; body?: { legacyKeysKept?: unknown } };
    return type === 'ring.updated' && body?.legacyKeysKept ? [body.legacyKeysKept] : [];
  });
const KEPT = { PhysicalResourceId: RING, Data: { LegacyKeys: 'kept as they are: the stack is rolled back' } };
const immutable = (message: RegExp) => ({ code: 'ERR_RING_IMMUTABLE', message: expect.stringMatching(message) });

describe('cloudformation.roll-back (F-D4)', () => {
  test('a second legacy key that was adopted stays OBSERVED until its end, and the roll-back succeeds', async () => {
    const { world, first } = await begun();
    await deploy(world, [first, second]);
    world.stacks.rollingBack.add(STACK);
    expect(await deploy(world, [first])).toEqual(KEPT);
    expect(await ends(world)).toEqual({
      [first.jwk.kid]: `OBSERVED until ${first.verifyUntil}`,
      [second.jwk.kid]: `OBSERVED until ${second.verifyUntil}`,
    });
    expect(recorded(world)).toEqual([
      expect.arrayContaining([
        { kid: first.jwk.kid, verifyUntil: first.verifyUntil },
        { kid: second.jwk.kid, verifyUntil: second.verifyUntil },
      ]),
    ]);
    expect(await alwaysViolated(world)).toEqual([]);
  });

  test('a legacy key that was given an earlier end keeps it, and the roll-back succeeds', async () => {
    const { world, first } = await begun();
    const sooner = { ...first, verifyUntil: NOW + 10 * DAY };
    await deploy(world, [sooner]);
    world.stacks.rollingBack.add(STACK);
    expect(await deploy(world, [first])).toEqual(KEPT);
    expect(await ends(world)).toEqual({ [first.jwk.kid]: `OBSERVED until ${sooner.verifyUntil}` });
  });

  test('both at once, with what else the deployment changed: that goes back, and legacy tokens are judged as before', async () => {
    const { world, first } = await begun();
    await deploy(world, [{ ...first, verifyUntil: NOW + 10 * DAY }, second], { maxTtlSeconds: 1800 });
    expect((await ringOf(world)).cfg.maxTtlSeconds).toBe(1800);
    world.stacks.rollingBack.add(STACK);
    await deploy(world, [first]);
    expect((await ringOf(world)).cfg.maxTtlSeconds).toBe(3600);
    expect(Object.values(await ends(world)).sort()).toEqual(
      [`OBSERVED until ${NOW + 10 * DAY}`, `OBSERVED until ${second.verifyUntil}`].sort(),
    );
    const token = signLegacy(world, legacyClaims(world, 'member-1', 'jti-1'));
    await expect((await verifierOf(world)).verify(token)).resolves.toMatchObject({ claims: { sub: 'member-1' } });
  });

  test('asked again, because the answer was lost, it succeeds again; afterwards the mended deployment does too', async () => {
    const { world, first } = await begun();
    await deploy(world, [first, second]);
    world.stacks.rollingBack.add(STACK);
    await deploy(world, [first]);
    expect(await deploy(world, [first])).toEqual(KEPT);
    world.stacks.rollingBack.clear();
    expect(await deploy(world, [first, second])).toMatchObject({ Data: { LegacyKeys: 'as configured' } });
  });
});

describe('a deployment on purpose', () => {
  const tries: Readonly<Record<string, (first: LegacyKeyConfig) => readonly LegacyKeyConfig[]>> = {
    'that leaves a legacy key out': (first) => [first],
    'that lets one end later': (first) => [{ ...first, verifyUntil: first.verifyUntil + DAY }, second],
    'that lets one end later and another sooner': (first) => [
      { ...second, verifyUntil: second.verifyUntil - DAY },
      { ...first, verifyUntil: first.verifyUntil + DAY },
    ],
  };
  test.each(Object.keys(tries))('%s is refused, and nothing about legacy keys changes', async (name) => {
    const { world, first } = await begun();
    await deploy(world, [first, second]);
    const before = await ends(world);
    // Another stack is taken back meanwhile: it is not this one.
    world.stacks.rollingBack.add(`${STACK}2`);
    await expect(deploy(world, tries[name]?.(first) ?? [])).rejects.toMatchObject(
      immutable(/still accepted$|cannot move later$/),
    );
    expect(await ends(world)).toEqual(before);
    expect(recorded(world)).toEqual([]);
  });

  test('that names no stack is refused even while one is taken back', async () => {
    const { world, first } = await begun();
    await deploy(world, [first, second]);
    world.stacks.rollingBack.add(STACK);
    const event = { RequestType: 'Update', ResourceProperties: propertiesOf([first]) } as const;
    await expect(deployRing(event, world.deps('ring-deployer'))).rejects.toMatchObject(immutable(/still accepted$/));
  });
});
