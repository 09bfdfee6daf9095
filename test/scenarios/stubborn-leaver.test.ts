/** What a leaver, or a stale import, could put in the way of a departure: it stays open, and everything else is ended. */

import { applyLatch } from '../../lambdas/latch';
import { importPeople } from '../../lambdas/people-import';
import { planner } from '../../lambdas/planner';
import { applyRingConfig } from '../../lambdas/ring-deployer';
import { rotate } from '../../lambdas/rotator';
import { tick } from '../../lambdas/ticker';
import { checkManifest } from '../../lib/domain/audit/manifest';
import { CurfewError } from '../../lib/domain/base/errors';
import { PRINCIPALS_MAX } from '../../lib/domain/cases/containment';
import { EXPOSURES_MAX } from '../../lib/domain/cases/plan';
import { policyAllowing } from '../../lib/local/kms';
import type { StoredItem } from '../../lib/work/cases/case-store';
import { userOf } from '../../lib/work/cases/observe';
import { LOOK_AGAIN_SECONDS } from '../../lib/work/cases/start-case';
import { loadRing } from '../../lib/work/rings/load-ring';
import { extent } from '../support/extent';
import { seedFor } from '../support/seeded';
import {
  allRecords,
  type DepartureWorld,
  departureWorld,
  drainOutboxes,
  execute,
  metaOf,
  metas,
  outbox,
  send,
  WORKER,
} from './departure-world';
import { issueTo, RING, ringOf, verifierOf } from './signing-world';

interface Has {
  readonly principals?: readonly object[];
  readonly exposures?: readonly object[];
}

const imported = (world: DepartureWorld, { principals = [], exposures = [] }: Has, workerId = WORKER) =>
  importPeople({ workers: [{ workerId, principals, exposures }] }, world.deps('people-import'), 'AIDAIMPORTER0001');
const subjects = (n: number) => Array.from({ length: n }, (_, i) => ({ type: 'subject', ring: RING, sub: `app-${i}` }));
const exposure = (asset: string, custody = 'could-use') => ({ asset, class: custody, how: 'x', since: 1 });

async function begun(world: DepartureWorld, workerId = WORKER): Promise<string> {
  await send(world, { workerId, id: `msg-${workerId}` });
  return metas(world).find((meta) => meta.workerId === workerId)?.caseId ?? '';
}

/** The keys and the access that departureWorld gives the leaver have ended, whatever else is open. */
async function expectEnded(world: DepartureWorld): Promise<void> {
  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);
  expect((await ringOf(world)).keys.filter(({ state }) => state === 'DENIED')).toHaveLength(2);
  await expect(issueTo(world, 'mallory')).rejects.toMatchObject({ code: 'ERR_SUBJECT_BLOCKED' });
}

describe('a personal key', () => {
  test('that waits for deletion, or is gone, is as good as disabled', async () => {
    const world = await departureWorld();
    world.kms.override(world.personalKeyArn, { state: 'PendingDeletion' });
    await imported(world, {
      principals: [{ type: 'kms-key', arn: 'arn:aws:kms:us-east-1:000000000000:key/never-was' }],
    });
    const caseId = await begun(world);
    await execute(world, caseId, 1);
    expect((await metaOf(world, caseId)).state).toBe('CLOSED');
    const seen = outbox(world)
      .filter(({ type, body }) => type === 'item.proved' && body.kind === 'personal-key')
      .map(({ body }) => body.observed);
    expect(seen).toEqual([{ kmsState: 'PendingDeletion' }, { kmsState: 'NotFound' }]);
  });
});

describe('an exposure of nothing that exists', () => {
  test.each([
    [exposure('ring:no-such-ring'), 'ring no-such-ring has no ACTIVE key'],
    [exposure(`kid:${RING}/no-such-kid`, 'copied-possible'), `ring ${RING} has no key no-such-kid to taint`],
  ])('%# keeps the case open and says why, and holds up nothing else', async (stale, reason) => {
    const world = await departureWorld();
    await imported(world, { exposures: [stale] });
    const caseId = await begun(world);
    await expect(execute(world, caseId, 1)).rejects.toMatchObject({
      code: 'ERR_NOT_PROVED',
      got: [expect.stringMatching(new RegExp(`^10 unplannable ${reason}$`))],
    });
    await expectEnded(world);
    expect((await metaOf(world, caseId)).followUp).toBeDefined();
    expect(() => checkManifest(allRecords(world), caseId)).toThrow(`${caseId}/item/10/proved`);
  });

  test('which only read what is public asks for nothing', async () => {
    const world = await departureWorld();
    await imported(world, { exposures: [exposure('ring:no-such-ring', 'reads-public')] });
    const caseId = await begun(world);
    await execute(world, caseId, 1);
    expect((await metaOf(world, caseId)).state).toBe('CLOSED');
  });
});

