/**
 * The one place that every call on a port of a World passes on its way to the twin. Who wants to see calls, hold them,
 * lose them or change them adds a layer: `Faults` is one, and so are the scheduler and the removed guards of the model.
 *
 *     handler ──► layer ──► layer ──► twin
 *
 *     world.ports.add((call, go) => { seen.push(call.name); return go(call); });
 */
import type { CommandName } from '../domain/deployment/access';
import type { FunctionName } from '../domain/deployment/rights';
import type { PortName } from '../ports-opened';

/** A call as a handler makes it. */
interface PortCall {
  /** Whose ports they are. */
  readonly by: FunctionName | CommandName;
  readonly port: PortName | 'clock';
  readonly method: string;
  /** Both in one word, such as `tables.transact`. */
  readonly name: string;
  readonly args: readonly unknown[];
  /** It changes something outside the process, or shows that it could. */
  readonly isEffect: boolean;
}

type Go = (call: PortCall) => Promise<unknown>;

/**
 * What becomes of a call. `go` sends it on, as it is or changed, now or later, once, twice or never; what the layer
 * answers, or throws, is what the layer before it gets, and at last the handler.
 */
export type Layer = (call: PortCall, go: Go) => Promise<unknown>;

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
  latchRelease: ['untagLeaver', 'detachDenyPolicy'],
  iamEnabler: ['activateAccessKey'],
  keyEnabler: ['enable', 'policy'],
  workflow: ['start'],
  events: ['put'],
};

export class Interposer {
  private layers: readonly Layer[] = [];

  /** The first layer is the nearest to the handler. */
  constructor(...layers: readonly Layer[]) {
    this.layers = layers;
  }

  /** Next to the twin: whatever was added before sees the call first, and the answer last. */
  add(layer: Layer): void {
    this.layers = [...this.layers, layer];
  }

  /** The same port, as this Lambda holds it. What is no method passes as it is. */
  between<P extends object>(by: PortCall['by'], port: PortCall['port'], twin: P): P {
    const effects = EFFECTS[port] ?? [];
    return new Proxy(twin, {
      get: (target, member) => {
        const method = Reflect.get(target, member);
        if (typeof method !== 'function') return method;
        const about = { by, port, method: String(member), name: `${port}.${String(member)}` };
        const isEffect = effects.includes(about.method);
        const answer: Go = ({ args }) => method.apply(target, args);
        return (...args: unknown[]) => this.pass({ ...about, isEffect, args }, 0, answer);
      },
    });
  }

  private pass(call: PortCall, nth: number, answer: Go): Promise<unknown> {
    const layer = this.layers[nth];
    return layer ? layer(call, (sent) => this.pass(sent, nth + 1, answer)) : answer(call);
  }
}
