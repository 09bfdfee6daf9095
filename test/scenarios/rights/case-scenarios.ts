/** Departures: from the webhook to a bundle that verifies, and how a case comes to be started whatever was lost. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportBundle, verifyBundle } from '../../../bin/commands/evidence';
import { conduct } from '../../../lambdas/conductor';
import { receiveWebhook } from '../../../lambdas/intake';
import { importPeople } from '../../../lambdas/people-import';
import { publishFeed } from '../../../lambdas/publisher';
import { recheckDue } from '../../../lambdas/rechecker';
import { rotate } from '../../../lambdas/rotator';
import { tick } from '../../../lambdas/ticker';
import type { EvidenceRecord } from '../../../lib/domain/evidence/record';
import type { World } from '../../../lib/local/world';
import { LOOK_AGAIN_SECONDS } from '../../../lib/work/cases/start-case';
import { APPROVERS, decideBoth } from '../approvers';
import { expectDeparted, expectEvidence, outstanding, theOneCase } from '../departed';
import {
  type DepartureWorld,
  delivery,
  drainOutboxes,
  execute,
  imported,
  metaOf,
  metas,
  outbox,
  send,
  WORKER,
} from '../departure-world';
import { issueTo, RING } from '../signing-world';
import { companyUnder, recordsIn, type Scenario } from './scenario';

const HOUR = 3600;
const markers = (world: World, table: 'approvals' | 'cases' | 'inbox' | 'people', pk: string) =>
  world.tables.dump(table).filter((row) => row.pk === pk);

/** A minute goes by, and the ring has its STANDBYs again. */
async function rotated(world: World): Promise<void> {
  for (let n = 0; n < 6; n++) {
    world.clock.advance(10);
    await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
  }
}

/** What the sealed part of a record says, opened as an auditor with the person's key would. */
async function opened(world: World, { id, body }: EvidenceRecord, pseudonym: string): Promise<string> {
  return world.sealer.open(pseudonym, `${id}#sealed`, body.sealed as string);
}

