/** What every Http owes its callers. */
import type { Http } from '../../lib/ports';

export interface HttpHarness {
  readonly http: Http;
  /** Serves `/ok` (200, the header `x-probe` as its body), `/gone` (404) and `/moved` (302 to `/ok`). */
  readonly baseUrl: string;
  readonly deadUrl: string;
}

export function httpContract(make: () => HttpHarness): void {
  test('the answer is what was answered, whatever the status', async () => {
    const { http, baseUrl } = make();
    expect(await http.get(`${baseUrl}/ok`, { 'x-probe': 'seen' })).toEqual({ status: 200, body: 'seen' });
    expect(await http.get(`${baseUrl}/gone`)).toEqual({ status: 404, body: 'gone' });
  });

  test('a redirect is an answer, not a journey', async () => {
    const { http, baseUrl } = make();
    expect((await http.get(`${baseUrl}/moved`)).status).toBe(302);
  });

  test('where nothing answers, that is said', async () => {
    const { http, deadUrl } = make();
    await expect(http.get(deadUrl)).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: expect.stringContaining('nothing answered'),
    });
  });
}
