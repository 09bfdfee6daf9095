/**
 * What a run made, and how each of it goes away. Where its name is known, a step is noted before its thing is made: if the
 * run ends between the two, undoing finds nothing, which is as well. A process that is killed undoes nothing: everything
 * has the name of the run in its name, or in its tag.
 */
import { errorName } from '../../lib/aws/errors';

interface Step {
  readonly what: string;
  readonly undo: () => Promise<unknown>;
}

/** How services say that what we would undo is not there. */
const NOT_THERE = /NotFound|NoSuch/;

export class Undo {
  private readonly steps: Step[] = [];

  constructor(private readonly log: (line: string) => void) {}

  note(what: string, undo: () => Promise<unknown>): void {
    this.steps.push({ what, undo });
  }

  /** The last one first; one that fails does not keep the others. Answers what is still there. */
  async all(): Promise<readonly string[]> {
    const left: string[] = [];
    for (let step = this.steps.pop(); step !== undefined; step = this.steps.pop()) {
      try {
        await step.undo();
        this.log(`removed: ${step.what}`);
      } catch (error) {
        const name = errorName(error);
        if (NOT_THERE.test(name)) continue;
        left.push(`${step.what}: ${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return left;
  }
}
