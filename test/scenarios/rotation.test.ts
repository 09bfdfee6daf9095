import { commitIssued } from '../../lambdas/committer';
import { haltOrResume } from '../../lambdas/halt';
import { issue } from '../../lambdas/issuer';
import { applyRingConfig } from '../../lambdas/ring-deployer';
import { rotate } from '../../lambdas/rotator';
import { taintOrDeny } from '../../lambdas/taint';
import { jwkFromSpki } from '../../lib/domain/jose/jwk';
import { parseRingConfig, ringSettings } from '../../lib/domain/rings/configuration';
import { keyPolicy } from '../../lib/domain/rings/key-policy';
import { createRing } from '../../lib/domain/rings/life';
import { RESTS_FOR } from '../../lib/domain/rings/obstacles';
import { reserveSlot, slotCreated } from '../../lib/domain/rings/transitions';
import { isCrash } from '../../lib/local/faults';
import { policyAllowing } from '../../lib/local/kms';
import { roleArn, World } from '../../lib/local/world';
import { extent } from '../support/extent';
import { verdict } from '../support/published';
import { alwaysViolated, canSign, kmsArns, settledViolated } from '../support/ring-invariants';
import { seedFor } from '../support/seeded';
import { steadyTraffic } from '../support/steady-traffic';
import { servedJwks, stockVerifier } from '../support/stock-verifier';
import {
  AUDIENCE,
  ISSUER,
  issueTo,
  legacyClaims,
  NOW,
  pass,
  RING,
  record,
  ringOf,
  SETTINGS,
  type SigningWorld,
  signingWorld,
  signLegacy,
  taintKeys,
  verifierOf,
  wire,
} from './signing-world';

const PERIOD = 30 * 86_400;
const CONFIG = {
  id: RING,
  issuer: ISSUER,
  audience: AUDIENCE,
  algorithm: 'ES256',
  periodSeconds: PERIOD,
  maxTtlSeconds: 3600,
  legacyKeys: [],
};
/** As `signingWorld` configures it. */
const legacyOf = ({ legacy: { jwk } }: SigningWorld) => ({ jwk, verifyUntil: NOW + 90 * 86_400, approver: 'CHG-7' });
const tick = (world: World) => rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
const heartbeat = (world: World) => world.functions.invoke('publisher', { ring: RING });
const states = async (world: World) =>
  (await ringOf(world)).keys.filter(({ kind }) => kind === 'kms').map(({ state }) => state);

async function expectSound(world: World): Promise<void> {
  expect([await alwaysViolated(world), await settledViolated(world)]).toEqual([[], []]);
}

