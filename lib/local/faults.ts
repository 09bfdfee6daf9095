/**
 * A process that can be killed at any effect. Effects of all ports are counted in the order they happen; at the
 * chosen one the process dies before it or right after it, and from then on nothing works until it is restarted.
 */

/** Thrown where the process died. Not a CurfewError: no handler may take it for an answer. */
class Crash extends Error {
  constructor(effect: string, mode: 'before' | 'after') {
    super(`the process died ${mode} ${effect}`);
    this.name = 'Crash';
  }
}

export function isCrash(error: unknown): error is Crash {
  return error instanceof Crash;
}

/** What changes something outside the process, by port. */
const EFFECTS: Readonly<Record<string, readonly string[]>> = {
  tables: ['transact'],
  signer: ['sign'],
  ringKeys: ['create', 'enable', 'disable'],
  keyDisabler: ['disable'],
  objects: ['put'],
  functions: ['invoke'],
  latch: ['attachDenyPolicy', 'tagLeaver'],
  iamDisabler: ['deactivateAccessKey', 'deleteLoginProfile'],
  workflow: ['start'],
  events: ['put'],
};

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

  /** The same port, with its effects counted. */
  watch<P extends object>(portName: string, port: P): P {
    const effects = EFFECTS[portName] ?? [];
    return new Proxy(port, {
      get: (target, name) => {
        const member = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        const call = member.bind(target) as (...args: unknown[]) => Promise<unknown>;
        if (!effects.includes(String(name))) return (...args: unknown[]) => this.alive(() => call(...args));
        return (...args: unknown[]) => this.effect(`${portName}.${String(name)}`, () => call(...args));
      },
    });
  }

  private async alive<T>(call: () => Promise<T>): Promise<T> {
    if (this.dead) throw this.dead;
    return call();
  }

  private async effect(name: string, call: () => Promise<unknown>): Promise<unknown> {
    if (this.dead) throw this.dead;
    const n = this.effects.push(name);
    if (this.armed?.at === n && this.armed.mode === 'before') throw this.die(name, 'before');
    const answer = await call();
    if (this.armed?.at === n && this.armed.mode === 'after') throw this.die(name, 'after');
    return answer;
  }

  private die(effect: string, mode: 'before' | 'after'): Crash {
    this.dead = new Crash(effect, mode);
    return this.dead;
  }
}
