/** How the story's back end asks again: bounded, later each time, spread by chance, and only where nothing was done. */
import { askPatiently, BUSY, invokePatiently } from '../../demo/patience';
import { CurfewError } from '../../lib/domain/base/errors';
import { idsFor, seeded, seedFor } from '../support/seeded';

const secret = idsFor('headers')();

/** Answers in turn, the last one for ever; what was said, and how long was waited, in milliseconds. */
function asked(...answers: readonly (() => Response)[]) {
  const said: string[] = [];
  const waits: number[] = [];
  let tries = 0;
  const patience = {
    say: (line: string) => said.push(line),
    pause: async (milliseconds: number) => waits.push(milliseconds),
    random: seeded(seedFor('patience')),
  };
  const request = async () => (answers[Math.min(tries++, answers.length - 1)] as () => Response)();
  return { said, waits, patience, request, tries: () => tries };
}

const ok = () => new Response(JSON.stringify({ token: secret }), { status: 200 });
const busy =
  (status: number, body = '{"message":"busy"}', headers = {}) =>
  () =>
    new Response(body, { status, headers });

test.each(BUSY)('%i is asked again, and said', async (status) => {
  const { said, waits, patience, request } = asked(busy(status), busy(status, 'no JSON'), ok);
  const response = await askPatiently('the issue endpoint', request, patience);
  expect([response.status, await response.json()]).toEqual([200, { token: secret }]);
  expect(said).toEqual([
    expect.stringMatching(new RegExp(`^ {2}the issue endpoint answered ${status}: asked again in \\d\\.\\d s$`)),
    expect.stringContaining(`answered ${status}: asked again in`),
  ]);
  expect(waits[0]).toBeGreaterThanOrEqual(200);
  expect(waits[0]).toBeLessThan(600);
  expect(waits[1]).toBeGreaterThanOrEqual(400);
  expect(waits[1]).toBeLessThan(1200);
});

test('before Retry-After is over nothing is asked', async () => {
  const { waits, patience, request } = asked(busy(503, '{"code":"ERR_UNAVAILABLE"}', { 'retry-after': '4' }), ok);
  await askPatiently('it', request, patience);
  expect(waits[0]).toBeGreaterThanOrEqual(4200);
  expect(waits[0]).toBeLessThan(4600);
});

test('it gives up after six answers, and hands on the last one', async () => {
  const { waits, patience, request, tries } = asked(busy(502));
  const { status } = await askPatiently('it', request, patience);
  expect([status, tries(), waits.length]).toEqual([502, 6, 5]);
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThan(20_000);
});

test.each([200, 400, 403, 404, 409, 410, 500, 501])('%i is an answer', async (status) => {
  const { said, patience, request, tries } = asked(busy(status));
  expect((await askPatiently('it', request, patience)).status).toBe(status);
  expect([tries(), said]).toEqual([1, []]);
});

test('a halted ring has answered: people decide when it goes on', async () => {
  const { patience, request, tries } = asked(busy(503, '{"code":"ERR_RING_HALTED"}'));
  const response = await askPatiently('it', request, patience);
  expect([await response.json(), tries()]).toEqual([{ code: 'ERR_RING_HALTED' }, 1]);
});

test('a Lambda that ended without an answer is asked again; what it refused is refused', async () => {
  const { said, patience } = asked(ok);
  const outcomes = [new CurfewError('ERR_UNAVAILABLE', 'issuer ended without an answer'), { signed: true }];
  const ask = async () => {
    const outcome = outcomes.shift();
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  expect(await invokePatiently('the issuer', ask, patience)).toEqual({ signed: true });
  expect(said).toEqual([expect.stringContaining('the issuer did not answer: asked again in')]);

  const refused = new CurfewError('ERR_ACCESS_DENIED', 'no');
  await expect(invokePatiently('the issuer', () => Promise.reject(refused), patience)).rejects.toBe(refused);
  expect(said).toHaveLength(1);
  const unavailable = new CurfewError('ERR_UNAVAILABLE', 'gone');
  await expect(invokePatiently('it', () => Promise.reject(unavailable), patience)).rejects.toBe(unavailable);
});
