/** Step Functions and EventBridge as a test sees them: what was started, what was said. */
import type { Events, Workflow } from '../ports';

export class MemoryWorkflow implements Workflow {
  /** Inputs by execution name; the first start of a name counts. */
  readonly started = new Map<string, { readonly caseId: string; readonly attempt: number }>();
  private readonly running = new Set<string>();

  async start(name: string, input: { readonly caseId: string; readonly attempt: number }): Promise<void> {
    await null;
    if (this.started.has(name)) return;
    this.started.set(name, { ...input });
    this.running.add(name);
  }

  async isRunning(name: string): Promise<boolean> {
    await null;
    return this.running.has(name);
  }

  /** It ended, well or badly. */
  end(name: string): void {
    this.running.delete(name);
  }
}

export class MemoryEvents implements Events {
  readonly said: { readonly detailType: string; readonly detail: Readonly<Record<string, unknown>> }[] = [];

  async put(detailType: string, detail: Parameters<Events['put']>[1]): Promise<void> {
    await null;
    this.said.push({ detailType, detail: { v: 1, ...detail } });
  }
}
