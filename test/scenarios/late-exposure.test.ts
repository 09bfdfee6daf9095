/** Custody that an import names after the plan was frozen: every key that People says the leaver had is ended all the same. */
import fc from 'fast-check';
import { rotate } from '../../lambdas/rotator';
import { tick } from '../../lambdas/ticker';
import { checkManifest, checkOrder } from '../../lib/domain/audit/manifest';
import { CurfewError, isCurfewError } from '../../lib/domain/base/errors';
import { type DepartureCase, shownState } from '../../lib/domain/cases/case';
import { FREEZINGS_MAX, firstNumber } from '../../lib/domain/cases/containment';
import { CASE_ITEM, CASE_PLAN } from '../../lib/domain/store/case-items';
import { EXPOSURE, PENDING_IMPORT } from '../../lib/domain/store/people';
import { loadItems } from '../../lib/work/cases/case-store';
import { LOOK_AGAIN_SECONDS } from '../../lib/work/cases/start-case';
import { extent } from '../support/extent';
import { seedFor } from '../support/seeded';
import { APPROVERS, approveAs, decideBoth, deployApprovers } from './approvers';
import {
  allRecords,
  type DepartureWorld,
  departureWorld,
  drainOutboxes,
  dyingAt,
  execute,
  imported,
  metaOf,
  metas,
  outbox,
  send,
  strike,
} from './departure-world';
import { calmly, NOW, RING, ringOf } from './signing-world';

const LEFT = 'w-7';
const DAY = 86_400;
const COPIED = 'copied-possible';

const ofRing = (custody: string, since = NOW - 1000) => ({ asset: `ring:${RING}`, class: custody, how: 'x', since });
const ofLegacy = ({ legacy }: DepartureWorld, custody = COPIED) => ({
  asset: `kid:${RING}/${legacy.jwk.kid}`,
  class: custody,
  how: 'x',
  since: NOW - 1000,
});

async function companyOf(exposures: (world: DepartureWorld) => readonly object[]): Promise<DepartureWorld> {
  const world = await departureWorld(calmly);
  await imported(world, LEFT, [], exposures(world));
  return world;
}

async function begun(world: DepartureWorld, said: Parameters<typeof send>[1] = {}): Promise<string> {
  await send(world, { workerId: LEFT, id: 'm1', ...said });
  return metas(world).find(({ workerId }) => workerId === LEFT)?.caseId ?? '';
}

/** An attempt may leave its case open; whatever else it throws is no answer. */
async function carried(world: DepartureWorld, caseId: string, via?: Parameters<typeof execute>[3]): Promise<unknown> {
  const { attempt } = await metaOf(world, caseId);
  try {
    await execute(world, caseId, attempt, via);
    return undefined;
  } catch (error) {
    if (!isCurfewError(error)) throw error;
    return error;
  } finally {
    world.workflow.end(`${caseId}.${attempt}`);
  }
}

/** The ring has its STANDBYs again, a minute goes by, or more, and the clocks of ticker and rechecker strike. */
async function aMinuteLater(world: DepartureWorld, seconds = 60): Promise<void> {
  for (let n = 0; n < 6; n++) {
    world.clock.advance(seconds / 6);
    await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
  }
  await tick(world.deps('ticker'));
  await strike(world, 0);
}

const of = (world: DepartureWorld, caseId: string) => outbox(world).filter((record) => record.case === caseId);
const namesOf = (world: DepartureWorld, caseId: string, type: string) =>
  of(world, caseId)
    .filter((record) => record.type === type)
    .map(({ id }) => id.slice(caseId.length + 1));
const stateOf = async (world: DepartureWorld, kid: string) =>
  (await ringOf(world)).keys.find((key) => key.kid === kid)?.state;
const lateCases = (world: DepartureWorld): readonly DepartureCase[] => metas(world).filter(({ isLate }) => isLate);
const activeKid = async (world: DepartureWorld) => (await ringOf(world)).activeKid ?? '';

/** Whole by the rules of an auditor. */
function expectWhole(world: DepartureWorld, caseId: string): void {
  checkManifest(allRecords(world), caseId);
  checkOrder(allRecords(world), caseId);
}