describe('scheduled rotation', () => {
  test('and two emergencies within a minute: no request fails, at verifiers with caches of 0 to the declared age', async () => {
    const { requests, failed, activeKids, violated } = await steadyTraffic({
      periods: 3,
      tokensEach: 1,
      isEmergency: (period) => period === 1,
    });
    expect([failed, violated]).toEqual([[], []]);
    // Three by schedule, the first of them its birth, and two by emergency.
    expect(activeKids).toBe(5);
    expect(requests).toBeGreaterThan(2000);
    process.stdout.write(`steady traffic: ${requests} requests over ${activeKids} keys, ${failed.length} failed\n`);
  });

  test('a cache older than declared is what the declaration protects from', async () => {
    const world = await signingWorld();
    const tooOld = stockVerifier(world, 10 * PERIOD);
    expect(await verdict(tooOld, await issueTo(world, 'member-1'))).toBe('accepted');
    for (let n = 0; n < 3; n++) {
      world.clock.advance(PERIOD);
      await tick(world);
      world.clock.advance(SETTINGS.propagationSeconds + SETTINGS.verifierCacheSeconds);
      await tick(world);
    }
    expect(await verdict(tooOld, await issueTo(world, 'member-1'))).toBe('ERR_JWKS_NO_MATCHING_KEY');
  });

  test('a scheduler that died publishes nothing past verifyUntil and signs nothing past signUntil', async () => {
    const world = await signingWorld();
    const {
      signUntil = 0,
      verifyUntil = 0,
      kmsKeyArn = '',
    } = (await ringOf(world)).keys.find(({ state }) => state === 'ACTIVE') ?? {};
    world.clock.set(signUntil);
    await expect(issueTo(world, 'member-1')).resolves.toBeDefined();
    world.clock.set(signUntil + 1);
    expect(await canSign(world, kmsKeyArn)).toBe(false);
    await expect(issueTo(world, 'member-1')).rejects.toMatchObject({
      code: 'ERR_ACCESS_DENIED',
      message: 'the key policy refuses kms:Sign',
    });
    // Those that were born with it, a moment later, are over as well.
    world.clock.set(verifyUntil + 60);
    expect((await servedJwks(world)).keys.map(({ kid }) => kid)).toEqual(
      [world.legacy.jwk.kid].filter(() => verifyUntil < NOW + 90 * 86_400),
    );
    expect(await alwaysViolated(world)).toEqual([]);
  });

  test('a scheduler that comes back after years heals the ring: new keys, published, activated after their wait', async () => {
    const world = await signingWorld();
    world.clock.advance(3 * 365 * 86_400);
    await tick(world);
    expect(await settledViolated(world)).toEqual([]);
    world.clock.advance(SETTINGS.propagationSeconds + SETTINGS.verifierCacheSeconds);
    await tick(world);
    await expectSound(world);
    expect(await verdict(await verifierOf(world), await issueTo(world, 'member-1'))).toBe('accepted');
  });

  test('a KMS that creates no key does not keep the old one signing', async () => {
    const world = await signingWorld();
    const old = (await ringOf(world)).activeKid;
    world.clock.advance(PERIOD);
    const deps = world.deps('rotator');
    const ringKeys = { ...deps.ringKeys, create: () => Promise.reject(new Error('LimitExceeded')) };
    await expect(rotate({ op: 'tick', ring: RING }, { ...deps, ringKeys })).rejects.toThrow('LimitExceeded');
    expect((await ringOf(world)).activeKid).not.toBe(old);
    expect(await verdict(await verifierOf(world), await issueTo(world, 'member-1'))).toBe('accepted');
  });
});

describe('sabotage of the next key', () => {
  const sabotage = async (world: World, change: Parameters<World['kms']['override']>[1]) => {
    const [next] = (await ringOf(world)).keys
      .filter(({ state }) => state === 'STANDBY')
      .sort((a, b) => a.slot - b.slot);
    world.kms.override(next?.kmsKeyArn ?? '', change);
    return next?.kid;
  };

  test.each([
    ['is about to be deleted', { state: 'PendingDeletion' as const }],
    ['lost its policy', { policy: '{"Statement":[]}' }],
  ])('a STANDBY that %s holds up neither a departure nor a rotation', async (_what, change) => {
    const world = await signingWorld();
    const bad = await sabotage(world, change);
    const prepared = await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'));
    expect(prepared.kid).not.toBe(bad);
    world.clock.advance(PERIOD);
    // A key that KMS will not disable fails the tick, loudly, after the rest of the plan was done.
    const tickOrAlarm = () =>
      tick(world).catch((error) =>
        expect(error).toMatchObject({ code: 'ERR_ACCESS_DENIED', message: 'the key policy refuses kms:DescribeKey' }),
      );
    await tickOrAlarm();
    // The good one was prepared for nothing, a period ago: disabled, it rests before it takes over.
    world.clock.advance(RESTS_FOR);
    await tickOrAlarm();
    expect((await ringOf(world)).activeKid).toBe(prepared.kid);
    await expect(issueTo(world, 'member-1')).resolves.toBeDefined();
    expect((await ringOf(world)).keys.filter(({ state, kid }) => state === 'STANDBY' && kid !== bad)).toHaveLength(2);
  });

  test('a tainted key that somebody scheduled for deletion does not stop the plan', async () => {
    const world = await signingWorld();
    const { activeKid: kid = '', keys } = await ringOf(world);
    await taintKeys(world, [{ kid, class: 'compromise', reason: 'test' }]);
    world.kms.override(keys.find((key) => key.kid === kid)?.kmsKeyArn ?? '', { state: 'PendingDeletion' });
    world.clock.advance(world.config.settings.drainSeconds);
    expect((await tick(world)).done).toContain(`disable ${kid}`);
    await expectSound(world);
  });
});

