/** What people do to a ring: rotate it now, halt its issuing, close it for good. */

import { commitIssued } from '../../lambdas/committer';
import { haltOrResume } from '../../lambdas/halt';
import { publishFeed } from '../../lambdas/publisher';
import { applyRingConfig } from '../../lambdas/ring-deployer';
import { rotate } from '../../lambdas/rotator';
import { taintOrDeny } from '../../lambdas/taint';
import { jwksAt } from '../../lib/domain/feed/publication';
import type { TaintTarget } from '../../lib/domain/rings/taint';
import { World } from '../../lib/local/world';
import { verdict } from '../support/published';
import { alwaysViolated, kmsArns, settledViolated } from '../support/ring-invariants';
import {
  AUDIENCE,
  ISSUER,
  issueTo,
  pass,
  RING,
  ringOf,
  type SigningWorld,
  signingWorld,
  taintKeys,
  verifierOf,
  wire,
} from './signing-world';

const CONFIG = {
  id: RING,
  issuer: ISSUER,
  audience: AUDIENCE,
  algorithm: 'ES256',
  periodSeconds: 30 * 86_400,
  maxTtlSeconds: 3600,
};
const tick = (world: World) => rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
const switchTo = (world: World, op: 'halt' | 'resume') =>
  haltOrResume({ op, ring: RING, reason: 'drill' }, world.deps('halt'));
const typesOf = (world: World) =>
  world.tables.dump('keys').flatMap(({ record }) => (record as { type?: string } | undefined)?.type ?? []);

describe('rotation by hand', () => {
  test('is the scheduled one, made now; its reason is on record', async () => {
    const world = await signingWorld();
    const { activeKid: from = '' } = await ringOf(world);
    const { kid } = await rotate({ op: 'rotate', ring: RING, from, reason: 'key ceremony' }, world.deps('rotator'));
    expect((await ringOf(world)).activeKid).toBe(kid);
    expect(kid).not.toBe(from);
    expect(world.tables.dump('keys')).toContainEqual(
      expect.objectContaining({
        record: expect.objectContaining({
          type: 'key.activated',
          body: expect.objectContaining({ kid, reason: 'key ceremony' }),
        }),
      }),
    );
    world.clock.advance(15);
    await rotate({ op: 'disable-old', ring: RING }, world.deps('rotator'));
    expect([await alwaysViolated(world), await settledViolated(world)]).toEqual([[], []]);
  });

  test('asked twice, because an answer was lost, rotates once', async () => {
    const world = await signingWorld();
    const { activeKid: from = '' } = await ringOf(world);
    const ask = () => rotate({ op: 'rotate', ring: RING, from, reason: 'test' }, world.deps('rotator'));
    const first = await ask();
    expect(await ask()).toEqual({ done: [], kid: first.kid });
    expect((await ringOf(world)).activations).toBe(2);
  });

  test('waits for the caches like any other: the next two are ready at once, the third is refused', async () => {
    const world = await signingWorld();
    const again = async () => {
      const { activeKid: from = '' } = await ringOf(world);
      return rotate({ op: 'rotate', ring: RING, from, reason: 'test' }, world.deps('rotator'));
    };
    await again();
    await again();
    await expect(again()).rejects.toMatchObject({ code: 'ERR_NO_SUCCESSOR' });
    world.clock.advance(70);
    await expect(again()).resolves.toMatchObject({ kid: expect.any(String) });
  });
});

describe('a halt', () => {
  test('stops issuing in one transaction, is on record, and is said again without being written again', async () => {
    const world = await signingWorld();
    expect(await switchTo(world, 'halt')).toMatchObject({ halted: true });
    const { fence } = await ringOf(world);
    expect(await switchTo(world, 'halt')).toMatchObject({ halted: true });
    expect((await ringOf(world)).fence).toBe(fence);
    await expect(issueTo(world, 'member-1')).rejects.toMatchObject({ code: 'ERR_RING_HALTED' });

    expect(await switchTo(world, 'resume')).toMatchObject({ halted: false });
    await expect(issueTo(world, 'member-1')).resolves.toBeDefined();
    expect(typesOf(world)).toEqual(expect.arrayContaining(['ring.halted', 'ring.resumed']));
  });

  test('holds no departure up: the wave re-signs what was issued, and the old key is DENIED', async () => {
    const world = await signingWorld();
    await issueTo(world, 'member-1');
    await commitIssued({}, world.deps('committer'));
    const { activeKid: kid = '' } = await ringOf(world);
    await switchTo(world, 'halt');

    const { batches } = await taintKeys(world, [{ kid, class: 'compromise', reason: 'test' }]);
    expect(await pass(world, batches, 1)).toEqual({ found: 1, resigned: 1 });
    world.clock.advance(15);
    expect(await pass(world, batches, 2)).toMatchObject({ resigned: 0 });
    const { states } = await taintOrDeny({ op: 'deny', ring: RING, kids: [kid] }, world.deps('taint'));
    expect(states).toEqual([{ kid, state: 'DENIED' }]);
    await expect(issueTo(world, 'member-1')).rejects.toMatchObject({ code: 'ERR_RING_HALTED' });
  });

  test('does not keep a ring from turning', async () => {
    const world = await signingWorld();
    const { activeKid } = await ringOf(world);
    await switchTo(world, 'halt');
    world.clock.advance(30 * 86_400);
    await tick(world);
    expect((await ringOf(world)).activeKid).not.toBe(activeKid);
  });
});

