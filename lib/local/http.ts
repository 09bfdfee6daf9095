/** The web as a test lays it out: routes by the beginning of their URL; where there is none, nothing answers. */
import { CurfewError } from '../domain/base/errors';
import type { Http } from '../ports';

type Answer = { readonly status: number; readonly body: string };
type Route = (url: string, headers: Readonly<Record<string, string>>) => Answer | Promise<Answer>;

export class MemoryHttp implements Http {
  private readonly routes = new Map<string, Route>();

  route(urlPrefix: string, answer: Route): void {
    this.routes.set(urlPrefix, answer);
  }

  async get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    await null;
    const longestFirst = [...this.routes].sort(([a], [b]) => b.length - a.length);
    const route = longestFirst.find(([prefix]) => url.startsWith(prefix));
    if (!route) throw new CurfewError('ERR_UNAVAILABLE', 'nothing answered', { got: url });
    return route[1](url, headers);
  }
}