describe('many principals', () => {
  test('more than one transaction freezes are contained, and one case lists so many and says that there are more', async () => {
    const world = await departureWorld();
    await imported(world, { principals: subjects(PRINCIPALS_MAX) });
    const caseId = await begun(world);
    await expect(execute(world, caseId, 1)).rejects.toMatchObject({
      code: 'ERR_NOT_PROVED',
      got: [expect.stringContaining('unplannable more principals than one case lists')],
    });
    await expect(issueTo(world, 'app-1')).rejects.toMatchObject({ code: 'ERR_SUBJECT_BLOCKED' });
    expect(outbox(world).find(({ type }) => type === 'case.contained')?.body).toMatchObject({
      items: PRINCIPALS_MAX + 2,
      open: ['203'],
    });
    await drainOutboxes(world);
  });

  test.each(['before', 'after'] as const)(
    'killed %s any write of the freeze: one list, whole, frozen once',
    async (mode) => {
      const step = extent(6, 1);
      for (let n = 1 + (seedFor('freeze killed') % step); ; n += step) {
        const world = await departureWorld();
        await imported(world, { principals: subjects(185) });
        const request = { caseId: await begun(world), attempt: 1, step: 'list' };
        world.faults.crashAt(n, mode);
        await planner(request, world.deps('planner')).catch(() => undefined);
        const died = world.faults.crashed;
        world.faults.restart();
        // What comes in meanwhile is not half in the list: it is in the next one, or in none yet.
        await imported(world, { principals: subjects(190) });
        if (died) expect((await planner(request, world.deps('planner'))).items.length).toBeGreaterThan(180);
        const stored = world.tables.dump('cases').filter(({ sk }) => sk.startsWith('ITEM#'));
        const listed = outbox(world).filter(({ type }) => type === 'case.listed');
        expect(listed.map(({ body }) => body.n)).toEqual(listed.length === 1 ? [1] : [1, 2]);
        expect(listed.flatMap(({ body }) => body.items)).toHaveLength(stored.length);
        if (!died) break;
      }
    },
  );
});

test('an item that fails keeps the case open; nothing else of the leaver waits for it', async () => {
  const world = await departureWorld();
  world.functions.register('latch', () => Promise.reject(new CurfewError('ERR_UNAVAILABLE', 'IAM is not there')));
  const caseId = await begun(world);
  await expect(execute(world, caseId, 1)).rejects.toMatchObject({ code: 'ERR_NOT_PROVED', got: ['02 latch PLANNED'] });
  await expectEnded(world);
  const contained = outbox(world).find(({ type }) => type === 'case.contained');
  expect(contained?.body).toMatchObject({ items: 4, open: ['02'] });
  expect(() => checkManifest(allRecords(world), caseId)).toThrow(`${caseId}/item/02/contained`);

  world.functions.register('latch', (request) => applyLatch(request, world.deps('latch')));
  await execute(world, caseId, 1);
  expect((await metaOf(world, caseId)).state).toBe('CLOSED');
});

test('a leaver is cut off as the subject, as who acts for another, and as the client', async () => {
  const world = await departureWorld();
  const verifier = await verifierOf(world);
  const acting = await issueTo(world, 'member-1', { act: { sub: 'mallory' } });
  const client = await issueTo(world, 'member-1', { client_id: 'mallory' });
  for (const token of [acting, client]) await verifier.verify(token);

  const caseId = await begun(world);
  await execute(world, caseId, 1);
  for (const claims of [{ act: { sub: 'mallory' } }, { client_id: 'mallory' }])
    await expect(issueTo(world, 'member-1', claims)).rejects.toMatchObject({ code: 'ERR_SUBJECT_BLOCKED' });
  const resigned = world.tables.dump('ledger').filter(({ resignOf }) => resignOf !== undefined);
  expect(resigned).toEqual([]);
});

describe('an IAM user of the same name', () => {
  test.each([
    ['arn:aws:iam::999999999999:user/colleague', 'an IAM user of another account'],
    ['arn:aws:iam::000000000000:user/ops/colleague', 'IAM has another user of that name'],
  ])('%s is not touched, and the case stays open', async (arn, reason) => {
    const world = await departureWorld();
    await imported(world, { principals: [{ type: 'iam-user', arn }] });
    const caseId = await begun(world);
    await expect(execute(world, caseId, 1)).rejects.toMatchObject({ got: [`06 unplannable ${reason}`] });
    expect(world.iam.mayAct('colleague', 'AKIA3')).toBe(true);
    expect(await world.iam.hasLoginProfile('colleague')).toBe(true);
    expect((await world.iam.user('colleague'))?.tags).toEqual({});
    await expectEnded(world);
  });

  test('is not observed in place of the one that was imported', async () => {
    const world = await departureWorld();
    const item = { nn: '02', kind: 'latch', ref: 'p0' } as const;
    const target = { userName: 'colleague', arn: 'arn:aws:iam::000000000000:user/ops/colleague' };
    await expect(userOf({ item, target } as unknown as StoredItem, { iam: world.iam })).rejects.toMatchObject({
      code: 'ERR_NOT_PROVED',
      message: 'the user of item 02 has another ARN than the imported one',
    });
  });
});

