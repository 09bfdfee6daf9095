/** A departure from the webhook to the seal, every step played twice as a retry would, and what HR says before and after it. */
import { listCases, listDue } from '../../../bin/commands/case';
import { acceptItems } from '../../../bin/commands/case-accept';
import { decideCase } from '../../../bin/commands/case-decide';
import { explainCase } from '../../../bin/commands/case-explain';
import { readmit } from '../../../bin/commands/case-readmit';
import { showCase } from '../../../bin/commands/case-show';
import { taintKey } from '../../../bin/commands/ring-taint';
import { approve } from '../../../lambdas/approvals';
import { fold } from '../../../lambdas/case-folder';
import { conduct } from '../../../lambdas/conductor';
import { decideStream } from '../../../lambdas/decider';
import { receiveWebhook } from '../../../lambdas/intake';
import { enableKey } from '../../../lambdas/key-enabler';
import { releaseLatch } from '../../../lambdas/latch-release';
import { importPeople as takeIn } from '../../../lambdas/people-import';
import { planner } from '../../../lambdas/planner';
import { recheckDue } from '../../../lambdas/rechecker';
import { releaseSubjects } from '../../../lambdas/subject-release';
import { openTaint } from '../../../lambdas/taint-opener';
import { tick } from '../../../lambdas/ticker';
import { ROW_PRESENT } from '../../../lib/domain/store/table';
import { relay } from '../../../lib/work/evidence/relay';
import { APPROVERS, approvalsOf } from '../../scenarios/approvers';
import {
  type DepartureWorld,
  delivery,
  departureWorld,
  execute,
  imported,
  metaOf,
  metas,
  type Said,
  send,
  strike,
  WORKER,
} from '../../scenarios/departure-world';
import { calmly, issueTo, legacyClaims, RING, record, ringOf, signLegacy } from '../../scenarios/signing-world';
import { outboxRows, Scene, sweepAll } from '../scene';

type DepartureScene = Scene<DepartureWorld>;
const OTHER = 'W-2';
const THIRD = 'W-3';

export async function departureScene(): Promise<DepartureScene> {
  const scene = new Scene(await departureWorld(calmly));
  const { world } = scene;
  await record(world, [signLegacy(world, legacyClaims(world, 'member-1', 'jti-1'))]);
  await issueTo(world, 'member-1');
  await takeIn(
    { workers: [{ workerId: OTHER, principals: [{ type: 'subject', ring: RING, sub: 'other' }], exposures: [] }] },
    world.deps('people-import'),
    'AIDAIMPORTER0001',
  );
  await toldAhead(scene);
  const other = metas(world).find(({ workerId }) => workerId === OTHER)?.caseId ?? '';
  await execute(world, other, 1, ({ step }, run) => (step === 'close' ? scene.act('rests held', run) : run()));
  await decided(scene, other, 'go-on');
  const caseId = await departed(scene);
  await steps(scene, caseId);
  await afterwards(scene, caseId);
  await givenBack(scene, caseId);
  await accepted(scene);
  await endedKey(scene);
  await readmitted(scene, other);
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
  await act('lists what is due', () => listDue(scene.tap.command('case due')));
  world.clock.advance(1);
  await told(scene, 'moves it', { ...other, effectiveAt: effectiveAt + 60, id: 'msg_2' });
  world.clock.set(effectiveAt + 60);
  await act('has begun what is due', () => tick(world.deps('ticker')));
  await act('begins what is due', () => fold({ workerId: OTHER }, world.deps('case-folder')));
  world.clock.advance(1);
  await told(scene, 'asks about one that has begun', { ...other, effectiveAt, id: 'msg_4', type: 'worker.rescinded' });
}

/** Two approvers, each by the command; what the stream does with it is an act of its own. */
async function decided(scene: DepartureScene, caseId: string, decision: 'go-on' | 'give-back'): Promise<void> {
  for (const { identity } of APPROVERS.slice(0, 2)) {
    await approved(scene, caseId, decision, identity);
    const event = approvalsOf(scene.world);
    await scene.act('looks at approvals', () => decideStream(event, scene.world.deps('decider')));
  }
}

