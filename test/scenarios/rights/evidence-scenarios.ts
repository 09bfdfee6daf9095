/** The log: records become a tree that a stranger can verify, whatever stopped half way; and outboxes arrive in it. */
import { append } from '../../../lambdas/appender';
import { cutOff } from '../../../lambdas/cutter';
import { sequence } from '../../../lambdas/sequencer';
import { SWEEP_EVERY_SECONDS } from '../../../lib/domain/deployment/time-outs';
import type { EvidenceRecord } from '../../../lib/domain/evidence/record';
import { sweep } from '../../../lib/work/evidence/sweep';
import { checkLog } from '../../lambdas/check-log';
import { theOneCase } from '../departed';
import { drainOutbox, RING } from '../signing-world';
import { companyUnder, recordsIn, ringUnder, type Scenario } from './scenario';
import { type Watch, WatchedWorld } from './watch';

const records = (from: number, to: number): EvidenceRecord[] =>
  Array.from({ length: to - from }, (_, n) => ({
    v: 1,
    id: `customer-api/${String(from + n).padStart(6, '0')}.0`,
    type: 'key.confirmed',
    at: 1_800_000_000,
    ring: RING,
    body: { kid: `kid-${n}` },
  }));

function logUnder(watch: Watch) {
  const world = new WatchedWorld({}, watch);
  return {
    world,
    append: (added: readonly EvidenceRecord[]) => append({ records: added }, world.deps('appender')),
    sequence: () => sequence({}, world.deps('sequencer')),
    kept: async () => ((await checkLog(world.objects))?.records ?? []).map(({ id }) => id),
  };
}

export const EVIDENCE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'records become a tree',
    async play(watch) {
      const log = logUnder(watch);
      await log.append(records(0, 3));
      await log.sequence();
      await log.append(records(2, 5));
      await log.sequence();
      expect(await log.kept()).toEqual(records(0, 5).map(({ id }) => id));
      const rows = log.world.tables.dump('log');
      expect(rows.filter(({ pk }) => pk.startsWith('PEND#'))).toEqual([]);
      expect(rows.flatMap(({ index }) => (index === undefined ? [] : [index])).sort()).toEqual([0, 1, 2, 3, 4]);
      expect(rows.filter(({ staged }) => staged !== undefined)).toEqual([]);
    },
  },
  {
    name: 'outbox of the rings',
    async play(watch) {
      const world = await ringUnder(watch);
      const subjects = [{ type: 'sub', value: 'worker-1' }] as const;
      await cutOff({ ring: RING, subjects, caseId: 'c-1', notBefore: world.clock.now() }, world.deps('cutter'));
      await drainOutbox(world);
      await world.functions.invoke('sequencer', {});
      const written = [...recordsIn(world, 'keys'), ...recordsIn(world, 'cut-offs')].map(({ id }) => id);
      expect((await checkLog(world.objects))?.records.map(({ id }) => id).sort()).toEqual(written.sort());
      expect(new Set(world.events.said.map(({ detailType }) => detailType))).toEqual(
        new Set(['KeyStateChanged', 'CutOffSet']),
      );
    },
  },
  {
    name: 'outboxes that their streams forgot',
    async play(watch) {
      const world = await companyUnder(watch);
      const caseId = await theOneCase(world);
      const subjects = [{ type: 'sub', value: 'worker-1' }] as const;
      await cutOff({ ring: RING, subjects, caseId, notBefore: world.clock.now() }, world.deps('cutter'));
      const all = async () => {
        let carried = 0;
        for (let n = 0; n < 16; n++) {
          carried += (await sweep(['keys', 'cut-offs'], world.deps('sweeper-signing'))).carried;
          carried += (await sweep(['cases'], world.deps('sweeper-offboarding'))).carried;
          world.clock.advance(SWEEP_EVERY_SECONDS);
        }
        return carried;
      };
      world.clock.advance(86_400);
      const written = (['keys', 'cut-offs', 'cases'] as const)
        .flatMap((table) => recordsIn(world, table))
        .map(({ id }) => id);
      expect(await all()).toBe(written.length);
      expect(new Set(world.events.said.map(({ detailType }) => detailType))).toEqual(
        new Set(['KeyStateChanged', 'CutOffSet', 'CaseOpened']),
      );
      expect(await all()).toBe(0);
      await world.functions.invoke('sequencer', {});
      expect((await checkLog(world.objects))?.records.map(({ id }) => id).sort()).toEqual(written.sort());
    },
  },
];