describe('imported while the case is open', () => {
  test.each([
    ['between the plan and the taint', 'taint'],
    ['between the taint and the close', 'prove'],
  ])('%s, the attempt does not close the case, and the next one ends the key', async (_when, step) => {
    const world = await companyOf((one) => [ofLegacy(one)]);
    const caseId = await begun(world);
    const active = await activeKid(world);
    let isImported = false;
    const error = await carried(world, caseId, async (request, run) => {
      if (request.step === step && !isImported) {
        isImported = true;
        await imported(world, LEFT, [], [ofRing('could-deploy')]);
      }
      return run();
    });
    expect(error).toMatchObject({
      code: 'ERR_NOT_PROVED',
      message: `case ${caseId} has exposures that no plan covers; it stays open`,
      got: [`ring:${RING} could-deploy`],
    });
    expect([await stateOf(world, active), (await metaOf(world, caseId)).state]).toEqual(['ACTIVE', 'PROVING']);

    await aMinuteLater(world);
    expect(await carried(world, caseId)).toBeUndefined();
    expect([await stateOf(world, active), (await metaOf(world, caseId)).state]).toEqual(['DENIED', 'CLOSED']);
    expect(namesOf(world, caseId, 'case.inventory')).toEqual(['inventory', 'inventory/2']);
    expect(namesOf(world, caseId, 'case.planned')).toEqual(['planned', 'planned/2']);
    expect(namesOf(world, caseId, 'case.followed-up')).toEqual(['followed-up']);
    expectWhole(world, caseId);
  });

  test('its next attempt begins within a minute, and needs no other word of HR', async () => {
    const world = await companyOf(() => []);
    const caseId = await begun(world, { source: 'payroll' });
    await carried(world, caseId);
    await aMinuteLater(world);
    expect((await metaOf(world, caseId)).attempt).toBe(1);
    await imported(world, LEFT, [], [ofRing('could-use')]);
    await aMinuteLater(world);
    expect([...world.workflow.started.keys()]).toContain(`${caseId}.2`);
    expect(await world.tables.parsed.query(PENDING_IMPORT.in())).toEqual([]);
    // Once: the same import is planned by now.
    await carried(world, caseId);
    await imported(world, LEFT, [], [ofRing('could-use')]);
    await aMinuteLater(world);
    expect((await metaOf(world, caseId)).attempt).toBe(2);
  });

  test('a key that may have been copied is tainted while the case is held; another one waits for the decision', async () => {
    const world = await companyOf(() => []);
    const caseId = await begun(world, { source: 'payroll' });
    await carried(world, caseId);
    const active = await activeKid(world);
    expect(shownState(await metaOf(world, caseId))).toBe('HELD');
    await imported(world, LEFT, [], [ofLegacy(world), ofRing('could-deploy')]);
    await aMinuteLater(world);
    await carried(world, caseId);
    expect(shownState(await metaOf(world, caseId))).toBe('HELD');
    expect([await stateOf(world, world.legacy.jwk.kid), await stateOf(world, active)]).toEqual(['DENIED', 'ACTIVE']);

    await decideBoth(world, caseId, 'go-on');
    expect(await carried(world, caseId)).toBeUndefined();
    expect([await stateOf(world, active), (await metaOf(world, caseId)).state]).toEqual(['DENIED', 'CLOSED']);
    expectWhole(world, caseId);
  });

  test('of a key that an earlier plan replaces, it is the stronger class that counts', async () => {
    const world = await companyOf((one) => [ofLegacy(one, 'could-use')]);
    const caseId = await begun(world);
    await carried(world, caseId, async (request, run) => {
      if (request.step === 'disable-old') await imported(world, LEFT, [], [ofLegacy(world)]);
      if (request.step === 'commit') throw new CurfewError('ERR_UNAVAILABLE', 'a bad minute');
      return run();
    });
    expect(await stateOf(world, world.legacy.jwk.kid)).toBe('SUSPECT');
    await aMinuteLater(world);
    expect(await carried(world, caseId)).toBeUndefined();
    const { taint } = (await ringOf(world)).keys.find(({ kid }) => kid === world.legacy.jwk.kid) ?? {};
    expect(taint).toMatchObject({ class: 'compromise', cases: [caseId] });
    expectWhole(world, caseId);
  });

  test.each([
    ['planned', 'could-use'],
    ['compromise', COPIED],
  ])('of a key that an earlier plan has and a doubt kept, it is tainted once, as %s', async (taintClass, custody) => {
    const world = await companyOf(() => [ofRing('could-deploy')]);
    const active = await activeKid(world);
    const caseId = await begun(world, { source: 'payroll' });
    await carried(world, caseId);
    await imported(world, LEFT, [], [ofRing(custody)]);
    await aMinuteLater(world);
    await carried(world, caseId);
    await decideBoth(world, caseId, 'go-on');
    expect(await carried(world, caseId)).toBeUndefined();
    const { state, taint } = (await ringOf(world)).keys.find(({ kid }) => kid === active) ?? {};
    expect([state, taint?.class, (await metaOf(world, caseId)).state]).toEqual(['DENIED', taintClass, 'CLOSED']);
    expectWhole(world, caseId);
  });

  test('a second rotation that an earlier plan asked for is asked for once', async () => {
    const world = await companyOf(() => [ofRing('could-deploy')]);
    const caseId = await begun(world);
    await carried(world, caseId, async (request, run) => {
      if (request.step === 'close') await imported(world, LEFT, [], [ofRing('administers')]);
      return run();
    });
    const { followUp } = await metaOf(world, caseId);
    expect(followUp).toBeDefined();
    await aMinuteLater(world);
    expect(await carried(world, caseId)).toBeUndefined();
    expect(
      metas(world)
        .filter(({ followUpOf }) => followUpOf === caseId)
        .map((one) => one.caseId),
    ).toEqual([followUp]);
    expect((await metaOf(world, caseId)).state).toBe('CLOSED');
    expectWhole(world, caseId);
  });

  test('no key is made ready to sign for a taint that an earlier plan has done', async () => {
    const world = await companyOf(() => [ofRing('could-deploy')]);
    const caseId = await begun(world);
    await carried(world, caseId, async (request, run) => {
      if (request.step === 'close') await imported(world, LEFT, [], [ofLegacy(world)]);
      return run();
    });
    await aMinuteLater(world);
    await carried(world, caseId);
    const { state, successors } = await metaOf(world, caseId);
    expect([state, successors]).toEqual(['CLOSED', undefined]);
    expect(await stateOf(world, world.legacy.jwk.kid)).toBe('DENIED');
  });

  test('a plan that is not frozen yet covers nothing: the case does not close over it', async () => {
    const world = await companyOf(() => []);
    const caseId = await begun(world);
    const active = await activeKid(world);
    const error = await carried(world, caseId, async (request, run) => {
      if (request.step === 'close') {
        await imported(world, LEFT, [], [ofRing('could-use')]);
        // Of an attempt that was taken over from, a moment ago.
        const inventory = {
          n: 2,
          firstItem: firstNumber('plan', 2),
          followUp: false,
          principals: [],
          exposures: [{ ref: 'e2-0', ring: RING, class: 'could-use' as const }],
          keys: [{ ring: RING, kid: active, state: 'ACTIVE' as const }],
        };
        const row = CASE_PLAN.row([caseId, 2], { state: 'FREEZING', inventory, how: {}, readAt: world.clock.now() });
        await world.tables.transact([{ kind: 'put', table: 'cases', row }]);
      }
      return run();
    });
    expect(error).toMatchObject({ code: 'ERR_NOT_PROVED' });
    await aMinuteLater(world);
    expect(await carried(world, caseId)).toBeUndefined();
    expect([await stateOf(world, active), (await metaOf(world, caseId)).state]).toEqual(['DENIED', 'CLOSED']);
    expectWhole(world, caseId);
  });

  test('holders of its tokens have the time to collect that holders of the first had', async () => {
    const world = await companyOf((one) => [ofLegacy(one, 'could-use')]);
    Object.assign(world.config.settings, { collectGraceSeconds: 600 });
    const caseId = await begun(world);
    await carried(world, caseId, async (request, run) => {
      if (request.step === 'prove') await imported(world, LEFT, [], [ofRing('could-use')]);
      return run();
    });
    const active = await activeKid(world);
    await aMinuteLater(world);
    await carried(world, caseId);
    const at = (type: string) =>
      allRecords(world).find((record) => record.type === type && record.body.kid === active)?.at ?? 0;
    expect(await stateOf(world, active)).toBe('DENIED');
    expect(at('key.denied') - at('key.tainted')).toBeGreaterThanOrEqual(600);
  });

  test('who only reads what is public asks for nothing, and keeps no case open', async () => {
    const world = await companyOf(() => []);
    const caseId = await begun(world);
    await carried(world, caseId, async (request, run) => {
      if (request.step === 'close') await imported(world, LEFT, [], [ofRing('reads-public')]);
      return run();
    });
    await aMinuteLater(world);
    expect([(await metaOf(world, caseId)).state, lateCases(world)]).toEqual(['CLOSED', []]);
  });

  test('of a worker who was taken on again it is not the leaver’s: nothing is planned, and the case closes', async () => {
    const world = await companyOf(() => []);
    const caseId = await begun(world);
    const active = await activeKid(world);
    await carried(world, caseId, async (request, run) => {
      if (request.step === 'close') {
        await send(world, { workerId: LEFT, id: 'm2', type: 'worker.rehired', effectiveAt: world.clock.now() + 1 });
        world.clock.advance(2);
        await imported(world, LEFT, [], [ofRing('could-deploy')]);
      }
      return run();
    });
    await aMinuteLater(world);
    expect([(await metaOf(world, caseId)).state, await stateOf(world, active)]).toEqual(['CLOSED', 'ACTIVE']);
    expect(lateCases(world)).toEqual([]);
  });

  test('what nobody can plan of it is accepted as what the first plan had: the case closes, and it is tried again', async () => {
    const world = await companyOf(() => []);
    const caseId = await begun(world);
    const nowhere = { asset: 'ring:no-such-ring', class: 'could-use', how: 'a stale row', since: 1 };
    await carried(world, caseId, async (request, run) => {
      if (request.step === 'close') await imported(world, LEFT, [], [nowhere]);
      return run();
    });
    await aMinuteLater(world);
    expect(await carried(world, caseId)).toMatchObject({ code: 'ERR_NOT_PROVED' });
    expect(await decideBoth(world, caseId, 'accept')).toMatchObject({ isDecided: true });
    expect(await carried(world, caseId)).toBeUndefined();
    expect(shownState(await metaOf(world, caseId))).toBe('CLOSED WITH EXCEPTIONS');
    await drainOutboxes(world);
    expectWhole(world, caseId);

    const linked = metas(world).find(({ provesAgain }) => provesAgain === caseId);
    world.clock.set(linked?.dueAt ?? 0);
    await aMinuteLater(world);
    await carried(world, linked?.caseId ?? '');
    const inventory = of(world, linked?.caseId ?? '').find(({ type }) => type === 'case.inventory');
    expect(inventory?.body.exposures).toEqual([{ ref: 'e2-0', ring: 'no-such-ring', class: 'could-use' }]);
    // The one that proves it again plans that alone: what is imported next is ended by a case of its own.
    await imported(world, LEFT, [], [ofRing('could-use')]);
    await aMinuteLater(world);
    expect(lateCases(world)).toHaveLength(1);
    expectWhole(world, caseId);
  });

  test('a key that may have been copied, and cannot be tainted yet, is not accepted of a later plan either', async () => {
    const world = await companyOf(() => []);
    const caseId = await begun(world);
    const standby = (await ringOf(world)).keys.find(({ state }) => state === 'STANDBY')?.kid;
    await carried(world, caseId, async (request, run) => {
      if (request.step === 'close')
        await imported(world, LEFT, [], [{ asset: `kid:${RING}/${standby}`, class: COPIED, how: 'x', since: 1 }]);
      return run();
    });
    await aMinuteLater(world);
    await carried(world, caseId);
    expect(await approveAs(world, APPROVERS[0].identity, caseId, 'accept')).toMatchObject({
      counts: false,
      why: /the key could have been copied/,
    });
  });

  test('a case that nobody could decide about ends nothing later but a key that may have been copied', async () => {
    const world = await companyOf(() => []);
    await deployApprovers(world, []);
    const caseId = await begun(world, { source: 'payroll' });
    await carried(world, caseId);
    await aMinuteLater(world, 31 * DAY);
    const active = await activeKid(world);
    await carried(world, caseId);
    expect(shownState(await metaOf(world, caseId))).toBe('CLOSED WITH EXCEPTIONS');
    await imported(world, LEFT, [], [ofRing('could-use')]);
    await aMinuteLater(world);
    expect(lateCases(world)).toEqual([]);
    await imported(world, LEFT, [], [ofLegacy(world)]);
    await aMinuteLater(world);
    const lateId = lateCases(world)[0]?.caseId ?? '';
    expect(await carried(world, lateId)).toBeUndefined();
    expect([await stateOf(world, world.legacy.jwk.kid), await stateOf(world, active)]).toEqual(['DENIED', 'ACTIVE']);
    expectWhole(world, lateId);
  });

  test('planned as often as a case may be, it stays open and says so', async () => {
    const world = await companyOf(() => []);
    const caseId = await begun(world);
    const error = await carried(world, caseId, async (request, run) => {
      if (request.step === 'close') {
        const first = await world.tables.parsed.get(CASE_PLAN, caseId, 1);
        for (let n = 2; n <= FREEZINGS_MAX; n++)
          await world.tables.transact([
            { kind: 'put', table: 'cases', row: CASE_PLAN.row([caseId, n], first as NonNullable<typeof first>) },
          ]);
        await imported(world, LEFT, [], [ofRing('could-use')]);
      }
      return run();
    });
    expect(error).toMatchObject({ code: 'ERR_NOT_PROVED' });
    await aMinuteLater(world);
    expect(await carried(world, caseId)).toMatchObject({ code: 'ERR_PLAN_INVALID', allowed: FREEZINGS_MAX });
    expect((await metaOf(world, caseId)).state).not.toBe('CLOSED');
  });
});

