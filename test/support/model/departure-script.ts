/**
 * Mirrors lambdas/taint.ts, and the steps around it in lib/work/cases/taint-steps.ts, in the order of steps.ts.
 * A state machine leads through them: what fails, or dies, is tried again from the step it was in.
 */
import { CurfewError, isCurfewError } from '../../../lib/domain/base/errors';
import { halt as haltRing } from '../../../lib/domain/rings/life';
import type { Ring } from '../../../lib/domain/rings/ring';
import { deny, type TaintTarget, taint } from '../../../lib/domain/rings/taint';
import type { Write } from '../../../lib/domain/store/table';
import { load } from './birth-script';
import { finish, invokePublisher, prepare, transact } from './rotator-script';
import { read, type Script, waitUntil } from './script';
import { resign } from './token-scripts';
import { MODEL_CFG, type ModelWorld } from './world';

const RACES_MAX = 5;
const RETRY_SECONDS = 5;

export const DEPARTURE_STEPS = ['prepare', 'taint', 'drain', 'disable old', 'resign', 'resign again', 'deny'] as const;
type Step = (typeof DEPARTURE_STEPS)[number];

export class Departure {
  private step: Step = 'prepare';
  private successor: string | undefined;
  private settled: string | undefined;

  constructor(
    private readonly world: ModelWorld,
    private readonly targets: readonly TaintTarget[],
    /** The ACTIVE key is among them, as the plan was frozen. */
    private readonly replace: boolean,
    private readonly caseId: string,
  ) {}

  /** From the step it is in to the end of the case. */
  *run(): Script {
    while (this.step !== 'deny' || !(yield* this.take('deny'))) {
      if (this.step !== 'deny' && (yield* this.take(this.step)))
        this.step = DEPARTURE_STEPS[DEPARTURE_STEPS.indexOf(this.step) + 1] as Step;
    }
  }

  /** Up to where the new key issues: what must not have to wait. */
  *replaceNow(): Script {
    if (this.replace) this.successor = yield* prepare(this.world);
    yield* this.taint();
  }

  private *take(step: Step): Script<boolean> {
    try {
      return yield* this.act(step);
    } catch (error) {
      if (!isCurfewError(error)) throw error;
      // A next attempt prepares again: by then a tick may have disabled what was prepared.
      if (step === 'taint') this.step = 'prepare';
      yield* waitUntil(this.world.now + RETRY_SECONDS);
      return false;
    }
  }

  private *act(step: Step): Script<boolean> {
    const { world } = this;
    switch (step) {
      case 'prepare':
        if (this.replace) this.successor = yield* prepare(world);
        return true;
      case 'taint':
        yield* this.taint();
        return true;
      case 'drain':
        yield* waitUntil(world.now + MODEL_CFG.drainSeconds);
        return true;
      case 'disable old':
        if (world.rules.takes('disable before deny')) yield* this.disableOld();
        return true;
      case 'resign':
        for (const { kid } of this.targets) yield* resign(world, kid);
        return true;
      case 'resign again': {
        this.settled = undefined;
        const passes = [];
        for (const { kid } of this.targets) passes.push(yield* resign(world, kid));
        if (passes.some(({ found }) => found > 0)) return false;
        this.settled = passes[0]?.toKid;
        return true;
      }
      case 'deny':
        return yield* this.deny();
    }
  }

  private *taint(): Script {
    const { world, targets, successor, caseId } = this;
    yield* read('functions.invoke', 'taint taint', () => undefined);
    yield* inTurn(world, (ring) => taint(ring, targets, this.replace ? successor : undefined, caseId, world.now), true);
    yield* invokePublisher(world);
  }

  private *disableOld(): Script {
    const enabled = yield* finish(this.world, this.successor);
    if (this.targets.some(({ kid }) => enabled.includes(kid)))
      throw new CurfewError('ERR_NOT_PROVED', 'a tainted key still signs');
  }

  /** Only after two passes towards the key that issues now. False: there is more to re-sign. */
  private *deny(): Script<boolean> {
    const { world, targets } = this;
    let denied = true;
    yield* read('functions.invoke', 'taint deny', () => undefined);
    for (const { kid } of targets)
      yield* inTurn(world, (ring) => {
        const wave = ring.waves.find(({ fromKid }) => fromKid === kid);
        if (wave?.state !== 'OPEN') return [];
        if (wave.toKid === this.settled) return deny(ring, kid, RESULT, world.now);
        denied = false;
        return [];
      });
    yield* load(world);
    yield* invokePublisher(world);
    if (!denied) this.step = 'resign';
    return denied;
  }
}

const RESULT = { passes: 2, source: 0, done: 0, excluded: {}, root: '' };

/** `op: 'halt'` and `op: 'resume'` */
export function* halt(world: ModelWorld, halted: boolean): Script {
  yield* inTurn(world, (ring) => haltRing(ring, halted, 'a test', world.now), true);
}

/** Load, decide, write, and `readBack`; again where somebody else moved the fence meanwhile. */
function* inTurn(world: ModelWorld, decide: (ring: Ring) => readonly Write[], readBack = false): Script {
  for (let n = 1; ; n++) {
    try {
      const writes = decide(yield* load(world));
      if (writes.length > 0) yield* transact(world, writes);
      if (readBack) yield* load(world);
      return;
    } catch (error) {
      if (!isCurfewError(error, 'ERR_CONDITION_FAILED') || n === RACES_MAX) throw error;
    }
  }
}
