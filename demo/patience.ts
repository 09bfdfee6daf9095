/**
 * Asks again as a client does that was told to come back: a few times, each time later, spread by chance so that many
 * do not come back together, and only where the answer says that nothing was done (RFC 6585 section 4, RFC 9110 sections
 * 15.6.3 to 15.6.5). Every answer of that kind is printed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isCurfewError } from '../lib/domain/base/errors';

/** Too many requests; the answer of the one behind was none; not now; the one behind was too slow. */
export const BUSY = [429, 502, 503, 504] as const;
const TRIES_MAX = 6;
/** Doubled each time: some twelve seconds in all, which outlasts a machine that starts twenty Lambdas at once. */
const FIRST_WAIT_MS = 400;

export interface Patience {
  readonly say: (line: string) => void;
  readonly pause: (milliseconds: number) => Promise<unknown>;
  /** From 0 to 1. */
  readonly random: () => number;
}

const AS_PEOPLE_WAIT: Patience = {
  say: (line) => process.stdout.write(`${line}\n`),
  pause: sleep,
  random: Math.random,
};

/** Why an answer is none, and how long the one who gave it asks to be left alone. */
interface Busy {
  readonly why: string;
  readonly afterMs?: number;
}

/** The last answer, busy or not: what it means to be refused so often, the caller knows. */
async function untilNotBusy<T>(
  what: string,
  ask: () => Promise<T>,
  busyOf: (answer: T) => Promise<Busy | undefined>,
  { say, pause, random }: Patience,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const answer = await ask();
    const busy = await busyOf(answer);
    if (busy === undefined || tries === TRIES_MAX) return answer;
    const wait = (busy.afterMs ?? 0) + FIRST_WAIT_MS * 2 ** (tries - 1) * (0.5 + random());
    say(`  ${what} ${busy.why}: asked again in ${(wait / 1000).toFixed(1)} s`);
    await pause(wait);
  }
}

/** How an HTTP API is asked; `request` makes a new request each time, for a signature has a date. */
export type Asker = (what: string, request: () => Promise<Response>) => Promise<Response>;

export const patiently: Asker = (what, request) => askPatiently(what, request, AS_PEOPLE_WAIT);
/** For who counts refusals. */
export const once: Asker = (_what, request) => request();

export function askPatiently(what: string, request: () => Promise<Response>, patience: Patience): Promise<Response> {
  return untilNotBusy(what, request, busyOf, patience);
}

async function busyOf(response: Response): Promise<Busy | undefined> {
  const { status, headers } = response;
  if (!BUSY.some((busy) => busy === status) || (await isDecision(response))) return undefined;
  const seconds = Number(headers.get('retry-after'));
  return { why: `answered ${status}`, afterMs: seconds > 0 ? seconds * 1000 : undefined };
}

/** A ring that people have halted answers 503 too, with a code of its own: asking again soon helps nobody. */
async function isDecision(response: Response): Promise<boolean> {
  const body = (await response
    .clone()
    .json()
    .catch(() => undefined)) as { code?: unknown } | undefined;
  return body?.code !== undefined && body.code !== 'ERR_UNAVAILABLE';
}

/** A Lambda that is asked directly: what ended without an answer is asked again. */
export async function invokePatiently<T>(what: string, ask: () => Promise<T>, patience = AS_PEOPLE_WAIT): Promise<T> {
  const settle = () =>
    ask().then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    );
  const busy = async (outcome: { answer: T } | { error: unknown }) =>
    'error' in outcome && isCurfewError(outcome.error, 'ERR_UNAVAILABLE') ? { why: 'did not answer' } : undefined;
  const outcome = await untilNotBusy<{ answer: T } | { error: unknown }>(what, settle, busy, patience);
  if ('error' in outcome) throw outcome.error;
  return outcome.answer;
}

/** As `fetchText` of a verifier: the text of a document, or an error. More patient than its 2 s, for a busy machine. */
export async function fetchTextPatiently(url: string): Promise<string> {
  const response = await patiently(new URL(url).pathname, () => fetch(url, { signal: AbortSignal.timeout(15_000) }));
  if (response.status !== 200) throw new Error(`${response.status} from ${url}`);
  return response.text();
}