describe('imported after the case was closed', () => {
  const closed = async (whenStep?: string) => {
    const world = await companyOf((one) => [ofLegacy(one)]);
    const caseId = await begun(world);
    await carried(world, caseId, async (request, run) => {
      if (request.step === whenStep) await imported(world, LEFT, [], [ofRing('could-deploy')]);
      return run();
    });
    expect((await metaOf(world, caseId)).state).toBe('CLOSED');
    return { world, caseId };
  };

  test.each([
    ['before the seal', 'seal', 60],
    ['after the seal', undefined, 60],
    ['weeks after it', undefined, 40 * DAY],
  ])('%s, a case that follows it ends the key, once', async (_when, step, seconds) => {
    const { world, caseId } = await closed(step);
    const then = of(world, caseId);
    if (step === undefined) await imported(world, LEFT, [], [ofRing('could-deploy')]);
    await aMinuteLater(world, seconds);
    const active = await activeKid(world);
    const [late] = lateCases(world);
    expect(late).toMatchObject({ followUpOf: caseId, state: 'CONTAINING', attempt: 1 });
    const lateId = late?.caseId ?? '';
    expect(await carried(world, lateId)).toBeUndefined();
    expect([await stateOf(world, active), (await metaOf(world, lateId)).state]).toEqual(['DENIED', 'CLOSED']);
    for (const id of [caseId, lateId]) expectWhole(world, id);
    // The closed case is as it was.
    expect(of(world, caseId).filter(({ type }) => type !== 'case.rechecked')).toEqual(then);

    await imported(world, LEFT, [], [ofRing('could-deploy')]);
    await aMinuteLater(world);
    expect(lateCases(world)).toHaveLength(1);
  });

  test('while a session that was alive at containment may still be, the ring is rotated again when it is over', async () => {
    const { world, caseId } = await closed();
    const { containedAt = 0 } = await metaOf(world, caseId);
    await imported(world, LEFT, [], [ofRing('could-use')]);
    await aMinuteLater(world);
    const { followUp = '' } = await metaOf(world, caseId);
    const dueAt = containedAt + world.config.settings.sessionSecondsMax;
    expect(await metaOf(world, followUp)).toMatchObject({ followUpOf: caseId, state: 'OPEN', dueAt });
    await carried(world, lateCases(world)[0]?.caseId ?? '');
    world.clock.set(dueAt);
    await aMinuteLater(world);
    const active = await activeKid(world);
    await carried(world, followUp);
    expect([await stateOf(world, active), (await metaOf(world, followUp)).state]).toEqual(['DENIED', 'CLOSED']);
    expectWhole(world, followUp);
  });

  test('a second time, a second case ends that, and leaves what the first has ended', async () => {
    const { world } = await closed();
    await imported(world, LEFT, [], [ofRing('could-use')]);
    await aMinuteLater(world, 2 * DAY);
    await carried(world, lateCases(world)[0]?.caseId ?? '');
    await imported(world, LEFT, [], [ofRing('administers')]);
    await aMinuteLater(world);
    const [, second] = lateCases(world).map(({ caseId }) => caseId);
    await carried(world, second ?? '');
    const inventory = of(world, second ?? '').find(({ type }) => type === 'case.inventory');
    expect(inventory?.body.exposures).toEqual([{ ref: 'e0', ring: RING, class: 'administers' }]);
    expectWhole(world, second ?? '');
  });

  test('imported again before the case that follows has planned, there is one such case', async () => {
    const { world } = await closed();
    for (const custody of ['could-use', 'administers']) {
      await imported(world, LEFT, [], [ofRing(custody)]);
      await aMinuteLater(world);
    }
    const [late, ...more] = lateCases(world).map(({ caseId }) => caseId);
    expect(more).toEqual([]);
    await carried(world, late ?? '');
    expect(await uncovered(world, LEFT)).toEqual([]);
  });

  test('while the case that follows is open, that one ends what is imported next', async () => {
    const { world } = await closed();
    await imported(world, LEFT, [], [ofRing('could-use')]);
    await aMinuteLater(world, 2 * DAY);
    const lateId = lateCases(world)[0]?.caseId ?? '';
    await carried(world, lateId, async (request, run) => {
      if (request.step === 'close') await imported(world, LEFT, [], [ofRing('administers')]);
      return run();
    });
    await aMinuteLater(world);
    expect(await carried(world, lateId)).toBeUndefined();
    expect(namesOf(world, lateId, 'case.planned')).toEqual(['planned', 'planned/2']);
    expect(lateCases(world)).toHaveLength(1);
    expectWhole(world, lateId);
  });

  test('of a worker who was taken on again since, it ends nothing', async () => {
    const { world } = await closed();
    const active = await activeKid(world);
    world.clock.advance(DAY);
    await send(world, { workerId: LEFT, id: 'm2', type: 'worker.rehired', effectiveAt: world.clock.now() });
    await imported(world, LEFT, [], [ofRing('could-deploy')]);
    await aMinuteLater(world);
    expect([lateCases(world), await stateOf(world, active)]).toEqual([[], 'ACTIVE']);
    expect(await world.tables.parsed.query(PENDING_IMPORT.in())).toEqual([]);
  });

  test('taken on again in the minute before the case that follows plans: it plans nothing, and closes', async () => {
    const { world } = await closed();
    await imported(world, LEFT, [], [ofRing('could-deploy')]);
    await aMinuteLater(world, 2 * DAY);
    const active = await activeKid(world);
    await send(world, { workerId: LEFT, id: 'm2', type: 'worker.rehired', effectiveAt: world.clock.now() - 60 });
    const lateId = lateCases(world)[0]?.caseId ?? '';
    expect(await carried(world, lateId)).toBeUndefined();
    expect([(await metaOf(world, lateId)).state, await stateOf(world, active)]).toEqual(['CLOSED', 'ACTIVE']);
  });

  test('of somebody who was transferred, what they have custody of in their new place is theirs', async () => {
    const world = await companyOf(() => []);
    const caseId = await begun(world, { type: 'worker.transferred' });
    await carried(world, caseId);
    world.clock.advance(DAY);
    await imported(world, LEFT, [], [ofRing('could-use', world.clock.now())]);
    await aMinuteLater(world);
    expect([(await metaOf(world, caseId)).state, lateCases(world)]).toEqual(['CLOSED', []]);
    // What they had before is named late.
    await imported(world, LEFT, [], [ofRing('could-deploy', NOW - 1000)]);
    await aMinuteLater(world);
    expect(lateCases(world)).toHaveLength(1);
  });

  test('given back, the departure takes the case that follows it with it', async () => {
    const { world, caseId } = await closed();
    const active = await activeKid(world);
    await imported(world, LEFT, [], [ofRing('could-deploy')]);
    await aMinuteLater(world);
    const lateId = lateCases(world)[0]?.caseId ?? '';
    await decideBoth(world, caseId, 'give-back');
    expect(await carried(world, lateId)).toBeUndefined();
    expect(await metaOf(world, lateId)).toMatchObject({ state: 'CLOSED', givenBackAt: expect.any(Number) });
    expect(await stateOf(world, active)).toBe('ACTIVE');
    checkManifest(allRecords(world), lateId);
    await imported(world, LEFT, [], [ofRing('administers')]);
    await aMinuteLater(world);
    expect(lateCases(world)).toHaveLength(1);
  });

  test('of somebody who has not left it is only looked at, however many were imported', async () => {
    const world = await companyOf(() => []);
    for (let n = 0; n < 250; n++) await imported(world, `w-1${n}`, [], [ofRing('could-use')]);
    await aMinuteLater(world);
    expect([metas(world), await world.tables.parsed.query(PENDING_IMPORT.in())]).toEqual([[], []]);
  });
});