/** As API Gateway hands over what this identity signed. */
function signedAs(world: DepartureWorld, userId: string) {
  const requestContext = { authorizer: { iam: { userId } } };
  return {
    post: async (_path: string, body: object) => {
      const request = { body: JSON.stringify(body), isBase64Encoded: false, requestContext };
      const { body: answer = '{}' } = await approve(request, world.deps('approvals'));
      return { ...(JSON.parse(answer) as object) };
    },
  };
}

async function approved(
  { world, act, tap }: DepartureScene,
  caseId: string,
  decision: 'go-on' | 'give-back',
  userId: string,
) {
  const command = decision === 'go-on' ? 'case approve' : 'case give-back';
  const signed = signedAs(world, userId);
  await act(`${decision} by one of two`, () =>
    decideCase({ ...tap.command(command), signed }, caseId, decision, 'CHG-9'),
  );
}

/** What nobody can act on, accepted by the command; and the plan of the case that proves it again. */
async function accepted(scene: DepartureScene): Promise<void> {
  const { world, act, tap } = scene;
  const principals = [{ type: 'iam-user', arn: 'arn:aws:iam::999999999999:user/nina' }];
  const exposures = [{ asset: 'ring:no-such-ring', class: 'could-use', how: 'a stale row', since: 1 }];
  await imported(world, THIRD, principals, exposures);
  await send(world, { id: 'msg_10', workerId: THIRD });
  const caseId = metas(world).find(({ workerId }) => workerId === THIRD)?.caseId ?? '';
  await execute(world, caseId, 1).catch(() => undefined);
  await act('shows a case with open items', () => showCase(tap.command('case show'), caseId));
  const until = new Date((world.clock.now() + 7 * 86_400) * 1000).toISOString().slice(0, 10);
  for (const { identity } of APPROVERS.slice(0, 2)) {
    const signed = signedAs(world, identity);
    await act('accepts by one of two', () =>
      acceptItems({ ...tap.command('case accept'), signed }, caseId, { items: '01,02', until, reason: 'CHG-13' }),
    );
    const event = approvalsOf(world);
    await act('looks at approvals to accept', () => decideStream(event, world.deps('decider')));
  }
  await execute(world, caseId, 2);
  const linked = metas(world).find(({ provesAgain }) => provesAgain === caseId);
  world.clock.set(linked?.dueAt ?? 0);
  await tick(world.deps('ticker'));
  const request = { caseId: linked?.caseId ?? '', attempt: 1 };
  await act('lists what was accepted', () => planner({ ...request, step: 'list' }, world.deps('planner')));
  await conduct({ ...request, step: 'contained' }, world.deps('conductor'));
  await act('plans what was accepted', () => planner({ ...request, step: 'plan' }, world.deps('planner')));
}

/** One who was taken on again gets their subject back. */
async function readmitted(scene: DepartureScene, caseId: string): Promise<void> {
  const { world, act, tap } = scene;
  await execute(world, caseId, (await metaOf(world, caseId)).attempt);
  await strike(world, 60);
  // What the ticker folded by itself is not told again.
  world.tables.takeStream('inbox');
  await told(scene, 'takes on again', { workerId: OTHER, id: 'msg_9', type: 'worker.rehired' });
  for (const { identity } of APPROVERS.slice(0, 2)) {
    const signed = signedAs(world, identity);
    await act('readmits by one of two', () =>
      readmit({ ...tap.command('case readmit'), signed }, OTHER, `${RING}/other`, 'CHG-9'),
    );
    const event = approvalsOf(world);
    await act('looks at approvals', () => decideStream(event, world.deps('decider')));
  }
  const opens = metas(world).find(({ readmits }) => readmits !== undefined)?.caseId ?? '';
  await execute(world, opens, 1, ({ step, nn = '' }, run) => act(`${step} ${nn} of a readmission`, run));
}

