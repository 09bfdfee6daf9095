/** Random lives by seed, and the shortest life that still violates what a longer one did. */

import { RESTS_FOR } from '../../../lib/domain/rings/obstacles';
import { PREPARED_FOR } from '../../../lib/domain/rings/rotation';
import { seeded } from '../seeded';
import { type Action, type Kind, Life } from './life';
import type { Rules } from './world';

export interface Violation {
  readonly sentence: string;
  readonly seed: number;
  readonly states: number;
  readonly actions: readonly Action[];
}

export interface Walked {
  readonly lives: number;
  readonly states: number;
  readonly violation?: Violation;
}

const ACTIONS_A_LIFE = 500;

/** Weights of what happens, times this; 0 for what a search can do without. */
export type Often = Partial<Record<Kind | Event, number>>;

export interface Walk {
  readonly seed: number;
  readonly states: number;
  readonly rules?: Rules;
  readonly wanted?: string;
  readonly often?: Often;
}

/** Lives until so many states were judged, or until `wanted` (any sentence by default) does not hold. */
export function walk(given: Walk): Walked {
  let states = 0;
  for (let lives = 1; ; lives++) {
    const seed = given.seed + lives - 1;
    const { violation, judged } = live(seed, given);
    states += judged;
    if (violation) return { lives, states, violation: { ...violation, states } };
    if (states >= given.states) return { lives, states };
  }
}

function live(seed: number, { rules, wanted, often }: Walk) {
  const random = seeded(seed);
  const temper = temperOf(random, often);
  const life = new Life(rules);
  const actions: Action[] = [];
  let pids = 0;
  let mover = -1;
  for (let n = 0; n < ACTIONS_A_LIFE; n++) {
    const action = choose(life, { random, temper, pid: () => pids++, mover });
    if (action.do === 'move') mover = action.pid;
    actions.push(action);
    const sentence = life.apply(action).find((found) => wanted === undefined || found.startsWith(wanted));
    if (sentence) return { violation: { sentence, seed, states: life.states, actions }, judged: life.states };
  }
  return { judged: life.states };
}

/** Leaves out what the violation does not need: halves first, then ever smaller pieces, as long as it stays. */
export function shortest({ actions, sentence, seed }: Violation, rules?: Rules): Violation {
  let kept = [...actions];
  for (let size = kept.length >> 1; size >= 1; size = size >> 1)
    for (let at = kept.length - size; at >= 0; at -= size) {
      const without = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (violates(without, sentence, rules)) kept = without;
      at = Math.min(at, kept.length);
    }
  return { actions: kept, sentence, seed, states: kept.length };
}

function violates(actions: readonly Action[], sentence: string, rules: Rules | undefined): boolean {
  const life = new Life(rules);
  return actions.some((action) => life.apply(action).includes(sentence));
}

/** One action a line, as it came to the violation. */
export function tell({ actions, sentence, seed }: Violation, rules?: Rules): string {
  const life = new Life(rules);
  const lines = actions.map((action) => {
    const said =
      'pid' in action && action.do !== 'start' ? `${action.do} ${life.says(action.pid)}` : JSON.stringify(action);
    const at = life.world.now;
    const found = life.apply(action);
    return `  ${at}  ${said}${found.length > 0 ? `  => ${[...new Set(found)].join('; ')}` : ''}`;
  });
  return [`seed ${seed}: ${sentence}`, ...lines].join('\n');
}

type Random = () => number;
const pick = <T>(from: readonly T[], random: Random): T => from[Math.floor(random() * from.length)] as T;

/** What happens often in one life and seldom in another: each mixture finds what the others pass by. */
interface Temper {
  readonly starts: readonly (readonly [Kind, number])[];
  readonly events: readonly (readonly [Event, number])[];
  /** How often the process that moved last moves again: what the others read is old by the time they go on. */
  readonly goesOn: number;
  /** How often a process is answered all its reads at once. */
  readonly reads: number;
}
type Event = 'move' | 'start' | 'crash' | 'origin' | 'tamper' | 'tick alone' | 'two emergencies' | 'clock';

