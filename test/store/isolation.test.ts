/** Where several units of work stand beside each other, a row of one that cannot be read stops that one, is told of, and no other waits for it. */
import { foldDelivery } from '../../lambdas/case-folder';
import { importPeople } from '../../lambdas/people-import';
import { applyRingConfig } from '../../lambdas/ring-deployer';
import { tick } from '../../lambdas/ticker';
import { deliveryWrites } from '../../lib/domain/intake/inbox';
import type { Statement } from '../../lib/domain/intake/statement';
import type { Row, TableName } from '../../lib/domain/store/table';
import type { World } from '../../lib/local/world';
import { loadRing } from '../../lib/work/rings/load-ring';
import { departureWorld, execute, metas, outbox, send, WORKER } from '../scenarios/departure-world';
import { AUDIENCE, calmly, NOW, RING, type SigningWorld } from '../scenarios/signing-world';

const OTHER_RING = 'partner-api';

/** Behind everybody's back: the twin checks what a Lambda writes, and this is none. */
async function spoil(world: World, table: TableName, isMeant: (row: Row) => boolean): Promise<void> {
  const found = world.tables.dump(table).find(isMeant);
  if (!found) throw new Error(`there is no such row in ${table}`);
  const { pk, sk } = found;
  await world.tables.transact([{ kind: 'update', table, key: { pk, sk }, set: { addedLater: true } }]);
}

const unreadable = (what: string) => ({
  code: 'ERR_ITEM_INVALID',
  message: expect.stringMatching(new RegExp(`has a ${what} that cannot be read: addedLater is not a member`)),
});
const caseOf = (world: World, worker: string) => metas(world).find(({ workerId }) => workerId === worker)?.caseId ?? '';

test('a tick begins the departure that can be read, and fails for the one that cannot', async () => {
  // Calm: what the next tick would do after a failure is not what is looked at.
  const world = await departureWorld(calmly);
  for (const [n, workerId] of ['W-1', 'W-2'].entries())
    await send(world, { workerId, effectiveAt: world.clock.now() + 60, id: `msg_${n}` });
  await spoil(world, 'cases', ({ pk, sk }) => pk === 'WORKER#W-1' && sk === 'SCHEDULE');
  world.clock.advance(60);
  await expect(tick(world.deps('ticker'))).rejects.toMatchObject(unreadable('schedule of a worker'));
  expect([...world.workflow.started.keys()]).toEqual([`${caseOf(world, 'W-2')}.1`]);
});

test('a tick starts the case that is due beside one that it looks after and cannot read', async () => {
  const world = await departureWorld(calmly);
  for (const workerId of ['W-1', 'W-2'])
    await send(world, {
      workerId,
      effectiveAt: world.clock.now() + (workerId === 'W-2' ? 60 : 0),
      id: `msg_${workerId}`,
    });
  const looked = caseOf(world, 'W-1');
  await spoil(world, 'cases', ({ pk, sk }) => pk === `CASE#${looked}` && sk === 'META');
  world.clock.advance(60);
  await expect(tick(world.deps('ticker'))).rejects.toMatchObject(unreadable('case'));
  expect([...world.workflow.started.keys()].filter((name) => !name.startsWith(looked))).toHaveLength(1);
});

test('of one delivery the statement that can be folded is, and the delivery waits for the other', async () => {
  const world = await departureWorld();
  await send(world, { workerId: 'W-1', effectiveAt: NOW + 9000 });
  await spoil(world, 'cases', ({ pk, sk }) => pk === 'WORKER#W-1' && sk === 'SCHEDULE');
  const said = (workerId: string): Statement => ({
    kind: 'termination',
    workerId,
    saidAt: NOW,
    timedBy: 'event',
    effectiveAt: NOW + 9999,
    meaning: 'access-end',
    zone: 'Z',
    sourceEventId: 'msg_2',
  });
  const arrived = { source: 'hr', deliveryId: 'msg_2', sentAt: NOW, receivedAt: NOW, bodySha256: 'q' };
  const statements = ['W-1', 'W-2'].map(said);
  await world.tables.transact(deliveryWrites({ ...arrived, corroboration: 'signed-fact', origin: 'hr', statements }));

  const folding = foldDelivery({ source: 'hr', delivery: 'msg_2#q' }, world.deps('case-folder'));
  await expect(folding).rejects.toMatchObject(unreadable('schedule of a worker'));
  const due = world.tables.dump('cases').filter(({ pk }) => pk === 'DUE-WORKER');
  expect(due.map(({ sk }) => sk)).toEqual([`00${NOW + 9000}#W-1`, `00${NOW + 9999}#W-2`]);
  expect(world.tables.dump('inbox').some(({ pk, delivery }) => pk === 'PENDING' && delivery === 'msg_2#q')).toBe(true);
});

/** W-1042 has had custody of a second ring too. */
async function withTwoRings(): Promise<SigningWorld> {
  const world = await departureWorld();
  const issuer = `https://id.shop.example/r/${OTHER_RING}`;
  const timing = { periodSeconds: 30 * 86_400, maxTtlSeconds: 3600 };
  const config = { id: OTHER_RING, issuer, audience: AUDIENCE, algorithm: 'ES256', ...timing };
  await applyRingConfig(config, world.deps('rotator'));
  world.clock.advance(100);
  const exposure = { asset: `ring:${OTHER_RING}`, class: 'could-deploy', how: 'deploys it', since: NOW };
  const workers = [{ workerId: WORKER, principals: [], exposures: [exposure] }];
  await importPeople({ workers }, world.deps('people-import'), 'AIDAIMPORTER0001');
  return world;
}

test('a ring that cannot be read keeps no other ring of a departure waiting, and its items stay open', async () => {
  const world = await withTwoRings();
  await send(world);
  const caseId = caseOf(world, WORKER);
  const failed: string[] = [];
  const running = execute(world, caseId, 1, async ({ step }, run) => {
    if (step === 'taint')
      await spoil(world, 'keys', ({ pk, sk }) => pk === `RING#${OTHER_RING}` && sk.startsWith('SLOT#'));
    return run().catch((error) => {
      failed.push(step);
      throw error;
    });
  });
  await expect(running).rejects.toMatchObject(unreadable('slot of a ring'));
  expect(failed).toEqual(['taint']);

  const ring = await loadRing(world.deps('well-known'), RING);
  expect(ring.keys.filter(({ state }) => state === 'SUSPECT')).toHaveLength(2);
  await expect(loadRing(world.deps('well-known'), OTHER_RING)).rejects.toMatchObject(unreadable('slot of a ring'));
  const suspects = world.tables
    .dump('keys')
    .filter(({ pk, state }) => pk === `RING#${OTHER_RING}` && state === 'SUSPECT');
  expect(suspects).toEqual([]);
  expect(outbox(world).some(({ type }) => type === 'case.closed')).toBe(false);
});
