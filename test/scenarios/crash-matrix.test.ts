/**
 * D1: one life of a case (said by one voice, held, let go on by two, closed, given back by two, closed), in which the process
 * dies at any effect of any step, before it or after it, and is run again. It ends the same, each record is there once, and
 * the evidence holds.
 */
import { table } from '../../bin/edge/terminal';
import { approve } from '../../lambdas/approvals';
import { foldStream } from '../../lambdas/case-folder';
import { decideStream } from '../../lambdas/decider';
import { receiveWebhook } from '../../lambdas/intake';
import { checkManifest, checkOrder } from '../../lib/domain/audit/manifest';
import type { Decision } from '../../lib/domain/cases/approvals';
import { shownState } from '../../lib/domain/cases/case';
import type { StepRequest } from '../../lib/domain/deployment/messages';
import { counted, extent } from '../support/extent';
import { seeded, seedFor } from '../support/seeded';
import { APPROVERS, approvalsOf, before } from './approvers';
import { outstanding } from './departed';
import {
  allRecords,
  type DepartureWorld,
  delivery,
  departureWorld,
  drainOutboxes,
  execute,
  metaOf,
  metas,
} from './departure-world';
import { calmly, ringOf } from './signing-world';

/** Runs one step; whoever holds it decides whether it dies on the way. */
type Strike = <T>(world: DepartureWorld, step: string, run: () => Promise<T>) => Promise<T>;

async function life(strike: Strike): Promise<void> {
  const world = await departureWorld(calmly);
  const tokens = await outstanding(world);
  const step = <T>(name: string, run: () => Promise<T>) => strike(world, name, run);

  const said = delivery(world, { source: 'payroll' });
  await step('intake', () => receiveWebhook(said, world.deps('intake')));
  const Records = world.tables.takeStream('inbox').map(({ pk, sk }) => ({
    eventName: 'INSERT' as const,
    dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } } },
  }));
  await step('case-folder', () => foldStream({ Records }, world.deps('case-folder')));
  const caseId = metas(world)[0]?.caseId ?? '';
  await carryOut(world, caseId, 'held', step);
  expect(shownState(await metaOf(world, caseId))).toBe('HELD');

  await decideBoth(world, caseId, 'go-on', step);
  await carryOut(world, caseId, 'goes on', step);
  expect(shownState(await metaOf(world, caseId))).toBe('CLOSED');
  expect(world.iam.mayAct('mallory', 'AKIA1')).toBe(false);

  await decideBoth(world, caseId, 'give-back', step);
  const back = metas(world).find(({ givesBack }) => givesBack === caseId)?.caseId ?? '';
  await carryOut(world, back, 'give-back', step);
  await expectTheSame(world, [caseId, back], tokens.tokens.length);
}

async function carryOut(
  world: DepartureWorld,
  caseId: string,
  phase: string,
  step: <T>(name: string, run: () => Promise<T>) => Promise<T>,
): Promise<void> {
  const { attempt } = await metaOf(world, caseId);
  const via = async (request: StepRequest, run: () => Promise<unknown>) => {
    if (request.step === 'seal') await drainOutboxes(world);
    return step(`${phase}: ${request.step}${kindOf(world, request)}`, run);
  };
  await execute(world, caseId, attempt, via, (run) => step(`${phase}: resign`, run));
  await drainOutboxes(world);
}

function kindOf(world: DepartureWorld, { caseId, nn }: StepRequest): string {
  if (nn === undefined) return '';
  const row = world.tables.dump('cases').find(({ pk, sk }) => pk === `CASE#${caseId}` && sk.startsWith(`ITEM#${nn}#`));
  return ` ${row?.sk.split('#')[2]}`;
}

async function decideBoth(
  world: DepartureWorld,
  caseId: string,
  decision: Decision,
  step: <T>(name: string, run: () => Promise<T>) => Promise<T>,
): Promise<void> {
  for (const [n, { identity }] of APPROVERS.slice(0, 2).entries()) {
    const body = { caseId, decision, reason: 'CHG-12', ...(await before(world, caseId, decision)) };
    const requestContext = { authorizer: { iam: { userId: identity } } };
    const request = { body: JSON.stringify(body), isBase64Encoded: false, requestContext };
    await step(`${decision}: approval ${n + 1}`, () => approve(request, world.deps('approvals')));
    const event = approvalsOf(world);
    await step(`${decision}: decider ${n + 1}`, () => decideStream(event, world.deps('decider')));
  }
}