async function bundleOf(world: World, caseId: string): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'curfew-rights-'));
  try {
    await exportBundle({ case: caseId, dir }, { objects: world.objects, clock: world.clock });
    return verifyBundle(dir).text;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export const CASE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'departure',
    async play(watch) {
      const world = await companyUnder(watch);
      const before = await outstanding(world);
      const caseId = await theOneCase(world);
      await execute(world, caseId, 1);
      expect(await bundleOf(world, caseId)).toContain('the evidence holds');
      await expectDeparted(world, caseId, before);
      await expectEvidence(world, caseId);

      const { pseudonym } = await metaOf(world, caseId);
      const sealed = outbox(world).filter((one) => one.case === caseId && one.body.sealed !== undefined);
      const texts = await Promise.all(sealed.map((one) => opened(world, one, pseudonym)));
      for (const known of [WORKER, 'AKIA2', 'laptop']) expect(texts.some((text) => text.includes(known))).toBe(true);
      const followUp = outbox(world).find((one) => one.type === 'case.opened' && one.case !== caseId);
      expect(followUp && (await opened(world, followUp, pseudonym))).toContain(WORKER);
      await drainOutboxes(world);
      const said = world.events.said.map(({ detailType }) => detailType);
      expect(said).toEqual(expect.arrayContaining(['CaseOpened', 'CaseContained', 'CaseClosed']));
    },
  },
  {
    name: 'a key set active again before the proof',
    async play(watch) {
      const world = await companyUnder(watch);
      const caseId = await theOneCase(world);
      const undone = execute(world, caseId, 1, async (request, run) => {
        if (request.step === 'prove' && request.nn === '03') world.iam.reactivateAccessKey('mallory', 'AKIA1');
        return run();
      });
      await expect(undone).rejects.toMatchObject({ code: 'ERR_NOT_PROVED', got: ['03 access-key PLANNED'] });
    },
  },
  {
    name: 'custody imported while the case is open, and after it was closed',
    async play(watch) {
      const world = await companyUnder(watch);
      const custody = (of: string) =>
        imported(world, WORKER, [], [{ asset: `ring:${RING}`, class: of, how: 'x', since: 1 }]);
      const caseId = await theOneCase(world);
      const unplanned = execute(world, caseId, 1, async (request, run) => {
        if (request.step === 'close') await custody('could-use');
        return run();
      });
      await expect(unplanned).rejects.toMatchObject({ code: 'ERR_NOT_PROVED', got: [`ring:${RING} could-use`] });
      const aMinuteLater = async () => {
        await rotated(world);
        await tick(world.deps('ticker'));
      };
      await aMinuteLater();
      await execute(world, caseId, 2);
      expect((await metaOf(world, caseId)).state).toBe('CLOSED');
      await custody('administers');
      await aMinuteLater();
      const [late] = metas(world).filter(({ isLate }) => isLate);
      expect(late).toMatchObject({ followUpOf: caseId, state: 'CONTAINING' });
      await execute(world, late?.caseId ?? '', 1);
      expect((await metaOf(world, late?.caseId ?? '')).state).toBe('CLOSED');
      // Nothing waits to be looked at.
      expect(markers(world, 'people', 'IMPORTED')).toEqual([]);
    },
  },
  {
    name: 'opened again after the closing',
    async play(watch) {
      const world = await companyUnder(watch);
      const caseId = await theOneCase(world);
      await execute(world, caseId, 1);
      world.iam.reactivateAccessKey('mallory', 'AKIA1');
      world.iam.reactivateAccessKey('mallory', 'AKIALATER');
      world.clock.advance(HOUR);
      await publishFeed({ ring: RING }, world.deps('publisher'));
      await recheckDue(world.deps('rechecker'));
      // By their own status: the latch refuses them anyway, and would hide that nobody listed the new one.
      const keys = await world.iam.accessKeys('mallory');
      expect(new Set(keys.map(({ status }) => status))).toEqual(new Set(['Inactive']));
      const found = outbox(world).filter(({ type }) => type === 'item.found-open' || type === 'item.shut-again');
      expect(found).toHaveLength(2);
      expect(markers(world, 'cases', 'RECHECK')).toHaveLength(1);
      expect(await bundleOf(world, caseId)).toContain('the evidence holds');
    },
  },
  {
    name: 'webhook',
    async play(watch) {
      const world = await companyUnder(watch);
      expect([await send(world), await send(world)]).toEqual([202, 200]);
      const [meta] = metas(world);
      expect([metas(world).length, meta?.state, [...world.workflow.started.keys()]]).toEqual([
        1,
        'CONTAINING',
        [`${meta?.caseId}.1`],
      ]);
      // Nothing waits to be folded, and one marker looks after the case.
      expect([markers(world, 'inbox', 'PENDING').length, markers(world, 'cases', 'DUE').length]).toEqual([0, 1]);
    },
  },
  {
    name: 'missed by the stream',
    async play(watch) {
      const world = await companyUnder(watch);
      await receiveWebhook(delivery(world), world.deps('intake'));
      world.clock.advance(61);
      expect(await tick(world.deps('ticker'))).toEqual({ started: 0, begun: 0, folded: 1 });
      expect(metas(world).map(({ state }) => state)).toEqual(['CONTAINING']);
      expect(world.metrics.kept.map(({ name }) => name).sort()).toEqual([
        'HeldCases',
        'OpenCaseAge',
        'RecheckAge',
        'WaitingCases',
      ]);
    },
  },
  {
    name: 'due later',
    async play(watch) {
      const world = await companyUnder(watch);
      await send(world, { effectiveAt: world.clock.now() + HOUR });
      expect(metas(world)).toEqual([]);
      world.clock.advance(HOUR);
      expect(await tick(world.deps('ticker'))).toEqual({ started: 0, begun: 1, folded: 0 });
      const [meta] = metas(world);
      expect([meta?.state, [...world.workflow.started.keys()]]).toEqual(['CONTAINING', [`${meta?.caseId}.1`]]);
      expect(markers(world, 'cases', 'DUE').map(({ attempt }) => attempt)).toEqual([1]);
    },
  },
  {
    name: 'attempt still under way',
    async play(watch) {
      const world = await companyUnder(watch);
      await send(world);
      world.clock.advance(LOOK_AGAIN_SECONDS);
      await tick(world.deps('ticker'));
      expect(metas(world).map(({ attempt }) => attempt)).toEqual([1]);
    },
  },
  {
    name: 'approvers are asked again',
    async play(watch) {
      const world = await companyUnder(watch);
      const caseId = await heldCase(world);
      world.clock.advance(HOUR);
      await tick(world.deps('ticker'));
      expect(world.events.said.filter(({ detailType }) => detailType === 'CaseAsked')).toMatchObject([
        { detail: { id: caseId, count: 1 } },
        { detail: { id: caseId, count: 2 } },
      ]);
      expect((await metaOf(world, caseId)).questions[0]?.reminders).toBe(1);
    },
  },
  {
    name: 'decided by two',
    async play(watch) {
      const world = await companyUnder(watch);
      const caseId = await heldCase(world);
      expect((await decideBoth(world, caseId, 'go-on')).isDecided).toBe(true);
      expect([...world.workflow.started.keys()]).toContain(`${caseId}.2`);
      await execute(world, caseId, 2);
      expect((await metaOf(world, caseId)).state).toBe('CLOSED');
      expect(markers(world, 'approvals', 'PENDING')).toEqual([]);
      const given = world.tables.dump('approvals').map(({ counts }) => counts);
      expect(given).toEqual([true, true]);
      const [approved] = recordsIn(world, 'cases').filter(({ type }) => type === 'case.approved');
      const { approver, sealed } = (approved?.body ?? {}) as { approver: string; sealed: string };
      const opened = await world.sealer.open(approver, `${caseId}/approved/1/1#sealed`, sealed);
      expect(JSON.parse(opened)).toEqual({ workerId: APPROVERS[0].workerId, reason: 'CHG-12' });
    },
  },
  {
    name: 'given back',
    async play(watch) {
      const world = await companyUnder(watch);
      const caseId = await heldCase(world);
      await decideBoth(world, caseId, 'give-back');
      const back = metas(world).find(({ givesBack }) => givesBack === caseId)?.caseId ?? '';
      expect([...world.workflow.started.keys()]).toContain(`${back}.1`);
      await execute(world, back, 1);
      expect((await metaOf(world, back)).state).toBe('CLOSED');
      expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(true);
      expect(markers(world, 'cases', `WORKER#${WORKER}`).filter(({ sk }) => sk.startsWith('SHUT#'))).toEqual([]);
      world.clock.advance(60);
      expect(await issueTo(world, 'mallory')).toMatch(/^ey/);
      expect(recordsIn(world, 'cut-offs').filter(({ body }) => body.blocked === false)).toHaveLength(3);
      // A marker looks after each of the two cases, and none of the departure is left.
      expect(markers(world, 'cases', 'DUE').length).toBe(2);
    },
  },
  {
    name: 'a departure told while another is given back',
    async play(watch) {
      const world = await companyUnder(watch);
      const caseId = await heldCase(world);
      await decideBoth(world, caseId, 'give-back');
      const back = metas(world).find(({ givesBack }) => givesBack === caseId)?.caseId ?? '';
      const conductor = world.deps('conductor');
      const transact: typeof conductor.tables.transact = async (writes) => {
        if (writes.some(({ kind }) => kind === 'check') && metas(world).every(({ number }) => number === 1)) {
          world.clock.advance(1);
          await send(world, { id: 'msg_9' });
        }
        return conductor.tables.transact(writes);
      };
      const tables = { ...conductor.tables, transact };
      await execute(world, back, 1, (request, run) =>
        request.step === 'item' ? conduct(request, { ...conductor, tables }) : run(),
      );
      expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);
      expect(metas(world).some(({ number }) => number === 2)).toBe(true);
      const opened = world.tables
        .dump('cases')
        .filter(
          ({ pk, sk, state }) =>
            pk.includes(back) && sk.startsWith('ITEM#') && state !== 'STARTED' && state !== 'PLANNED',
        );
      expect(opened).toEqual([]);
    },
  },
  {
    name: 'an attempt that ended',
    async play(watch) {
      const world = await companyUnder(watch);
      await send(world);
      const [meta] = metas(world);
      world.workflow.end(`${meta?.caseId}.1`);
      world.clock.advance(LOOK_AGAIN_SECONDS);
      await tick(world.deps('ticker'));
      expect([...world.workflow.started.keys()]).toContain(`${meta?.caseId}.2`);
      const [marker, ...more] = markers(world, 'cases', 'DUE');
      expect([marker?.attempt, more.length]).toEqual([2, 0]);
    },
  },
  {
    name: 'an importer may not decide',
    async play(watch) {
      const world = await companyUnder(watch);
      const workers = [{ workerId: WORKER, principals: [], exposures: [] }];
      await importPeople({ workers }, world.deps('people-import'), APPROVERS[1].identity);
      expect((await decideBoth(world, await heldCase(world), 'go-on')).why).toMatch(/changed what Curfew knows/);
    },
  },
  {
    name: 'an approval that the stream missed',
    async play(watch) {
      const world = await companyUnder(watch);
      const caseId = await heldCase(world);
      await decideBoth(world, caseId, 'go-on', false);
      world.clock.advance(61);
      await tick(world.deps('ticker'));
      expect((await metaOf(world, caseId)).questions[0]?.endedBy).toBe('go-on');
    },
  },
];

async function heldCase(world: DepartureWorld): Promise<string> {
  await send(world, { source: 'payroll' });
  const caseId = metas(world)[0]?.caseId ?? '';
  await execute(world, caseId, 1);
  return caseId;
}