describe('a ring is removed in two steps', () => {
  /** Without a legacy key: one that still verifies keeps its ring. */
  async function ring() {
    const world = wire(
      new World({ now: 1_800_000_000, settings: { propagationSeconds: 10, verifierCacheSeconds: 60 } }),
    );
    await applyRingConfig(CONFIG, world.deps('rotator'));
    world.clock.advance(70);
    return world as SigningWorld;
  }
  const closing = (world: World, closed = true) =>
    applyRingConfig({ ...CONFIG, closing: closed }, world.deps('rotator'));

  test('first it issues no more, and its tokens stay good to their end', async () => {
    const world = await ring();
    const token = await issueTo(world, 'member-1');
    await closing(world);
    await expect(issueTo(world, 'member-1')).rejects.toMatchObject({
      code: 'ERR_RING_CLOSING',
      message: `ring ${RING} is closing and issues no more`,
    });
    world.clock.advance(3590);
    await tick(world);
    await world.functions.invoke('publisher', { ring: RING });
    expect(await verdict(await verifierOf(world), token)).toBe('accepted');
  });

  test('then, when its last token is over, every key is RETIRED and none can sign; and nothing is born again', async () => {
    const world = await ring();
    await issueTo(world, 'member-1');
    await closing(world);
    world.clock.advance(3600 + 30);
    expect((await tick(world)).done).toEqual([]);
    world.clock.advance(1);
    expect((await tick(world)).done).toEqual(['close']);
    world.clock.advance(15);
    await tick(world);

    const closed = await ringOf(world);
    expect(closed).not.toHaveProperty('activeKid');
    expect(closed).toMatchObject({ keys: [{ state: 'RETIRED' }, { state: 'RETIRED' }, { state: 'RETIRED' }] });
    expect(kmsArns(world).map((arn) => world.kms.stateOf(arn))).toEqual(['Disabled', 'Disabled', 'Disabled']);
    world.clock.advance(90 * 86_400);
    expect((await tick(world)).done).toEqual([]);
    expect(await applyRingConfig({ ...CONFIG, closing: true }, world.deps('ring-deployer'))).toMatchObject({
      ring: RING,
    });
  });

  test('a departure in between is served: a closing ring rotates and re-signs, and closes after its wave', async () => {
    const world = await ring();
    await issueTo(world, 'member-1');
    await closing(world);
    await commitIssued({}, world.deps('committer'));
    const { activeKid: kid = '' } = await ringOf(world);
    const { batches } = await taintKeys(world, [{ kid, class: 'compromise', reason: 'test' }]);
    expect(await pass(world, batches, 1)).toEqual({ found: 1, resigned: 1 });
    world.clock.advance(3700);
    expect((await tick(world)).done).not.toContain('close');
    await pass(world, batches, 2);
    await taintOrDeny({ op: 'deny', ring: RING, kids: [kid] }, world.deps('taint'));
    expect((await tick(world)).done).toContain('close');
  });

  test('until it is closed the first step can be taken back; then it cannot', async () => {
    const world = await ring();
    await closing(world);
    await closing(world, false);
    await expect(issueTo(world, 'member-1')).resolves.toBeDefined();
    await closing(world);
    world.clock.advance(3700);
    await tick(world);
    await expect(closing(world, false)).rejects.toMatchObject({
      code: 'ERR_RING_CLOSING',
      message: `ring ${RING} is closed, and does not open again`,
    });
  });
});

describe('a shorter life of tokens', () => {
  const DAY = 86_400;
  test('does not shorten that of those which were issued before: they are good to the end they name', async () => {
    const world = wire(
      new World({ now: 1_800_000_000, settings: { propagationSeconds: 10, verifierCacheSeconds: 60 } }),
    );
    await applyRingConfig({ ...CONFIG, maxTtlSeconds: DAY }, world.deps('rotator'));
    world.clock.advance(70);
    const token = await issueTo(world, 'member-1', { lifeSeconds: DAY });
    await applyRingConfig({ ...CONFIG, maxTtlSeconds: 3600 }, world.deps('rotator'));
    const { activeKid: from = '' } = await ringOf(world);
    await rotate({ op: 'rotate', ring: RING, from, reason: 'test' }, world.deps('rotator'));
    world.clock.advance(DAY - 100);
    await tick(world);
    await world.functions.invoke('publisher', { ring: RING });
    expect(await verdict(await verifierOf(world, { maxTtlSeconds: DAY }), token)).toBe('accepted');

    await applyRingConfig({ ...CONFIG, closing: true }, world.deps('rotator'));
    world.clock.advance(3700);
    expect((await tick(world)).done).not.toContain('close');
  });
});