describe('two at once', () => {
  test('two rotators applyRingConfig one ring: no key is enabled that the ring does not know', async () => {
    const world = wire(new World({ now: NOW, settings: SETTINGS }));
    await applyRingConfig(CONFIG, world.deps('rotator'));
    world.clock.advance(PERIOD);
    await Promise.all([tick(world), tick(world), tick(world)]);
    expect(await states(world)).toEqual(['VERIFY_ONLY', 'ACTIVE', 'STANDBY', 'STANDBY']);
    world.clock.advance(world.config.settings.drainSeconds);
    await tick(world);
    await expectSound(world);
  });

  test('a rotator that wakes up late, with a key nobody waits for, disables it', async () => {
    const world = await signingWorld();
    world.clock.advance(PERIOD);
    const deps = world.deps('rotator');
    const ringKeys = {
      ...deps.ringKeys,
      create: async (request: Parameters<typeof deps.ringKeys.create>[0]) => {
        await tick(world);
        return deps.ringKeys.create(request);
      },
    };
    await rotate({ op: 'tick', ring: RING }, { ...deps, ringKeys });
    const known = (await ringOf(world)).keys.map(({ kmsKeyArn }) => kmsKeyArn);
    const stray = kmsArns(world).filter((arn) => !known.includes(arn));
    expect(stray.map((arn) => world.kms.stateOf(arn))).toEqual(['Disabled']);
  });

  test('one that died before it could do so leaves a key that is found by its tag, and disabled, when nobody can be making another', async () => {
    const world = await signingWorld();
    world.clock.advance(PERIOD);
    const deps = world.deps('rotator');
    const ringKeys = {
      ...deps.ringKeys,
      create: async (request: Parameters<typeof deps.ringKeys.create>[0]) => {
        await tick(world);
        await deps.ringKeys.create(request);
        throw new Error('it died');
      },
    };
    await expect(rotate({ op: 'tick', ring: RING }, { ...deps, ringKeys })).rejects.toThrow('it died');
    expect(await settledViolated(world)).toContain('no key is enabled that the ring does not know');
    world.clock.advance(RESTS_FOR);
    await tick(world);
    await expectSound(world);
  });

  test('a RETIRED key that somebody enables is disabled by the next tick', async () => {
    const world = await signingWorld();
    world.clock.advance(PERIOD);
    await tick(world);
    world.clock.advance(7200);
    await tick(world);
    const retired = (await ringOf(world)).keys.find(({ kind, state }) => kind === 'kms' && state === 'RETIRED');
    world.kms.override(retired?.kmsKeyArn ?? '', { state: 'Enabled' });
    await tick(world);
    expect(world.kms.stateOf(retired?.kmsKeyArn ?? '')).toBe('Disabled');
    await expectSound(world);
  });

  test('a departure that prepared a key long ago does not activate it on the word of one that died before EnableKey', async () => {
    const world = await signingWorld();
    const { activeKid: kid = '' } = await ringOf(world);
    const { kid: successor } = await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'));
    await rotate({ op: 'disable-old', ring: RING, prepared: successor }, world.deps('rotator'));
    world.clock.advance(RESTS_FOR);
    const deps = world.deps('rotator');
    const ringKeys = { ...deps.ringKeys, enable: () => Promise.reject(new Error('it died')) };
    await expect(rotate({ op: 'prepare', ring: RING }, { ...deps, ringKeys })).rejects.toThrow('it died');
    const targets = [{ kid, class: 'planned', reason: 'test' }] as const;
    await expect(
      taintOrDeny({ op: 'taint', ring: RING, targets, successor }, world.deps('taint')),
    ).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      message: `key ${successor} of ring ${RING} was not prepared: KMS would refuse to sign`,
    });
    expect((await ringOf(world)).activeKid).toBe(kid);
    await expect(issueTo(world, 'member-1')).resolves.toBeDefined();
  });

  test('a taint that loses the fence to a change of the ring reads again and wins', async () => {
    const world = await signingWorld();
    const { activeKid: kid = '' } = await ringOf(world);
    const { kid: successor } = await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'));
    const deps = world.deps('taint');
    let races = 0;
    const tables = {
      ...deps.tables,
      transact: async (writes: Parameters<typeof deps.tables.transact>[0]) => {
        if (races++ < 2)
          await applyRingConfig(
            { ...CONFIG, legacyKeys: [legacyOf(world)], periodSeconds: PERIOD - races },
            world.deps('rotator'),
          );
        return deps.tables.transact(writes);
      },
    };
    const targets = [{ kid, class: 'compromise', reason: 'test' }] as const;
    const tainted = await taintOrDeny({ op: 'taint', ring: RING, targets, successor }, { ...deps, tables });
    expect(tainted.states).toEqual([{ kid, state: 'SUSPECT' }]);
    expect((await ringOf(world)).activeKid).toBe(successor);
    expect(races).toBe(3);
  });

  test('a departure in the middle of a rotation, in every order: one key issues, and the tainted one does not', async () => {
    for (const waits of [0, 1, 2, 3, 5, 8, 13, 21, 34]) {
      const world = await signingWorld();
      const { activeKid: kid = '' } = await ringOf(world);
      world.clock.advance(PERIOD);
      const { kid: successor } = await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'));
      const rotation = tick(world);
      for (let n = 0; n < waits; n++) await null;
      const departure = taintOrDeny(
        { op: 'taint', ring: RING, targets: [{ kid, class: 'planned', reason: 'test' }], successor, caseId: 'c-1' },
        world.deps('taint'),
      );
      await Promise.all([rotation, departure]);
      const ring = await ringOf(world);
      expect([waits, ring.keys.find((key) => key.kid === kid)?.state]).toEqual([waits, 'SUSPECT']);
      expect(ring.activeKid).not.toBe(kid);
      world.clock.advance(world.config.settings.drainSeconds);
      await tick(world);
      await expectSound(world);
    }
  });

  test('a wave whose target is found compromised, and disabled at once, is told to go on under the next key', async () => {
    const world = await signingWorld();
    const genuine = Array.from({ length: 6 }, (_, n) =>
      signLegacy(world, legacyClaims(world, `member-${n}`, `jti-${n}`)),
    );
    await record(world, genuine);
    await commitIssued({}, world.deps('committer'));
    const { batches } = await taintKeys(world, [{ kid: world.legacy.jwk.kid, class: 'compromise', reason: 'test' }]);
    const { activeKid: kid = '' } = await ringOf(world);
    let isFirst = true;
    world.ports.add(async (call, go) => {
      if (isFirst && call.by === 'resigner' && call.name === 'signer.sign') {
        isFirst = false;
        await taintKeys(world, [{ kid, class: 'compromise', reason: 'test' }], 'c-other');
        await rotate({ op: 'disable-old', ring: RING }, world.deps('rotator'));
        world.clock.advance(60);
      }
      return go(call);
    });
    await expect(pass(world, batches, 1)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' });
    expect(isFirst).toBe(false);
    expect((await pass(world, batches, 1)).resigned).toBe(6);
  });

  test('a wave that a rotation overtakes goes on under the new key, and ends', async () => {
    const world = await signingWorld();
    const genuine = Array.from({ length: 12 }, (_, n) =>
      signLegacy(world, legacyClaims(world, `member-${n}`, `jti-${n}`)),
    );
    await record(world, genuine);
    await commitIssued({}, world.deps('committer'));
    world.clock.advance(PERIOD - 100);
    const again = Array.from({ length: 12 }, (_, n) =>
      signLegacy(world, legacyClaims(world, `member-${n}`, `late-${n}`)),
    );
    await record(world, again);
    await commitIssued({}, world.deps('committer'));
    const legacy = world.legacy.jwk.kid;
    const { batches } = await taintKeys(world, [{ kid: legacy, class: 'compromise', reason: 'test' }]);
    const { activeKid } = await ringOf(world);
    expect(await pass(world, batches.slice(0, 4), 1)).toMatchObject({ found: expect.any(Number) });

    world.clock.advance(200);
    await tick(world);
    expect((await ringOf(world)).activeKid).not.toBe(activeKid);
    await pass(world, batches, 1);
    await pass(world, batches, 2);
    const { states: after } = await taintOrDeny({ op: 'deny', ring: RING, kids: [legacy] }, world.deps('taint'));
    expect(after).toEqual([{ kid: legacy, state: 'DENIED' }]);
    const done = world.tables.dump('keys').find(({ sk }) => sk === `WAVE#${legacy}`);
    expect(done).toMatchObject({ state: 'DONE', toKid: (await ringOf(world)).activeKid, result: { done: 12 } });
  });

  test('what passes saw of the key that stopped issuing does not deny the source', async () => {
    const world = await signingWorld();
    await record(world, [signLegacy(world, legacyClaims(world, 'member-1', 'jti-1'))]);
    await commitIssued({}, world.deps('committer'));
    const legacy = world.legacy.jwk.kid;
    const { batches } = await taintKeys(world, [{ kid: legacy, class: 'compromise', reason: 'test' }]);
    const { activeKid = '' } = await ringOf(world);
    await pass(world, batches, 1);
    await pass(world, batches, 2);
    await taintKeys(world, [{ kid: activeKid, class: 'planned', reason: 'test' }], 'c-2');
    const asked = await taintOrDeny({ op: 'deny', ring: RING, kids: [legacy] }, world.deps('taint'));
    expect(asked.states).toEqual([{ kid: legacy, state: 'SUSPECT' }]);
    expect(asked.batches.flatMap(({ shards }) => shards)).toHaveLength(64);
    const after = await ringOf(world);
    expect(after.waves.find(({ fromKid }) => fromKid === legacy)?.toKid).toBe(after.activeKid);
  });
});

