/** A departure from the webhook to the seal, every step played twice as a retry would, and what HR says before and after it. */
import { listDue } from '../../../bin/commands/case';
import { showCase } from '../../../bin/commands/case-show';
import { fold } from '../../../lambdas/case-folder';
import { receiveWebhook } from '../../../lambdas/intake';
import { tick } from '../../../lambdas/ticker';
import { relay } from '../../../lib/work/evidence/relay';
import {
  type DepartureWorld,
  delivery,
  departureWorld,
  execute,
  metaOf,
  metas,
  type Said,
  WORKER,
} from '../../scenarios/departure-world';
import { calmly, issueTo, legacyClaims, record, signLegacy } from '../../scenarios/signing-world';
import { outboxRows, Scene, sweepAll } from '../scene';

type DepartureScene = Scene<DepartureWorld>;
const OTHER = 'W-2';

export async function departureScene(): Promise<DepartureScene> {
  const scene = new Scene(await departureWorld(calmly));
  const { world } = scene;
  await record(world, [signLegacy(world, legacyClaims(world, 'member-1', 'jti-1'))]);
  await issueTo(world, 'member-1');
  await toldAhead(scene);
  const caseId = await departed(scene);
  await steps(scene, caseId);
  await afterwards(scene, caseId);
  return scene;
}

/** What HR says arrives and is folded, as the stream has it done. */
async function told({ world, act }: DepartureScene, says: string, said: Said & { readonly id: string }): Promise<void> {
  await receiveWebhook(delivery(world, said), world.deps('intake'));
  const [arrived] = world.tables.takeStream('inbox');
  const request = { source: arrived?.pk ?? '', delivery: arrived?.sk ?? '' };
  await act(says, () => fold(request, world.deps('case-folder')));
}

async function toldAhead(scene: DepartureScene): Promise<void> {
  const { world, act } = scene;
  const effectiveAt = world.clock.now() + 600;
  const other = { workerId: OTHER, effectiveAt };
  await told(scene, 'schedules a departure', { ...other, id: 'msg_1' });
  world.clock.advance(1);
  await told(scene, 'moves it', { ...other, effectiveAt: effectiveAt + 60, id: 'msg_2' });
  world.clock.set(effectiveAt + 60);
  await act('has begun what is due', () => tick(world.deps('ticker')));
  await act('begins what is due', () => fold({ workerId: OTHER }, world.deps('case-folder')));
  world.clock.advance(1);
  await told(scene, 'asks about one that has begun', { ...other, effectiveAt, id: 'msg_4', type: 'worker.rescinded' });
}

async function departed(scene: DepartureScene): Promise<string> {
  const { world, act, tap } = scene;
  await told(scene, 'opens a case and starts it', { id: 'msg_5' });
  const { caseId = '' } = metas(world).find(({ workerId }) => workerId === WORKER) ?? {};
  const rows = outboxRows(world.tables.takeStream('cases'));
  const carry = () => relay(tap.stream('outbox-offboarding', 'cases', rows), world.deps('outbox-offboarding'));
  await act('carries what cases sends', carry);
  await act('sweeps', () => sweepAll(world, ['cases'], world.deps('sweeper-offboarding')));
  return caseId;
}

async function steps({ world, act }: DepartureScene, caseId: string): Promise<void> {
  await execute(world, caseId, 1, async ({ step, nn = '' }, run) => {
    const answer = await act(`${step} ${nn}`, run);
    await act(`${step} ${nn} again`, run);
    return answer;
  });
}

async function afterwards(scene: DepartureScene, caseId: string): Promise<void> {
  const { world, act, tap } = scene;
  await act('shows a case', () => showCase(tap.command('case show'), caseId));
  await act('lists what is due', () => listDue(tap.command('case due')));
  await told(scene, 'opens a second case of one worker', { id: 'msg_6', effectiveAt: world.clock.now() + 60 });
  // The stream missed this one.
  await receiveWebhook(delivery(world, { id: 'msg_7', workerId: 'W-3' }), world.deps('intake'));
  const { followUp = '' } = await metaOf(world, caseId);
  world.clock.set((await metaOf(world, followUp)).dueAt);
  await act('starts what is due and folds what was missed', () => tick(world.deps('ticker')));
  // The second rotation finds a ring that has waves.
  await execute(world, followUp, 1, ({ step, nn = '' }, run) => act(`${step} ${nn}`, run));
}
