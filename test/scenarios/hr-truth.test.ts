/**
 * S-A9: a departure said, moved, taken back, said anew, a transfer, somebody taken on again, in any order and at any time.
 * What counts in the end is what HR said last before the day came; and nothing that was shut opens by itself.
 */
import { importPeople } from '../../lambdas/people-import';
import { tick } from '../../lambdas/ticker';
import { isCurfewError } from '../../lib/domain/base/errors';
import { counted, extent } from '../support/extent';
import { seeded, seedFor } from '../support/seeded';
import { type DepartureWorld, departureWorld, execute, metas, send } from './departure-world';
import { calmly } from './signing-world';

const DAY = 86_400;
const NINA = 'W-77';

async function company(): Promise<DepartureWorld> {
  const world = await departureWorld(calmly);
  const arn = world.iam.addUser('nina', { accessKeyIds: ['AKIANINA'], loginProfile: true });
  const workers = [{ workerId: NINA, principals: [{ type: 'iam-user', arn }], exposures: [] }];
  await importPeople({ workers }, world.deps('people-import'), 'AIDAIMPORTER0001');
  return world;
}

/** What HR means, kept by whoever reads it: the day that stands, and whether one has come since they were last taken on. */
class Truth {
  day: number | undefined;
  hasLeft = false;

  said(what: string, at: number, now: number): void {
    // A departure that has begun is a snapshot: another day of it, or none, is asked about, and changes nothing by itself. But
    // a day that HR named meanwhile, and has not taken back, is a new departure if they are taken on again before it.
    if (what === 'worker.rehired' && this.hasLeft) {
      this.hasLeft = false;
      if (this.day !== undefined && this.day <= now) this.day = undefined;
    }
    if (what === 'worker.terminated') this.day = at;
    if (what === 'worker.rescinded') this.day = undefined;
    this.pass(now);
  }

  pass(now: number): void {
    if (this.hasLeft || this.day === undefined || this.day > now) return;
    this.hasLeft = true;
    this.day = undefined;
  }
}

/** As whoever takes them on again does, by hand. */
async function openByHand(world: DepartureWorld): Promise<void> {
  world.iam.reactivateAccessKey('nina', 'AKIANINA');
  await world.iam.detachDenyPolicy('nina');
  await world.iam.untagLeaver('nina');
}

/** Each case that has begun is carried out; one that is held stays so. */
async function carryOut(world: DepartureWorld): Promise<void> {
  await tick(world.deps('ticker'));
  for (const { caseId, attempt, state } of metas(world)) {
    if (state === 'OPEN' || state === 'CLOSED' || attempt === 0) continue;
    await execute(world, caseId, attempt).catch((error: unknown) => {
      if (!isCurfewError(error)) throw error;
    });
  }
}

interface Outcome {
  readonly told: readonly string[];
  readonly isShut: boolean;
  readonly differs: boolean;
  readonly opened: number;
  readonly returned: number;
}

async function interleaving(seed: number): Promise<Outcome> {
  const draw = seeded(seed);
  const upTo = (n: number) => Math.floor(draw() * n);
  const world = await company();
  const truth = new Truth();
  const start = world.clock.now();
  const told: string[] = [];
  let opened = 0;
  let wasShut = false;
  let returned = 0;
  const look = async () => {
    await carryOut(world);
    truth.pass(world.clock.now());
    const isShut = !world.iam.mayAct('nina', 'AKIANINA');
    if (wasShut && !isShut) opened++;
    wasShut = isShut;
  };
  for (let n = 0; n < 3 + upTo(6); n++) {
    const now = world.clock.now();
    // Nobody is taken on again before all that their leaving asked for is over.
    const mayReturn = truth.hasLeft && metas(world).every(({ state }) => state === 'CLOSED');
    const kinds = ['worker.terminated', 'worker.terminated', 'worker.rescinded', 'worker.transferred'];
    const type = (mayReturn ? [...kinds, 'worker.rehired'] : kinds)[upTo(mayReturn ? 5 : 4)] ?? '';
    const leaving = now + upTo(4) * 2 * DAY;
    const named = type === 'worker.rescinded' ? truth.day : now;
    const at = type === 'worker.terminated' ? leaving : (named ?? now);
    await send(world, { workerId: NINA, type, effectiveAt: at, id: `said_${n}` });
    truth.said(type, at, now);
    if (type === 'worker.rehired') {
      await openByHand(world);
      wasShut = false;
      returned++;
    }
    told.push(`${((now - start) / DAY).toFixed(1)}: ${type} ${((at - start) / DAY).toFixed(1)}`);
    await look();
    world.clock.advance(upTo(4) * DAY + 60);
    await look();
  }
  world.clock.advance(40 * DAY);
  await look();
  return { told, isShut: wasShut, differs: wasShut !== truth.hasLeft, opened, returned };
}

test('S-A9: in whatever order HR says it, access ends if a leaving day has come, and never opens by itself', async () => {
  const many = extent(25, 2000);
  const first = seedFor('what HR means');
  let opened = 0;
  const wrong: string[] = [];
  let returned = 0;
  for (let n = 0; n < many; n++) {
    const outcome = await interleaving(first + n);
    opened += outcome.opened;
    returned += outcome.returned;
    if (outcome.differs)
      wrong.push(`seed ${first + n}, ${outcome.isShut ? 'shut' : 'open'}: ${outcome.told.join(', ')}`);
  }
  process.stdout.write(
    `S-A9: ${counted(many)} interleavings, ${returned} of them taken on again, ${wrong.length} end otherwise than HR said, ${opened} opened by themselves\n`,
  );
  expect(wrong).toEqual([]);
  expect(opened).toBe(0);
  expect(returned).toBeGreaterThan(0);
}, 3_600_000);