describe('a halted ring', () => {
  const halt = (world: World, halted: boolean) =>
    haltOrResume({ op: halted ? 'halt' : 'resume', ring: RING, reason: 'drill' }, world.deps('halt'));

  test('issues nothing and says why, and its tokens stay good', async () => {
    const world = await signingWorld();
    const token = await issueTo(world, 'member-1');
    await halt(world, true);
    await expect(issueTo(world, 'member-1')).rejects.toMatchObject({
      code: 'ERR_RING_HALTED',
      message: `issuance of ring ${RING} is halted`,
    });
    expect(await verdict(await verifierOf(world), token)).toBe('accepted');
    await halt(world, false);
    await expect(issueTo(world, 'member-1')).resolves.toBeDefined();
  });

  test('halted between the signature and the row, it releases nothing', async () => {
    const world = await signingWorld();
    const deps = world.deps('issuer');
    const signer = {
      ...deps.signer,
      sign: async (...request: Parameters<typeof deps.signer.sign>) => {
        await halt(world, true);
        return deps.signer.sign(...request);
      },
    };
    await expect(
      issue(
        { op: 'issue', ring: RING, claims: { sub: 'm', client_id: 'web' }, callerArn: 'arn:test' },
        { ...deps, signer },
      ),
    ).rejects.toMatchObject({ code: 'ERR_RING_HALTED' });
    expect(world.tables.dump('ledger')).toEqual([]);
  });
});

