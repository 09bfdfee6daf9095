/** Step Functions and EventBridge as a test sees them: what was started, what was said. */
import type { Events, Workflow } from '../ports';

export class MemoryWorkflow implements Workflow {
  /** Inputs by execution name; the first start of a name counts. */
  readonly started = new Map<string, { readonly caseId: string; readonly attempt: number }>();

  async start(name: string, input: { readonly caseId: string; readonly attempt: number }): Promise<void> {
    await null;
    if (!this.started.has(name)) this.started.set(name, { ...input });
  }
}

export class MemoryEvents implements Events {
  readonly said: { readonly detailType: string; readonly detail: Readonly<Record<string, unknown>> }[] = [];

  async put(detailType: string, detail: Parameters<Events['put']>[1]): Promise<void> {
    await null;
    this.said.push({ detailType, detail: { v: 1, ...detail } });
  }
}