test('items are in the order of their numbers: in the table 100 stands before 11', async () => {
  const world = await companyOf(() => []);
  const caseId = await begun(world);
  for (const nn of ['25001', '20001', '100', '11', '02'])
    await world.tables.transact([
      {
        kind: 'put',
        table: 'cases',
        row: CASE_ITEM.row([caseId, { nn, kind: 'latch' }], {
          item: { nn, kind: 'latch', ref: 'p0' },
          phase: 'contain',
          state: 'PLANNED',
          target: {},
        }),
      },
    ]);
  const items = await loadItems({ tables: world.tables.parsed }, caseId);
  expect(items.map(({ item }) => item.nn)).toEqual(['02', '11', '100', '20001', '25001']);
});

test('an import in the moment of the close is seen by one of the two', async () => {
  const world = await companyOf((one) => [ofLegacy(one)]);
  const caseId = await begun(world);
  const active = await activeKid(world);
  // After the closer has read People, and before it writes: the import, and the tick that looks at it.
  const { transact } = world.tables;
  let isClosing = false;
  world.tables.transact = async (writes) => {
    const closes = writes.some((write) => write.kind === 'update' && write.set?.state === 'CLOSED');
    if (closes && !isClosing) {
      isClosing = true;
      await imported(world, LEFT, [], [ofRing('could-use')]);
      await aMinuteLater(world);
    }
    return transact.call(world.tables, writes);
  };
  await carried(world, caseId);
  expect(isClosing).toBe(true);
  for (let n = 0; n < 3; n++) {
    await aMinuteLater(world, LOOK_AGAIN_SECONDS);
    for (const one of metas(world))
      if (one.state !== 'CLOSED' && one.dueAt <= world.clock.now()) await carried(world, one.caseId);
  }
  expect(await stateOf(world, active)).toBe('DENIED');
  expect(metas(world).every(({ state, dueAt }) => state === 'CLOSED' || dueAt > world.clock.now())).toBe(true);
});