describe('a STANDBY that is tainted', () => {
  test('is RETIRED: whatever somebody signed with it beforehand leaves the JWKS, and another one is born', async () => {
    const world = await signingWorld();
    const [{ kid = '' } = {}] = (await ringOf(world)).keys.filter(({ state }) => state === 'STANDBY');
    const { states, batches } = await taintOrDeny(
      { op: 'taint', ring: RING, targets: [{ kid, class: 'compromise', reason: 'policy was changed' }] },
      world.deps('taint'),
    );
    expect([states, batches]).toEqual([[{ kid, state: 'RETIRED' }], []]);
    expect(jwksAt(await ringOf(world), world.clock.now()).keys.map((jwk) => jwk.kid)).not.toContain(kid);
    await tick(world);
    expect([await alwaysViolated(world), await settledViolated(world)]).toEqual([[], []]);
  });

  test('does not take over from the ACTIVE key in the same breath', async () => {
    const world = await signingWorld();
    const { activeKid = '' } = await ringOf(world);
    const { kid = '' } = await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'));
    const targets = [activeKid, kid].map((one) => ({ kid: one, class: 'compromise' as const, reason: 'test' }));
    await expect(
      taintOrDeny({ op: 'taint', ring: RING, targets, successor: kid }, world.deps('taint')),
    ).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      message: `successor ${kid} of ring ${RING} is tainted by the same request`,
    });
  });
});

const CLASS = 'the taint class is not compromise or planned';
const REASON = 'the reason is not one line of text';
test.each([
  [{ class: 'whatever' }, CLASS],
  [{ class: undefined }, CLASS],
  [{ reason: '' }, REASON],
  [{ reason: undefined }, REASON],
  [{ reason: 'x'.repeat(201) }, REASON],
  [{ reason: 'a\nb' }, REASON],
])('a taint in other words is refused, and changes nothing: %j', async (odd, message) => {
  const world = await signingWorld();
  const { activeKid = '' } = await ringOf(world);
  const target = { kid: activeKid, class: 'planned', reason: 'test', ...odd } as TaintTarget;
  const before = world.tables.dump('keys');
  const asked = taintOrDeny({ op: 'taint', ring: RING, targets: [target] }, world.deps('taint'));
  await expect(asked).rejects.toMatchObject({ code: 'ERR_INPUT_INVALID', message });
  expect(world.tables.dump('keys')).toEqual(before);
});

test.each(['taint', 'halt', 'rotator'] as const)('what %s does not know it refuses', async (name) => {
  const world = await signingWorld();
  const odd = { op: 'forget', ring: RING } as never;
  const asked = {
    taint: () => taintOrDeny(odd, world.deps('taint')),
    halt: () => haltOrResume(odd, world.deps('halt')),
    rotator: () => rotate(odd, world.deps('rotator')),
  };
  await expect(asked[name]()).rejects.toMatchObject({ code: 'ERR_INPUT_INVALID', got: 'forget' });
});

test('a halt without a reason is refused', async () => {
  const world = await signingWorld();
  const halted = haltOrResume({ op: 'halt', ring: RING, reason: '' }, world.deps('halt'));
  await expect(halted).rejects.toMatchObject({ code: 'ERR_INPUT_INVALID', message: REASON });
});

test('a legacy key is not believed for more than a year', async () => {
  const world = wire(new World({ now: 1_800_000_000 }));
  const { legacy } = await signingWorld();
  const until = (verifyUntil: number) =>
    applyRingConfig(
      { ...CONFIG, legacyKeys: [{ jwk: legacy.jwk, verifyUntil, approver: 'CHG-7' }] },
      world.deps('rotator'),
    );
  await expect(until(world.clock.now() + 367 * 86_400)).rejects.toMatchObject({
    code: 'ERR_RING_LIMIT',
    message: `legacy key ${legacy.jwk.kid} of ring ${RING} would be accepted for too long`,
  });
});

test('what lies there as the feed and is not signed by us is replaced, and has no say in what comes after', async () => {
  const world = await signingWorld();
  const publisher = world.deps('publisher');
  for (const body of [
    'garbage',
    `${Buffer.from('{}').toString('base64url')}.${Buffer.from('{"seq":9007199254740990}').toString('base64url')}.AA`,
  ]) {
    const { etag = '' } = (await publisher.objects.get('public', `r/${RING}/feed`)) ?? {};
    await publisher.objects.put('public', `r/${RING}/feed`, Buffer.from(body), { ifMatch: etag });
    const { seq } = await publishFeed({ ring: RING }, publisher);
    expect(seq).toBe(world.clock.now());
    await expect((await verifierOf(world)).verify(await issueTo(world, 'member-1'))).resolves.toBeDefined();
  }
});
