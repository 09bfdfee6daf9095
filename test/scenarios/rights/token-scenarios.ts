/** A token: issued, refused to whom a case cut off, recorded of the issuer before us; and what may happen in between. */
import { cutOff } from '../../../lambdas/cutter';
import { haltOrResume } from '../../../lambdas/halt';
import { issue } from '../../../lambdas/issuer';
import { recordLegacy } from '../../../lambdas/recorder';
import { wasIssued } from '../../../lambdas/was-issued';
import { parseCompact } from '../../../lib/domain/jose/compact';
import { jtiHash } from '../../../lib/domain/tokens/claims';
import type { World } from '../../../lib/local/world';
import { issueTo, legacyClaims, RING, record, signLegacy, taintKeys, verifierOf } from '../signing-world';
import { recordsIn, ringUnder, type Scenario } from './scenario';

const LEAVER = 'worker-1';
const cut = (world: World, value = LEAVER) =>
  cutOff(
    { ring: RING, subjects: [{ type: 'sub', value }], caseId: 'c-1', notBefore: world.clock.now() },
    world.deps('cutter'),
  );
/** States of the bodies, rows of the ledger, markers that wait. */
const held = (world: World) => [
  world.tables.dump('bodies').map(({ state }) => state),
  world.tables.dump('ledger').length,
  world.tables.dump('markers').length,
];

export const TOKEN_SCENARIOS: readonly Scenario[] = [
  {
    name: 'issue',
    async play(watch) {
      const world = await ringUnder(watch);
      const token = await issueTo(world, 'member-1');
      const { claims } = await (await verifierOf(world)).verify(token);
      expect(claims.sub).toBe('member-1');
      expect(held(world)).toEqual([['SIGNED'], 1, 1]);
      const { header, tokenSha256 } = parseCompact(token);
      const asked = (digest: string) => wasIssued(header.kid, jtiHash(claims.jti), digest, world.deps('was-issued'));
      const another = `${tokenSha256.startsWith('x') ? 'y' : 'x'}${tokenSha256.slice(1)}`;
      expect([await asked(tokenSha256), await asked(another)]).toEqual([true, false]);
    },
  },
  {
    name: 'cut off',
    async play(watch) {
      const world = await ringUnder(watch);
      const token = await issueTo(world, LEAVER);
      const { cutOffs } = await cut(world);
      expect(cutOffs).toEqual([{ notBefore: world.clock.now(), blocked: true }]);
      await expect(issueTo(world, LEAVER)).rejects.toMatchObject({ code: 'ERR_SUBJECT_BLOCKED' });
      await world.functions.invoke('publisher', { ring: RING });
      await expect((await verifierOf(world)).verify(token)).rejects.toMatchObject({ code: 'ERR_TOKEN_CUT_OFF' });
      expect(recordsIn(world, 'cut-offs').map(({ type }) => type)).toEqual(['subject.cut-off']);
    },
  },
  {
    name: 'halt between signature and row',
    async play(watch) {
      const world = await ringUnder(watch);
      const deps = world.deps('issuer');
      const sign: typeof deps.signer.sign = async (...request) => {
        await haltOrResume({ op: 'halt', ring: RING, reason: 'CHG-9' }, world.deps('halt'));
        return deps.signer.sign(...request);
      };
      const claims = { sub: 'member-1', client_id: 'web' };
      const issued = issue(
        { op: 'issue', ring: RING, claims, callerArn: 'arn:test' },
        { ...deps, signer: { ...deps.signer, sign } },
      );
      await expect(issued).rejects.toMatchObject({ code: 'ERR_RING_HALTED' });
      expect(held(world)).toEqual([['INTENT'], 0, 0]);
    },
  },
  {
    name: 'record tokens of before',
    async play(watch) {
      const world = await ringUnder(watch);
      await cut(world);
      const tokens = ['member-1', LEAVER].map((sub, n) => signLegacy(world, legacyClaims(world, sub, `jti-${n}`)));
      const once = { recorded: 1, refused: [{ n: 1, code: 'ERR_CONDITION_FAILED' }] };
      expect(await record(world, tokens)).toEqual(once);
      expect(await record(world, tokens)).toEqual(once);
      expect(held(world)).toEqual([['SIGNED'], 1, 1]);
    },
  },
  {
    name: 'taint between look and record',
    async play(watch) {
      const world = await ringUnder(watch);
      const deps = world.deps('recorder');
      const transact: typeof deps.tables.transact = async (writes) => {
        await taintKeys(world, [{ kid: world.legacy.jwk.kid, class: 'compromise', reason: 'copied-possible' }]);
        return deps.tables.transact(writes);
      };
      const forged = signLegacy(world, legacyClaims(world, 'ghost', 'forged'));
      const { recorded } = await recordLegacy(
        { ring: RING, tokens: [forged] },
        { ...deps, tables: { ...deps.tables, transact } },
      );
      expect([recorded, ...held(world)]).toEqual([0, [], 0, 0]);
    },
  },
];
