/** A wave: two tainted keys to their end, holders who collect, and what may happen to a batch. */
import { commitIssued } from '../../../lambdas/committer';
import { cutOff } from '../../../lambdas/cutter';
import { exchange } from '../../../lambdas/exchange';
import { resignBatch } from '../../../lambdas/resigner';
import { rotate } from '../../../lambdas/rotator';
import { taintOrDeny } from '../../../lambdas/taint';
import { SHARD_PASS } from '../../../lib/domain/store/wave';
import type { ResignCounts, WaveBatch } from '../../../lib/domain/tokens/wave';
import type { World } from '../../../lib/local/world';
import type { Deps } from '../../../lib/ports';
import {
  issueTo,
  legacyClaims,
  pass,
  RING,
  record,
  ringOf,
  type SigningWorld,
  signLegacy,
  taintKeys,
  verifierOf,
} from '../signing-world';
import { keyStates, recordsOfRing, ringUnder, type Scenario } from './scenario';
import type { Watch } from './watch';

const LEAVER = 'worker-1';
const resigned = (world: World) => world.tables.dump('ledger').filter(({ resignOf }) => resignOf !== undefined);
const cut = (world: World) =>
  cutOff(
    { ring: RING, subjects: [{ type: 'sub', value: LEAVER }], caseId: 'c-1', notBefore: world.clock.now() },
    world.deps('cutter'),
  );

async function tradeIn(world: World, token: string): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  });
  const answer = await exchange(RING, form.toString(), world.deps('exchange'));
  return (answer as { access_token: string }).access_token;
}

/** The batches of a tainted legacy key under which one token is on record, of this subject. */
async function oneToken(watch: Watch, sub: string) {
  const world = await ringUnder(watch);
  const token = signLegacy(world, legacyClaims(world, sub, 'jti-1'));
  await record(world, [token]);
  await commitIssued({}, world.deps('committer'));
  const { batches } = await taintKeys(world, [
    { kid: world.legacy.jwk.kid, class: 'compromise', reason: 'copied-possible' },
  ]);
  return { world, token, batches };
}

/** Pass 1 of every batch; `before` happens while KMS is asked for a signature. */
async function resignWhile(world: SigningWorld, batches: readonly WaveBatch[], before: () => Promise<unknown>) {
  const deps = world.deps('resigner');
  const sign: Deps<'resigner'>['signer']['sign'] = async (...request) => {
    await before();
    return deps.signer.sign(...request);
  };
  const counts: ResignCounts[] = [];
  for (const batch of batches)
    counts.push(await resignBatch({ ...batch, pass: 1 }, { ...deps, signer: { ...deps.signer, sign } }));
  return Object.assign({}, ...counts.map(({ excluded }) => excluded)) as ResignCounts['excluded'];
}

export const WAVE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'wave and exchange',
    async play(watch) {
      const world = await ringUnder(watch);
      const { activeKid: old = '' } = await ringOf(world);
      const { kid: legacy } = world.legacy.jwk;
      const recorded = signLegacy(world, legacyClaims(world, 'member-1', 'jti-1'));
      await record(world, [recorded]);
      const tokens = [recorded, await issueTo(world, 'member-2')];
      const leaver = await issueTo(world, LEAVER);

      world.clock.advance(10);
      const { batches } = await taintKeys(world, [
        { kid: legacy, class: 'compromise', reason: 'copied-possible' },
        { kid: old, class: 'planned', reason: 'could-deploy' },
      ]);
      expect(await commitIssued({}, world.deps('committer'))).toEqual({ committed: 3 });
      const deny = () => taintOrDeny({ op: 'deny', ring: RING, kids: [legacy, old] }, world.deps('taint'));
      await pass(world, batches, 1);
      expect((await deny()).batches).not.toEqual([]);
      world.clock.advance(world.config.settings.drainSeconds);
      await rotate({ op: 'disable-old', ring: RING }, world.deps('rotator'));
      await pass(world, batches, 2);
      expect((await deny()).states.map(({ state }) => state)).toEqual(['DENIED', 'DENIED']);
      expect(await keyStates(world)).toEqual([
        'ACTIVE Enabled',
        'DENIED',
        'DENIED Disabled',
        'STANDBY Disabled',
        'STANDBY Disabled',
      ]);
      expect(recordsOfRing(world)).toEqual(expect.arrayContaining(['key.tainted', 'wave.completed', 'key.denied']));

      await world.functions.invoke('publisher', { ring: RING });
      world.clock.advance(10);
      const verifier = await verifierOf(world);
      for (const token of tokens) await verifier.verify(await tradeIn(world, token));
      await cut(world);
      await expect(tradeIn(world, leaver)).rejects.toMatchObject({ code: 'ERR_EXCHANGE_REFUSED' });
    },
  },
  {
    name: 'nobody signs for a leaver',
    async play(watch) {
      const { world, batches } = await oneToken(watch, LEAVER);
      await cut(world);
      let signatures = 0;
      const excluded = await resignWhile(world, batches, async () => signatures++);
      expect([excluded, signatures]).toEqual([{ 'cut-off': 1 }, 0]);
    },
  },
  {
    name: 'cut off between look and signature',
    async play(watch) {
      const { world, batches } = await oneToken(watch, LEAVER);
      expect(await resignWhile(world, batches, () => cut(world))).toEqual({ 'cut-off': 1 });
      expect(resigned(world)).toEqual([]);
    },
  },
  {
    name: 'rotation under a wave',
    async play(watch) {
      const { world, batches } = await oneToken(watch, 'member-1');
      const { activeKid: from = '' } = await ringOf(world);
      const wave = resignWhile(world, batches, () =>
        rotate({ op: 'rotate', ring: RING, from, reason: 'CHG-9' }, world.deps('rotator')),
      );
      await expect(wave).rejects.toMatchObject({ code: 'ERR_KEY_STATE' });
      expect(resigned(world)).toEqual([]);
    },
  },
  {
    name: 'a batch run twice, and at once',
    async play(watch) {
      const { world, batches } = await oneToken(watch, 'member-1');
      const run = () => pass(world, batches, 1);
      await Promise.all([run(), run()]);
      expect(await run()).toEqual({ found: 1, resigned: 1 });
      expect(resigned(world)).toHaveLength(1);
      const passes = await world.tables.parsed.query(SHARD_PASS.in(RING, world.legacy.jwk.kid));
      expect(passes.map(({ done, excluded }) => [done, excluded]).filter(([done]) => done)).toEqual([[1, {}]]);
    },
  },
];