test('claims too large for any verifier are refused before anything is signed or stored', async () => {
  const world = await signingWorld();
  await expect(issueTo(world, 'member-1', { scope: 'x'.repeat(8000) })).rejects.toMatchObject({
    code: 'ERR_TOKEN_TOO_LARGE',
    message: expect.stringMatching(/^the token under ES256 is larger than \d+ bytes before its signature$/),
  });
  expect(world.tables.dump('bodies')).toEqual([]);
});

describe('killed at any effect and repaired by the next tick', () => {
  /** Kills `act` before and after its n-th effect, for every n that it has; each time in a world of its own. */
  async function everyCrash<W extends World>(
    prepare: () => Promise<W>,
    act: (world: W) => Promise<unknown>,
    repaired: (world: W) => Promise<void>,
  ): Promise<number> {
    let points = 0;
    // By day at every fourth effect, which by the seed: `npm run verify:all` dies at each.
    const step = extent(4, 1);
    for (const mode of ['before', 'after'] as const)
      for (let n = 1 + (seedFor('killed') % step); ; n += step) {
        const world = await prepare();
        world.faults.crashAt(n, mode);
        const crashed = await act(world).then(
          () => false,
          (error) => isCrash(error) || world.faults.crashed,
        );
        world.faults.restart();
        if (!crashed) break;
        points++;
        await repaired(world);
      }
    return points * step;
  }

  test('a birth ends in one ACTIVE and two STANDBYs, and not one KMS key more', async () => {
    const points = await everyCrash(
      async () => wire(new World({ now: NOW, settings: SETTINGS })),
      (world) => applyRingConfig(CONFIG, world.deps('rotator')),
      async (world) => {
        await applyRingConfig(CONFIG, world.deps('rotator'));
        expect((await states(world)).sort()).toEqual(['ACTIVE', 'STANDBY', 'STANDBY']);
        expect(kmsArns(world)).toHaveLength(3);
        await expectSound(world);
      },
    );
    expect(points).toBeGreaterThan(40);
  });

  test('a scheduled rotation ends in one ACTIVE and two STANDBYs, and nobody’s token is lost', async () => {
    let token = '';
    const points = await everyCrash<SigningWorld>(
      async () => {
        const world = await signingWorld();
        world.clock.advance(PERIOD - 10);
        token = await issueTo(world, 'member-1');
        world.clock.advance(60);
        return world;
      },
      tick,
      async (world) => {
        await tick(world);
        // One that was enabled, and whose rotator died, is given its time to be known to every host of KMS.
        world.clock.advance(120);
        await tick(world);
        world.clock.advance(world.config.settings.drainSeconds);
        await tick(world);
        await heartbeat(world);
        expect((await states(world)).sort()).toEqual(['ACTIVE', 'STANDBY', 'STANDBY', 'VERIFY_ONLY']);
        // A key whose ARN nobody lived to write down, and that the search did not show yet: the sweep finds it.
        if (kmsArns(world).length > 4) {
          world.clock.advance(RESTS_FOR);
          await tick(world);
        }
        expect(kmsArns(world).length).toBeLessThanOrEqual(5);
        await heartbeat(world);
        await expectSound(world);
        const verifier = await verifierOf(world);
        for (const good of [token, await issueTo(world, 'member-2')])
          expect(await verdict(verifier, good)).toBe('accepted');
      },
    );
    expect(points).toBeGreaterThan(20);
  });

  test('an emergency replacement ends with the tainted key disabled and its successor issuing', async () => {
    const points = await everyCrash<SigningWorld>(
      signingWorld,
      async (world) => {
        const { activeKid: kid = '' } = await ringOf(world);
        await taintKeys(world, [{ kid, class: 'compromise', reason: 'test' }]);
      },
      async (world) => {
        const first = (await ringOf(world)).keys.find(({ slot }) => slot === 1);
        await taintKeys(world, [{ kid: first?.kid ?? '', class: 'compromise', reason: 'test' }]);
        world.clock.advance(PREPARED_AND_DRAINED);
        await tick(world);
        expect((await ringOf(world)).keys.find(({ slot }) => slot === 1)?.state).toBe('SUSPECT');
        expect(await canSign(world, first?.kmsKeyArn ?? '')).toBe(false);
        await expectSound(world);
      },
    );
    expect(points).toBeGreaterThan(8);
  });
});