const STARTS: readonly (readonly [Kind, number])[] = [
  ['tick', 10],
  ['issue', 16],
  ['departure', 6],
  ['heartbeat', 2],
  ['rotate', 3],
  ['halt', 0.5],
  ['resume', 0.7],
  ['close', 0.2],
];
const EVENTS: readonly (readonly [Event, number])[] = [
  ['move', 80],
  ['start', 12],
  ['crash', 2],
  ['origin', 1],
  ['tamper', 0.5],
  ['tick alone', 1.5],
  ['two emergencies', 0.5],
  ['clock', 6],
];
const AT_ONCE = 4;

function temperOf(random: Random, often: Often = {}): Temper {
  const swayed = <T extends Kind | Event>(from: readonly (readonly [T, number])[]) =>
    from.map(([what, weight]) => [what, weight * pick([0.2, 1, 1, 4], random) * (often[what] ?? 1)] as const);
  return {
    starts: swayed(STARTS),
    events: swayed(EVENTS),
    goesOn: pick([0, 0.6, 0.9], random),
    reads: pick([0.4, 0.9], random),
  };
}

interface Choice {
  readonly random: Random;
  readonly temper: Temper;
  readonly pid: () => number;
  readonly mover: number;
}

function choose(life: Life, { random, temper, pid, mover }: Choice): Action {
  const { world, processes } = life;
  const isBorn = (world.ring()?.activations ?? 0) > 0;
  const runnable = [...processes.values()].filter(({ stop }) => world.now >= (stop.wakeAt ?? 0));
  // A ring is born by one rotator at a time, however often that one dies.
  if (!isBorn && processes.size === 0) return { do: 'start', pid: pid(), kind: 'birth' };

  const event = weighted(temper.events, random);
  switch (event) {
    case 'move': {
      if (runnable.length === 0) break;
      const goesOn = runnable.find((process) => process.pid === mover && random() < temper.goesOn);
      return { do: 'move', pid: (goesOn ?? pick(runnable, random)).pid, on: random() < temper.reads };
    }
    case 'start': {
      if (!isBorn || processes.size >= AT_ONCE) break;
      const kind = weighted(temper.starts, random);
      if (kind !== 'departure') return { do: 'start', pid: pid(), kind };
      const of = pick(['active', 'old', 'both'] as const, random);
      return { do: 'start', pid: pid(), kind, taint: pick(['compromise', 'planned'] as const, random), of };
    }
    case 'crash':
      if (processes.size === 0) break;
      // Often right after what it did last: nobody then knows of that.
      return { do: 'crash', pid: processes.has(mover) && random() < 0.5 ? mover : pick([...processes.keys()], random) };
    case 'origin':
      return { do: 'origin', up: world.stale !== undefined };
    case 'tamper':
      return { do: 'tamper', what: pick(['enable', 'policy'] as const, random) };
    case 'tick alone':
    case 'two emergencies':
      if (isBorn) return { do: event };
      break;
    case 'clock':
      return { do: 'clock', seconds: jump(life, random) };
  }
  return choose(life, { random, temper, pid, mover });
}

/** Often to an instant that something depends on, or a second to either side of it. */
function jump({ world, processes }: Life, random: Random): number {
  const ring = world.ring();
  if (!ring || random() < 0.5) return pick([1, 1, 2, 5, 9, 10, 16, 70, 301], random);
  const { cfg } = ring;
  const instants = ring.keys
    .flatMap((key) => [
      (key.activatedAt ?? 0) + cfg.periodSeconds,
      (key.confirmedAt ?? 0) + cfg.propagationSeconds + cfg.cacheSeconds,
      (key.deactivatedAt ?? 0) + cfg.drainSeconds,
      (key.preparedAt ?? 0) + PREPARED_FOR,
      (key.disabledAt ?? 0) + RESTS_FOR,
      key.signUntil,
      key.signUntil - cfg.maxTtlSeconds,
      key.verifyUntil,
    ])
    .concat([...processes.values()].map(({ stop }) => stop.wakeAt ?? 0))
    .map((instant) => instant + pick([-1, 0, 1], random))
    .filter((instant) => instant > world.now)
    .sort((a, b) => a - b);
  // Mostly a near one: what is under way must not always be over.
  const reachable = random() < 0.8 ? instants.slice(0, 3) : instants;
  return reachable.length > 0 ? pick(reachable, random) - world.now : 1;
}

function weighted<T>(from: readonly (readonly [T, number])[], random: Random): T {
  let left = random() * from.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of from) {
    left -= weight;
    if (left <= 0) return value;
  }
  return (from[0] as readonly [T, number])[0];
}