/** Whatever People says then, as nothing of the planner reads it. */
async function uncovered(world: DepartureWorld, workerId: string): Promise<readonly string[]> {
  const family = metas(world).filter((meta) => meta.workerId === workerId);
  const plans = await Promise.all(family.map(({ caseId }) => world.tables.parsed.query(CASE_PLAN.in(caseId))));
  const planned = plans
    .flat()
    .filter(({ state }) => state === 'FROZEN')
    .flatMap(({ inventory }) =>
      inventory.exposures.map(({ ring, kid, class: of }) =>
        kid === undefined ? `ring:${ring} ${of}` : `kid:${ring}/${kid} ${of}`,
      ),
    );
  const rows = await world.tables.parsed.query(EXPOSURE.in(workerId));
  return rows.map((row) => `${row.asset} ${row.class}`).filter((one) => !planned.includes(one));
}

const STEPS = ['list', 'contained', 'plan', 'prepare', 'taint', 'commit', 'prove', 'close', 'seal', 'later'] as const;
const CUSTODY = ['copied-possible', 'could-use', 'could-deploy', 'administers'];

test('in whatever order imports and attempts come, a case that closes has a plan for every exposure of that moment', async () => {
  const oneImport = fc.record({
    before: fc.constantFrom(...STEPS),
    custody: fc.constantFrom(...CUSTODY),
    ofLegacy: fc.boolean(),
  });
  let closed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(oneImport, { minLength: 1, maxLength: 5 }), fc.boolean(), async (given, isHeld) => {
      const world = await companyOf(() => []);
      const caseId = await begun(world, isHeld ? { source: 'payroll' } : {});
      const queue = [...given];
      const take = async (step: string) => {
        while (queue[0]?.before === step) {
          const { custody, ofLegacy: isLegacy } = queue.shift() as (typeof given)[number];
          await imported(world, LEFT, [], [isLegacy ? ofLegacy(world, custody) : ofRing(custody)]);
        }
      };
      const attempt = (id: string) =>
        carried(world, id, async (request, run) => {
          await take(request.step);
          const answer = await run();
          if (request.step !== 'close' || (await metaOf(world, id)).state !== 'CLOSED') return answer;
          expect(await uncovered(world, LEFT)).toEqual([]);
          closed++;
          return answer;
        });
      for (let round = 0; round < 12; round++) {
        for (const { state, dueAt, caseId: id, sealedAt } of metas(world))
          if (dueAt <= world.clock.now() && (state !== 'CLOSED' || sealedAt === undefined)) await attempt(id);
        if (isHeld && round === 2) await decideBoth(world, caseId, 'go-on');
        // Nothing runs that the next import waits for: it comes now.
        if (queue[0] !== undefined) await take(queue[0].before);
        await aMinuteLater(world, LOOK_AGAIN_SECONDS);
      }
      expect(await uncovered(world, LEFT)).toEqual([]);
      for (const { state, dueAt, caseId: id } of metas(world)) {
        expect(state === 'CLOSED' || dueAt > world.clock.now()).toBe(true);
        if (state === 'CLOSED') expectWhole(world, id);
      }
    }),
    { numRuns: extent(6, 150), seed: seedFor('late exposures') },
  );
  expect(closed).toBeGreaterThan(0);
}, 600_000);

