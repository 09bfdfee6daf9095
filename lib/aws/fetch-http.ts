/** Http on fetch. Redirects are answers, not followed: what is probed is exactly the URL that was registered. */
import { CurfewError } from '../domain/base/errors';
import type { Http } from '../ports';

const LIMIT_MILLISECONDS = 5000;

export class FetchHttp implements Http {
  async get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<{ status: number; body: string }> {
    try {
      const signal = AbortSignal.timeout(LIMIT_MILLISECONDS);
      const response = await fetch(url, { headers, redirect: 'manual', signal });
      return { status: response.status, body: await response.text() };
    } catch (cause) {
      throw new CurfewError('ERR_UNAVAILABLE', 'nothing answered within five seconds', { got: url, cause });
    }
  }
}