async function expectTheSame(world: DepartureWorld, cases: readonly string[], tokens: number): Promise<void> {
  expect(metas(world).map(({ state, givenBackAt }) => [state, givenBackAt !== undefined])).toEqual(
    expect.arrayContaining([
      ['CLOSED', true],
      ['CLOSED', false],
    ]),
  );
  expect(metas(world)).toHaveLength(3);
  expect(['AKIA1', 'AKIA2'].map((key) => world.iam.mayAct('mallory', key))).toEqual([true, true]);
  const { keys } = await ringOf(world);
  expect(keys.filter(({ state }) => state === 'DENIED')).toHaveLength(2);
  expect(keys.filter(({ kmsState }) => kmsState === 'Enabled').map(({ state }) => state)).toEqual(['ACTIVE']);
  // The legacy key goes while the case is held, the key that its five tokens were signed under once it goes on.
  const resigned = world.tables.dump('ledger').filter(({ resignOf }) => resignOf !== undefined);
  expect([new Set(resigned.map(({ sk }) => sk)).size, resigned.length]).toEqual([tokens, tokens + 5]);
  expect(world.tables.dump('cases').filter(({ sk }) => sk.startsWith('SHUT#'))).toEqual([]);
  const all = allRecords(world);
  const ids = all.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const caseId of cases) {
    checkManifest(all, caseId);
    checkOrder(all, caseId);
  }
}

interface Death {
  /** Which step of the life, and at which of its effects. */
  readonly step: number;
  readonly effect: number;
  readonly mode: 'before' | 'after';
}

/** How many effects each step has where nobody dies. */
async function measured(): Promise<readonly { readonly name: string; readonly effects: number }[]> {
  const steps: { name: string; effects: number }[] = [];
  await life(async (world, name, run) => {
    world.faults.restart();
    try {
      return await run();
    } finally {
      steps.push({ name, effects: world.faults.effects.length });
    }
  });
  return steps;
}

/** Answers how many of the deaths there were. */
async function lived(deaths: readonly Death[]): Promise<number> {
  let now = 0;
  let died = 0;
  await life(async (world, _name, run) => {
    const death = deaths.find(({ step }) => step === now);
    now++;
    if (death === undefined) return run();
    world.faults.crashAt(death.effect, death.mode);
    const [outcome] = await Promise.allSettled([run()]);
    const isDead = world.faults.crashed;
    world.faults.restart();
    if (isDead) died++;
    if (isDead) return run();
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
  return died;
}

test('D1: killed at any effect of any step, a case ends the same', async () => {
  const steps = await measured();
  const all: Death[] = steps.flatMap(({ effects }, step) =>
    Array.from({ length: effects }, (_, n) => n + 1).flatMap((effect) =>
      (['before', 'after'] as const).map((mode) => ({ step, effect, mode })),
    ),
  );
  // By day one in so many, which by the seed; at night each of them.
  const draw = seeded(seedFor('crash matrix'));
  const some = extent(4, all.length);
  const chosen =
    some === all.length ? all : Array.from({ length: some }, () => all[Math.floor(draw() * all.length)] as Death);
  const killed = new Map<string, [number, number]>();
  let missed = 0;
  for (const death of chosen) {
    const name = steps[death.step]?.name ?? '';
    const what = `${name}, ${death.mode} effect ${death.effect}`;
    const died = await lived([death]).catch((cause: unknown) => {
      throw new Error(`killed at step ${death.step}, ${what}`, { cause });
    });
    // A step that asks until an answer is stable may ask less often than when it was measured.
    if (died === 0) {
      missed++;
      continue;
    }
    const [first, last] = killed.get(name) ?? [0, 0];
    killed.set(name, death.mode === 'before' ? [first + 1, last] : [first, last + 1]);
  }

  // Two deaths in one life, of two steps that need not have to do with each other.
  const twice = extent(1, 200);
  let both = 0;
  for (let n = 0; n < twice; n++) {
    const pair = [0, 1].map(() => all[Math.floor(draw() * all.length)] as Death);
    both += await lived(pair).catch((cause: unknown) => {
      throw new Error(`killed twice: ${JSON.stringify(pair)}`, { cause });
    });
  }
  expect(both).toBeGreaterThanOrEqual(twice);
  expect(missed).toBeLessThan(chosen.length / 10 + 1);

  const names = [...new Set(steps.map(({ name }) => name))];
  const rows = names.map((name) => {
    const [first, last] = killed.get(name) ?? [0, 0];
    const effects = steps.filter((one) => one.name === name).reduce((sum, one) => sum + one.effects, 0);
    return [name, String(effects), String(first), String(last), first + last === 0 ? '-' : 'all'];
  });
  if (chosen === all)
    process.stdout.write(`${table(['step', 'effects', 'killed before', 'killed after', 'ended the same'], rows)}\n`);
  const single = `${counted(chosen.length - missed)} of ${counted(all.length)} single deaths`;
  const figures = `${single} (${missed} not reached), ${counted(twice)} double ones`;
  process.stdout.write(`crash matrix: ${figures}, all ended the same\n`);
}, 3_600_000);
