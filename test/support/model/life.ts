/**
 * One life of a ring: whoever acts on it, one call at a time, in an order that a list of actions says. The same list is
 * the same life, so a violation can be replayed, and shortened.
 */
import { isCurfewError } from '../../../lib/domain/base/errors';
import { close, createRing } from '../../../lib/domain/rings/life';
import { RESTS_FOR } from '../../../lib/domain/rings/obstacles';
import type { Ring, TaintClass } from '../../../lib/domain/rings/ring';
import { load } from './birth-script';
import { Departure, halt } from './departure-script';
import { SENTENCES, standing, unsettled, Watch } from './invariants';
import { publish } from './publisher-script';
import { applyPlan, rotateNow, tick, transact } from './rotator-script';
import { type Script, type Stop, sayStop } from './script';
import { issue } from './token-scripts';
import { MODEL_CFG, ModelWorld, RING, type Rules } from './world';

export type Kind = 'birth' | 'tick' | 'rotate' | 'departure' | 'issue' | 'heartbeat' | 'halt' | 'resume' | 'close';

/** Which keys a custodian who leaves had the use of. */
type Whose = 'active' | 'old' | 'both';

export type Action =
  | {
      readonly do: 'start';
      readonly pid: number;
      readonly kind: Kind;
      readonly taint?: TaintClass;
      readonly of?: Whose;
    }
  /** One call; `on` through the reads that follow it. */
  | { readonly do: 'move'; readonly pid: number; readonly on: boolean }
  | { readonly do: 'crash'; readonly pid: number }
  | { readonly do: 'clock'; readonly seconds: number }
  | { readonly do: 'origin'; readonly up: boolean }
  | { readonly do: 'tick alone' }
  | { readonly do: 'two emergencies' }
  | { readonly do: 'tamper'; readonly what: 'enable' | 'policy' };

export interface Process {
  readonly pid: number;
  readonly kind: Kind;
  script: Script;
  stop: Stop;
  /** When its Lambda was called, and when it sent what it waits for. */
  since: number;
  sentAt: number;
  /** A state machine starts it again where it died. */
  readonly again?: () => Script;
}

/** Seconds a Lambda lives; the issuer's is less than the drain. */
const TIMEOUT: Readonly<Record<Kind, number>> = {
  birth: 180,
  tick: 180,
  rotate: 180,
  departure: 180,
  issue: MODEL_CFG.drainSeconds - 5,
  heartbeat: 30,
  halt: 30,
  resume: 30,
  close: 180,
};
/** What is sent lands within the skew of the clock it was decided by, or not at all. */
const LANDS_WITHIN = MODEL_CFG.skewSeconds;
/** Whatever was left half done, or is due, is over after these: both STANDBYs are old enough to sign. */
const UNDISTURBED_TICKS = 3;
const WHOLE = 5000;

export class Life {
  readonly world: ModelWorld;
  readonly processes = new Map<number, Process>();
  /** Calls that changed something, deaths and movements of the clock: each leaves a state to judge. */
  states = 0;
  private readonly watch: Watch;

  constructor(rules?: Rules) {
    this.world = new ModelWorld(rules);
    this.watch = new Watch(this.world);
    this.world.transact(createRing(RING, MODEL_CFG, this.world.now));
  }

  /** Acts, and answers the sentences that do not hold afterwards. */
  apply(action: Action): string[] {
    switch (action.do) {
      case 'start':
        this.start(action);
        return [];
      case 'move':
        return this.move(action.pid, action.on);
      case 'crash':
        return this.crash(action.pid);
      case 'clock':
        this.advance(action.seconds);
        return this.judged();
      case 'origin':
        this.world.stale = action.up ? undefined : this.world.served();
        return this.judged();
      case 'tick alone':
        return this.tickAlone();
      case 'two emergencies':
        return this.twoEmergencies();
      case 'tamper':
        return this.tamper(action.what);
    }
  }

  /** What a process is about to do, for a trace. */
  says(pid: number): string {
    const process = this.processes.get(pid);
    return process ? `${process.kind} ${pid}: ${sayStop(process.stop)}` : `${pid} is over`;
  }

  private judged(): string[] {
    this.states++;
    return this.watch.violated();
  }

  private start({ pid, kind, taint, of = 'active' }: Extract<Action, { do: 'start' }>): void {
    const { world } = this;
    const ring = world.ring();
    const since = world.now;
    let again: (() => Script) | undefined;
    if (kind === 'departure') {
      const kids = ring ? exposed(ring, of) : [];
      if (ring?.activeKid === undefined || kids.length === 0) return;
      const targets = kids.map((kid) => ({ kid, class: taint ?? 'planned', reason: 'a custodian left' }));
      const departure = new Departure(world, targets, kids.includes(ring.activeKid), `c-${pid}`);
      again = () => departure.run();
    }
    const script = again?.() ?? scriptOf(kind, world);
    const stop = step(script);
    if (stop) this.processes.set(pid, { pid, kind, script, stop, since, sentAt: since, again });
  }

  private move(pid: number, on: boolean): string[] {
    const process = this.processes.get(pid);
    if (!process || this.world.now < (process.stop.wakeAt ?? 0)) return [];
    for (;;) {
      const { call, isRead } = process.stop;
      if (process.stop.wakeAt !== undefined) process.since = this.world.now;
      this.world.kms.caller = pid;
      const stop = step(process.script);
      this.world.kms.caller = undefined;
      // The queries of one load are sent at once.
      if (stop && stop.call !== call) process.sentAt = this.world.now;
      if (stop) process.stop = stop;
      else this.ends(pid);
      const found = isRead ? [...this.world.broken.splice(0)] : this.judged();
      if (found.length > 0 || !stop || !on || !stop.isRead || stop.wakeAt !== undefined) return found;
    }
  }

