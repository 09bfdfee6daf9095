/** The HR sources as a stack writes them: text, parsed each time, so that a test gives nothing that a deployment could not. */
import { parseHrSources } from '../domain/store/hr-sources';
import type { HrSources } from '../ports';

export class MemoryHrSources implements HrSources {
  private written = '{}';

  async find(name: string): ReturnType<HrSources['find']> {
    await null;
    const sources = parseHrSources(this.written);
    return Object.hasOwn(sources, name) ? sources[name] : undefined;
  }

  /** What the next deployment writes. */
  write(sources: object): void {
    this.written = JSON.stringify(sources);
  }
}
