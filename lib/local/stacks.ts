/** CloudFormation in memory: which stacks it is taking an update of back. */
import type { Stacks } from '../ports';

export class MemoryStacks implements Stacks {
  readonly rollingBack = new Set<string>();

  async isRollingBack(stackId: string): Promise<boolean> {
    await null;
    return this.rollingBack.has(stackId);
  }
}