  private crash(pid: number): string[] {
    const process = this.processes.get(pid);
    if (!process) return [];
    this.ends(pid);
    if (process.again) {
      const script = process.again();
      const stop = step(script);
      const since = this.world.now;
      if (stop) this.processes.set(pid, { ...process, script, stop, since, sentAt: since });
    }
    return this.judged();
  }

  private ends(pid: number): void {
    this.processes.delete(pid);
    this.world.kms.creatorIsGone(pid);
  }

  private advance(seconds: number): void {
    const { world } = this;
    world.now += seconds;
    for (const { pid, kind, since, sentAt, stop } of [...this.processes.values()]) {
      if (stop.wakeAt !== undefined) continue;
      if (world.now > since + TIMEOUT[kind] || world.now > sentAt + LANDS_WITHIN) this.crash(pid);
    }
  }

  /** Nobody else moves while it runs; what others have under way lands afterwards. */
  private tickAlone(): string[] {
    const { found, refusal } = this.runAlone(tick(this.world));
    if (!refusal) this.world.kms.wasLookedAt();
    if (found.length > 0 || refusal) return found;
    return unsettled(this.world);
  }

  /** Two custodians leave at once, of a ring that was left alone for some minutes: neither has to wait. */
  private twoEmergencies(): string[] {
    const { world } = this;
    if (world.ring()?.closingAt !== undefined || world.stale) return [];
    for (let n = 0; n < UNDISTURBED_TICKS; n++) {
      const { found, refusal } = this.runAlone(tick(world));
      if (found.length > 0 || refusal) return found;
      this.advance(Math.max(MODEL_CFG.propagationSeconds + MODEL_CFG.cacheSeconds, RESTS_FOR));
    }
    // After a long silence a STANDBY may have come to its end between two ticks; the next one replaces it.
    if (world.ring()?.keys.some(({ state, signUntil }) => state === 'STANDBY' && world.now >= signUntil)) return [];
    for (const caseId of ['c-one', 'c-two']) {
      const kid = world.ring()?.activeKid;
      if (kid === undefined) return [];
      const targets = [{ kid, class: 'compromise', reason: 'a custodian left' }] as const;
      const { found, refusal } = this.runAlone(new Departure(world, targets, true, caseId).replaceNow());
      if (found.length > 0) return found;
      if (isCurfewError(refusal, 'ERR_NO_SUCCESSOR')) return [SENTENCES.emergencies];
    }
    return [];
  }

  private runAlone(script: Script): { readonly found: string[]; readonly refusal?: unknown } {
    try {
      for (let next = script.next(), n = 0; !next.done; next = script.next(), n++) {
        if (n > WHOLE) throw new Error('a script of the model does not end');
        if (next.value.wakeAt !== undefined) this.world.now = Math.max(this.world.now, next.value.wakeAt);
        const found = next.value.isRead ? [] : this.judged();
        if (found.length > 0) return { found };
      }
      return { found: this.judged() };
    } catch (error) {
      if (!isCurfewError(error)) throw error;
      return { found: this.judged(), refusal: error };
    }
  }

  /** What an administrator does to the oldest STANDBY behind our back. */
  private tamper(what: 'enable' | 'policy'): string[] {
    const { world } = this;
    const [key] = standing(world, world.ring() as NonNullable<ReturnType<ModelWorld['ring']>>);
    if (!key?.kmsKeyArn) return [];
    const policy = world.kms.key(key.kmsKeyArn).policy.replace('"NoGrantNoReplica"', '"Changed"');
    world.kms.tamper(key.kmsKeyArn, what === 'enable' ? { state: 'Enabled' } : { policy });
    return this.judged();
  }
}

function* firstPlan(world: ModelWorld): Script {
  yield* applyPlan(world);
}

function exposed({ keys, activeKid }: Ring, of: Whose): string[] {
  const old = keys.filter(({ state }) => state === 'VERIFY_ONLY').map(({ kid }) => kid);
  if (of === 'old') return old.slice(0, 1);
  return [...(activeKid === undefined ? [] : [activeKid]), ...(of === 'both' ? old : [])];
}

function scriptOf(kind: Kind, world: ModelWorld): Script {
  switch (kind) {
    case 'birth':
      return firstPlan(world);
    case 'tick':
      return tick(world);
    case 'rotate':
      return rotateNow(world, world.ring()?.activeKid ?? '');
    case 'issue':
      return issue(world);
    case 'heartbeat':
      return publish(world);
    case 'halt':
      return halt(world, true);
    case 'resume':
      return halt(world, false);
    case 'close':
      return closing(world);
    case 'departure':
      throw new Error('a departure is started with its targets');
  }
}

/** What `bear` does of a ring whose configuration says `closing`. */
function* closing(world: ModelWorld): Script {
  yield* transact(world, close(yield* load(world), true, world.now));
  yield* applyPlan(world);
}

/** To the next stop; undefined where the process has ended, well or with a refusal of its own. */
function step(script: Script): Stop | undefined {
  try {
    const next = script.next();
    return next.done ? undefined : next.value;
  } catch (error) {
    if (isCurfewError(error)) return undefined;
    throw error;
  }
}
