/**
 * A process that can be killed at any effect. Effects of all ports are counted in the order they happen; at the
 * chosen one the process dies before it or right after it, and from then on nothing works until it is restarted.
 */
import type { Layer } from './interposer';

/** Thrown where the process died. Not a CurfewError: no handler may take it for an answer. */
export class Crash extends Error {
  constructor(effect: string, mode: 'before' | 'after') {
    super(`the process died ${mode} ${effect}`);
    this.name = 'Crash';
  }
}

export function isCrash(error: unknown): error is Crash {
  return error instanceof Crash;
}

export class Faults {
  /** Names of the effects since the last `restart`, such as `tables.transact`. */
  readonly effects: string[] = [];
  private armed: { readonly at: number; readonly mode: 'before' | 'after' } | undefined;
  private dead: Crash | undefined;

  /** Dies at the n-th effect from now (1 is the next one). */
  crashAt(n: number, mode: 'before' | 'after'): void {
    this.restart();
    this.armed = { at: n, mode };
  }

  /** A new process: nothing armed, counting from one. */
  restart(): void {
    this.effects.length = 0;
    this.armed = undefined;
    this.dead = undefined;
  }

  get crashed(): boolean {
    return this.dead !== undefined;
  }

  readonly layer: Layer = async (call, go) => {
    if (this.dead) throw this.dead;
    if (!call.isEffect) return go(call);
    const n = this.effects.push(call.name);
    if (this.armed?.at === n && this.armed.mode === 'before') throw this.die(call.name, 'before');
    const answer = await go(call);
    if (this.armed?.at === n && this.armed.mode === 'after') throw this.die(call.name, 'after');
    return answer;
  };

  private die(effect: string, mode: 'before' | 'after'): Crash {
    this.dead = new Crash(effect, mode);
    return this.dead;
  }
}