/** Longer than a prepared STANDBY may stay enabled, and than the drain. */
const PREPARED_AND_DRAINED = 301;

describe('a key planted under the tag of a coming slot', () => {
  const OWN = 'arn:aws:iam::000000000000:role/somebody';
  const READABLE = ['kms:Sign', 'kms:GetKeyPolicy', 'kms:DescribeKey', 'kms:GetPublicKey'];

  test.each([
    ['its maker’s own policy', policyAllowing([OWN], ['kms:Sign'])],
    ['a policy that lets the rotator read it', policyAllowing([OWN, roleArn('rotator')], READABLE)],
  ])('with %s is not taken, even by one who read the nonce', async (_, policy) => {
    const world = wire(new World({ now: NOW, settings: SETTINGS }));
    const cfg = ringSettings(parseRingConfig(CONFIG), world.config.settings);
    await world.tables.transact(createRing(RING, cfg, NOW));
    await world.tables.transact(reserveSlot(await ringOf(world), 1, 'nonce', NOW));
    const planted = world.kms.createKey({ algorithm: 'ES256', policy, slotTag: `test/${RING}/1/nonce` });
    await applyRingConfig(CONFIG, world.deps('rotator'));

    const keys = (await ringOf(world)).keys;
    expect(keys).toHaveLength(3);
    expect(keys.map(({ kmsKeyArn }) => kmsKeyArn)).not.toContain(planted);
    for (const { kmsKeyArn = '' } of keys)
      await expect(world.kms.signerFor(OWN).sign(kmsKeyArn, 'ES256', Buffer.from('x'))).rejects.toMatchObject({
        code: 'ERR_ACCESS_DENIED',
      });
  });

  test('is not taken for its policy either, where its material was imported: not when found, and not out of a slot', async () => {
    const world = wire(new World({ now: NOW, settings: SETTINGS }));
    const cfg = ringSettings(parseRingConfig(CONFIG), world.config.settings);
    await world.tables.transact(createRing(RING, cfg, NOW));
    await world.tables.transact(reserveSlot(await ringOf(world), 1, 'nonce', NOW));
    const { accountId = '', roleArns } = world.config;
    const [{ signUntil = 0 } = {}] = (await ringOf(world)).slots;
    const policy = keyPolicy({
      accountId,
      roleArns: roleArns as NonNullable<typeof roleArns>,
      algorithm: 'ES256',
      signUntil,
    });
    const imported = { algorithm: 'ES256', policy, origin: 'EXTERNAL' } as const;
    const found = world.kms.createKey({ ...imported, slotTag: `test/${RING}/1/nonce` });
    await applyRingConfig(CONFIG, world.deps('rotator'));
    expect((await ringOf(world)).keys.map(({ kmsKeyArn }) => kmsKeyArn)).not.toContain(found);

    await world.tables.transact(reserveSlot(await ringOf(world), 9, 'other', NOW));
    const slotted = world.kms.createKey(imported);
    const jwk = jwkFromSpki(world.kms.publicKeyOf(slotted), 'ES256');
    await world.tables.transact(slotCreated(await ringOf(world), 9, { kmsKeyArn: slotted, jwk, policySha256: 'x' }));
    await expect(tick(world)).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      message: `the KMS key of slot 9 of ring ${RING} was imported`,
    });
    expect((await ringOf(world)).keys.map(({ kmsKeyArn }) => kmsKeyArn)).not.toContain(slotted);
  });

  test('cannot be made ahead: no two slots of any ring have the same tag', async () => {
    const [one, other] = [await signingWorld({ seed: 'one' }), await signingWorld({ seed: 'other' })];
    const nonces = [...(await ringOf(one)).slots, ...(await ringOf(other)).slots].map(({ nonce }) => nonce);
    expect(new Set(nonces).size).toBe(nonces.length);
  });
});

