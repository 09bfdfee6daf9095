/** Time as a test sets it: it stands still until it is moved. */
import type { Clock } from '../ports';

export class SettableClock implements Clock {
  constructor(protected seconds: number) {}

  /** Whole seconds, as every clock of ours: a wait of half a second moves it every other time. */
  now(): number {
    return Math.floor(this.seconds);
  }

  async sleep(seconds: number): Promise<void> {
    this.advance(seconds);
  }

  set(seconds: number): void {
    this.seconds = seconds;
  }

  advance(seconds: number): void {
    this.seconds += seconds;
  }
}

/** Every so many turns of the event loop without a new sleeper nobody is left who would run before time moves. */
const IDLE_TURNS = 3;

/**
 * Time for many who run beside each other: who sleeps, sleeps until that instant, and time moves to the next instant
 * only when everybody sleeps. `run` is the whole simulation; what still sleeps when it ends is forgotten.
 */
export class SharedClock extends SettableClock {
  private sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  override sleep(seconds: number): Promise<void> {
    return new Promise((wake) => {
      this.sleepers.push({ at: this.seconds + seconds, wake });
    });
  }

  async run<T>(simulation: () => Promise<T>): Promise<T> {
    let isOver = false;
    const outcome = simulation().finally(() => {
      isOver = true;
    });
    // Whoever awaits `outcome` below hears of a failure; until then it must not count as unheard.
    outcome.catch(() => {});
    while (!isOver) {
      for (let turn = 0; turn < IDLE_TURNS; turn++) await new Promise(setImmediate);
      if (isOver || this.sleepers.length === 0) continue;
      const at = Math.min(...this.sleepers.map((sleeper) => sleeper.at));
      const due = this.sleepers.filter((sleeper) => sleeper.at === at);
      this.sleepers = this.sleepers.filter((sleeper) => sleeper.at !== at);
      this.seconds = Math.max(this.seconds, at);
      for (const { wake } of due) wake();
    }
    this.sleepers = [];
    return outcome;
  }
}