async function givenBack(scene: DepartureScene, caseId: string): Promise<void> {
  const { world, act, tap } = scene;
  await act('lists cases', () => listCases(tap.command('case list'), undefined, WORKER));
  await act('lists open cases', () => listCases(tap.command('case list'), undefined, undefined));
  await act('explains a case', () => explainCase(tap.command('case explain'), caseId));
  await receiveWebhook(delivery(world, { id: 'msg_8', type: 'worker.rescinded' }), world.deps('intake'));
  await world.functions.invoke('case-folder', { workerId: WORKER });
  // One approval whose stream was lost: the ticker has it looked at.
  await approved(scene, caseId, 'give-back', APPROVERS[0].identity);
  world.tables.takeStream('approvals');
  world.clock.advance(61);
  await act('starts what is due and folds what was missed', () => tick(world.deps('ticker')));
  await decided(scene, caseId, 'give-back');
  const back = metas(world).find(({ givesBack }) => givesBack === caseId)?.caseId ?? '';
  await act('shows a case with votes', () => showCase(tap.command('case show'), back));
  const { personalKeyArn } = world;
  // As the conductor claims each thing before it has it opened.
  for (const { pk, sk } of world.tables.dump('cases').filter(({ sk }) => sk.startsWith('SHUT#'))) {
    const set = { openingBy: back, openingAt: world.clock.now() };
    await world.tables.transact([{ kind: 'update', table: 'cases', key: { pk, sk }, set, if: ROW_PRESENT }]);
  }
  await act('opens', () => releaseLatch({ userName: 'mallory', caseId: back }, world.deps('latch-release')));
  await act('opens', () =>
    enableKey({ op: 'enable-kms-key', kmsKeyArn: personalKeyArn, caseId: back }, world.deps('key-enabler')),
  );
  const subjects = [{ type: 'sub', value: 'mallory' }] as const;
  await act('opens', () => releaseSubjects({ ring: RING, subjects, caseId: back }, world.deps('subject-release')));
  await execute(world, back, 1, ({ step, nn = '' }, run) => act(`${step} ${nn} of a give-back`, run));
}

/** A responder has a key ended, and watches: the last look finds it proved. */
async function endedKey({ world, act, tap }: DepartureScene): Promise<void> {
  const { activeKid: kid = '' } = await ringOf(world);
  const ended = { ring: RING, kid, class: 'compromise', reason: 'CHG-9' } as const;
  const open = () => openTaint(ended, world.deps('taint-opener'));
  const { caseId } = await act('opens a case', open);
  await act('opens it again', open);
  await execute(world, caseId, 1);
  await act('looks how far it is', () => taintKey(tap.command('ring taint'), ended, () => undefined));
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
  const at = world.clock.now();
  await imported(world, WORKER, [], [{ asset: `ring:${RING}`, class: 'administers', how: 'x', since: 1 }]);
  await act('looks at what was imported', () =>
    fold({ imports: [{ workerId: WORKER, at }] }, world.deps('case-folder')),
  );
  await act('looks again at what is due', () => recheckDue(world.deps('rechecker')));
  await told(scene, 'opens a second case of one worker', { id: 'msg_6', effectiveAt: world.clock.now() + 60 });
  // The stream missed this one.
  await receiveWebhook(delivery(world, { id: 'msg_7', workerId: 'W-3' }), world.deps('intake'));
  const { followUp = '' } = await metaOf(world, caseId);
  world.clock.set((await metaOf(world, followUp)).dueAt);
  // One more approver, who goes again with the next tick.
  const approvers = [...APPROVERS, { workerId: 'W-0004', identity: 'AIDAAPPROVERFOU4' }];
  await act('starts what is due and folds what was missed', () =>
    tick({ ...world.deps('ticker'), config: { ...world.config, approvers } }),
  );
  // The second rotation finds a ring that has waves.
  await execute(world, followUp, 1, ({ step, nn = '' }, run) => act(`${step} ${nn}`, run));
}
