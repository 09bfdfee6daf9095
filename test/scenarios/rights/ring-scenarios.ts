/** A ring: its birth, a scheduled rotation, a halt, its public documents, and who watches it. */
import { haltOrResume } from '../../../lambdas/halt';
import { publishFeed } from '../../../lambdas/publisher';
import { deployRing } from '../../../lambdas/ring-deployer';
import { rotate } from '../../../lambdas/rotator';
import { seeKeyTouched, watchRings } from '../../../lambdas/watch';
import { issueTo, RING, ringOf, SETTINGS, verifierOf } from '../signing-world';
import { keyStates, recordsOfRing, ringUnder, type Scenario, served, servedStates } from './scenario';

const PERIOD = 30 * 86_400;
const STACK = 'arn:aws:cloudformation:us-east-1:000000000000:stack/curfew-test-signing/1';
const BORN = ['ACTIVE Enabled', 'OBSERVED', 'STANDBY Disabled', 'STANDBY Disabled'];

export const RING_SCENARIOS: readonly Scenario[] = [
  {
    name: 'birth',
    async play(watch) {
      const world = await ringUnder(watch);
      const { activeKid = '', keys } = await ringOf(world);
      expect(await keyStates(world)).toEqual(BORN);
      expect(keys.every(({ confirmedAt }) => confirmedAt !== undefined)).toBe(true);
      expect((await servedStates(world))[activeKid]).toBe('ACTIVE');
      const count = (type: string) => recordsOfRing(world).filter((one) => one === type).length;
      expect(['ring.created', 'key.adopted', 'key.confirmed', 'key.activated'].map(count)).toEqual([1, 4, 3, 1]);
    },
  },
  {
    name: 'scheduled rotation',
    async play(watch) {
      const world = await ringUnder(watch);
      const tick = () => rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
      const { activeKid: from = '' } = await ringOf(world);
      world.clock.advance(PERIOD);
      const token = await issueTo(world, 'member-1');
      await tick();
      world.clock.advance(world.config.settings.drainSeconds + 1);
      await tick();
      const { activeKid: to = '', keys } = await ringOf(world);
      expect(to).not.toBe(from);
      expect((await servedStates(world))[from]).toBe('VERIFY_ONLY');
      expect(await keyStates(world)).toEqual([...BORN, 'VERIFY_ONLY Disabled']);
      expect(keys.filter(({ state }) => state === 'STANDBY').every(({ confirmedAt }) => confirmedAt)).toBe(true);
      expect(recordsOfRing(world).filter((type) => type === 'key.activated')).toHaveLength(2);
      expect((await (await verifierOf(world)).verify(token)).claims.sub).toBe('member-1');
    },
  },
  {
    name: 'deployment taken back',
    async play(watch) {
      // The rotator's role is the deployer's, so what it opens is played for both.
      for (const by of ['ring-deployer', 'rotator'] as const) {
        const world = await ringUnder(watch);
        const { iss: issuer, aud: audience, alg: algorithm, periodSeconds, maxTtlSeconds } = (await ringOf(world)).cfg;
        const ring = { id: RING, issuer, audience, algorithm, periodSeconds, maxTtlSeconds, legacyKeys: [] };
        const ResourceProperties = { ring: JSON.stringify(ring) };
        world.stacks.rollingBack.add(STACK);
        const event = { RequestType: 'Update', StackId: STACK, ResourceProperties } as const;
        expect((await deployRing(event, world.deps(by))).PhysicalResourceId).toBe(RING);
        expect(await keyStates(world)).toEqual(BORN);
      }
    },
  },
  {
    name: 'halt and resume',
    async play(watch) {
      const world = await ringUnder(watch);
      const ask = (op: 'halt' | 'resume') =>
        haltOrResume({ op, ring: RING, reason: 'CHG-9' }, world.deps('halt')).then(({ halted }) => halted);
      expect(await ask('halt')).toBe(true);
      await expect(issueTo(world, 'member-1')).rejects.toMatchObject({ code: 'ERR_RING_HALTED' });
      expect(await ask('resume')).toBe(false);
      await issueTo(world, 'member-1');
      expect(recordsOfRing(world).slice(-2)).toEqual(['ring.halted', 'ring.resumed']);
    },
  },
  {
    name: 'heartbeat',
    async play(watch) {
      const world = await ringUnder(watch);
      const seq = async () => {
        const [, payload = ''] = (await served(world, 'feed')).split('.');
        return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { seq: number }).seq;
      };
      const before = await seq();
      await publishFeed({ ring: RING }, world.deps('publisher'));
      expect(await seq()).toBeGreaterThan(before);
    },
  },
  {
    name: 'public documents',
    async play(watch) {
      const world = await ringUnder(watch);
      const { keys } = await ringOf(world);
      const jwks = JSON.parse(await served(world, '.well-known/jwks.json')) as { keys: { kid: string }[] };
      expect(jwks.keys.map(({ kid }) => kid).sort()).toEqual(keys.map(({ kid }) => kid).sort());
      expect(Object.keys(await servedStates(world)).sort()).toEqual(keys.map(({ kid }) => kid).sort());
    },
  },
  {
    name: 'watch',
    async play(watch) {
      const world = await ringUnder(watch);
      await publishFeed({ ring: RING }, world.deps('publisher'));
      world.clock.advance(SETTINGS.propagationSeconds);
      await watchRings(world.deps('watch'));
      const figure = (wanted: string) =>
        world.metrics.kept.find(({ name, ring }) => name === wanted && ring === RING)?.value;
      expect([figure('FeedAge'), figure('ActiveKeyAge')]).toEqual([SETTINGS.propagationSeconds, expect.any(Number)]);
      const key = (await ringOf(world)).keys.find(({ state }) => state === 'ACTIVE');
      const touched = { eventName: 'PutKeyPolicy', requestParameters: { keyId: key?.kmsKeyArn } };
      expect(await seeKeyTouched({ detail: touched }, world.deps('watch'))).toEqual({ keys: 1 });
    },
  },
];
