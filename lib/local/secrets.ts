/** Secret values by configured name, newest first; `rotate` keeps the value before, as Secrets Manager does. */
import { CurfewError } from '../domain/base/errors';
import type { Secrets } from '../ports';

export class MemorySecrets implements Secrets {
  private readonly held = new Map<string, readonly string[]>();

  async values(name: string): Promise<readonly string[]> {
    await null;
    const values = this.held.get(name);
    if (!values) throw new CurfewError('ERR_NOT_FOUND', 'unknown secret', { got: name });
    return values;
  }

  /** `secret:pepper` opens the pepper; `secret:webhook` opens every HR source's. */
  restricted(rights: readonly string[]): Secrets {
    return {
      values: async (name) => {
        const right = name === 'pepper' ? 'secret:pepper' : 'secret:webhook';
        if (!rights.includes(right))
          throw new CurfewError('ERR_RIGHT_MISSING', `the right ${right} is missing`, { got: name, allowed: rights });
        return this.values(name);
      },
    };
  }

  rotate(name: string, value: string): void {
    this.held.set(name, [value, ...(this.held.get(name) ?? [])].slice(0, 2));
  }
}