test('a STANDBY that another departure has made ready does not keep this one from closing', async () => {
  const world = await departureWorld();
  const caseId = await begun(world);
  let prepared: string | undefined;
  await execute(world, caseId, 1, async (request, run) => {
    if (request.step === 'prove' && prepared === undefined)
      prepared = (await rotate({ op: 'prepare', ring: RING }, world.deps('rotator'))).kid;
    return run();
  });
  expect((await ringOf(world)).keys.find(({ kid }) => kid === prepared)).toMatchObject({
    state: 'STANDBY',
    kmsState: 'Enabled',
  });
  expect((await metaOf(world, caseId)).state).toBe('CLOSED');
});

describe('an import', () => {
  const how = 'ば'.repeat(120);
  test.each([
    [{ exposures: [{ ...exposure(`ring:${RING}`), how: `${how}x` }] }, 'workers.0.exposures.0.how: too_big'],
    [{ exposures: [{ ...exposure(`ring:${RING}`), how: 'a\u0001b' }] }, 'workers.0.exposures.0.how: invalid_format'],
    [{ exposures: Array(EXPOSURES_MAX + 1).fill(exposure(`ring:${RING}`)) }, 'workers.0.exposures: too_big'],
    [{ principals: subjects(PRINCIPALS_MAX + 1) }, 'workers.0.principals: too_big'],
  ])('%# that no record has room for is refused', async (has, message) => {
    const world = await departureWorld();
    await expect(imported(world, has)).rejects.toMatchObject({ code: 'ERR_INPUT_INVALID', message });
  });

  test('as large as it may be, and more of them, is a case whose records the log takes', async () => {
    const world = await departureWorld();
    const kids = Array.from({ length: EXPOSURES_MAX }, (_, n) => `kid:${RING}/${'k'.repeat(62)}${10 + n}`);
    await imported(world, {
      principals: subjects(PRINCIPALS_MAX),
      exposures: kids.map((a) => ({ ...exposure(a), how })),
    });
    await imported(world, { exposures: [exposure('ring:one-more')] });
    const caseId = await begun(world);
    await expect(execute(world, caseId, 1)).rejects.toMatchObject({
      code: 'ERR_NOT_PROVED',
      got: expect.arrayContaining([expect.stringMatching(/unplannable 3 more exposures than one case lists/)]),
    });
    await drainOutboxes(world);
  });
});

describe('a ring that cannot be served', () => {
  const PARTNER = 'partner-api';
  const partner = async (world: DepartureWorld) => loadRing(world.deps('well-known'), PARTNER);

  /** A second ring, before the other one in every order, whose STANDBYs let the rotator do nothing. */
  async function withSabotagedRing() {
    const world = await departureWorld();
    await applyRingConfig(
      {
        id: PARTNER,
        issuer: `https://id.shop.example/r/${PARTNER}`,
        audience: 'https://partner.shop.example',
        algorithm: 'ES256',
        periodSeconds: 30 * 86_400,
        maxTtlSeconds: 3600,
      },
      world.deps('rotator'),
    );
    world.clock.advance(70);
    await imported(world, { exposures: [exposure(`ring:${PARTNER}`)] });
    const policies = new Map<string, string>();
    for (const { kmsKeyArn = '', state } of (await partner(world)).keys)
      if (state === 'STANDBY') {
        policies.set(kmsKeyArn, await world.deps('rotator').ringKeys.policy(kmsKeyArn));
        world.kms.override(kmsKeyArn, { policy: policyAllowing([], []) });
      }
    const repair = () => {
      for (const [arn, policy] of policies) world.kms.override(arn, { policy });
    };
    return { world, repair };
  }

  test('keeps the case open, and holds up no other ring', async () => {
    const { world } = await withSabotagedRing();
    const caseId = await begun(world);
    const { activeKid } = await partner(world);
    await expect(execute(world, caseId, 1)).rejects.toMatchObject({ code: 'ERR_NOT_PROVED' });
    await expectEnded(world);
    expect((await partner(world)).activeKid).toBe(activeKid);
  });

  test('is served by the next attempt, once its keys can be used again', async () => {
    const { world, repair } = await withSabotagedRing();
    const caseId = await begun(world);
    const { activeKid = '' } = await partner(world);
    await expect(execute(world, caseId, 1)).rejects.toMatchObject({ code: 'ERR_NOT_PROVED' });
    world.workflow.end(`${caseId}.1`);
    repair();
    world.clock.advance(LOOK_AGAIN_SECONDS);
    await tick(world.deps('ticker'));
    await execute(world, caseId, 2);
    expect((await metaOf(world, caseId)).state).toBe('CLOSED');
    expect((await partner(world)).keys.find(({ kid }) => kid === activeKid)?.state).toBe('DENIED');
  });
});