describe('a crash at any effect', () => {
  const MODES = ['before', 'after'] as const;

  test.each(MODES)('of the attempt that plans it, %s it is done, ends the same', async (mode) => {
    for (let n = 1; ; n++) {
      const world = await companyOf((one) => [ofLegacy(one)]);
      const caseId = await begun(world);
      const active = await activeKid(world);
      await carried(world, caseId, async (request, run) => {
        if (request.step === 'close') await imported(world, LEFT, [], [ofRing('could-deploy')]);
        return run();
      });
      await aMinuteLater(world);
      const deaths = dyingAt(world, n, mode);
      expect(await carried(world, caseId, deaths.via)).toBeUndefined();
      expect([await stateOf(world, active), (await metaOf(world, caseId)).state]).toEqual(['DENIED', 'CLOSED']);
      expect(namesOf(world, caseId, 'case.planned')).toEqual(['planned', 'planned/2']);
      await drainOutboxes(world);
      expectWhole(world, caseId);
      if (deaths.killed === 0) return;
    }
  });

  test.each(MODES)('of the look at an import, %s it is done, bears one case', async (mode) => {
    for (let n = 1; ; n++) {
      const world = await companyOf((one) => [ofLegacy(one)]);
      await carried(world, await begun(world));
      await imported(world, LEFT, [], [ofRing('could-deploy')]);
      world.clock.advance(60);
      world.faults.crashAt(n, mode);
      await tick(world.deps('ticker')).catch(() => undefined);
      const { crashed } = world.faults;
      world.faults.restart();
      await aMinuteLater(world);
      const [late, ...more] = lateCases(world);
      expect([late?.state, more]).toEqual(['CONTAINING', []]);
      expect([...world.workflow.started.keys()].filter((name) => name.startsWith(`${late?.caseId}.`))).toHaveLength(1);
      if (!crashed) return;
    }
  });
});