describe('a changed configuration of a legacy key', () => {
  const configured = (world: SigningWorld, verifyUntil: number) => ({
    ...CONFIG,
    legacyKeys: [{ ...legacyOf(world), verifyUntil }],
  });

  test('may end it sooner', async () => {
    const world = await signingWorld();
    await applyRingConfig(configured(world, NOW + 3600), world.deps('rotator'));
    const key = (await ringOf(world)).keys.find(({ kind }) => kind === 'legacy');
    expect(key).toMatchObject({ verifyUntil: NOW + 3600, windows: [{ iatFrom: 0, iatTo: NOW + 3600 }] });
  });

  test('may not prolong it, nor leave it out', async () => {
    const world = await signingWorld();
    await expect(applyRingConfig(configured(world, NOW + 100 * 86_400), world.deps('rotator'))).rejects.toMatchObject({
      code: 'ERR_RING_IMMUTABLE',
      message: expect.stringContaining('cannot move later'),
    });
    await expect(applyRingConfig(CONFIG, world.deps('rotator'))).rejects.toMatchObject({
      code: 'ERR_RING_IMMUTABLE',
      message: expect.stringContaining('are still accepted'),
    });
  });
});

test('a STANDBY that a case prepared and did not need is disabled again when the case is done', async () => {
  const world = await signingWorld();
  const { kid: prepared } = await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'));
  await rotate({ op: 'disable-old', ring: RING, prepared }, world.deps('rotator'));
  expect((await ringOf(world)).keys.filter(({ kmsState }) => kmsState === 'Enabled').map(({ state }) => state)).toEqual(
    ['ACTIVE'],
  );
});

test('a feed that was lost is followed again by verifiers that remember it', async () => {
  const world = await signingWorld();
  const verifier = await verifierOf(world);
  const token = await issueTo(world, 'member-1');
  for (let n = 0; n < 5; n++) await heartbeat(world);
  await verifier.verify(token);
  world.objects.lose('public', `r/${RING}/feed`);
  world.clock.advance(10);
  await heartbeat(world);
  await expect(verifier.verify(token)).resolves.toBeDefined();
  world.clock.advance(world.config.settings.feedExpirySeconds - 5);
  await heartbeat(world);
  await expect(verifier.verify(token)).resolves.toBeDefined();
});
