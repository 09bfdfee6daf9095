/** How to look at something that becomes true a moment later. */
import { errorName } from '../../lib/aws/errors';
import type { Clock } from '../../lib/ports';

const EVERY_SECONDS = 1;
/** One good answer proves one host. */
export const AGREEING = 5;

export interface Until {
  readonly clock: Clock;
  /** What AWS answers now, as a word. */
  readonly ask: () => Promise<string>;
  readonly wanted: string;
  readonly withinSeconds: number;
}

/** Asks until five answers in a row are the wanted one, and says how long it took and what came between. */
export async function untilAgreed({ clock, ask, wanted, withinSeconds }: Until): Promise<string> {
  const from = clock.now();
  const others = new Map<string, number>();
  let [inRow, firstAt] = [0, from];
  while (inRow < AGREEING) {
    const answer = await ask();
    if (answer !== wanted) others.set(answer, (others.get(answer) ?? 0) + 1);
    if (answer === wanted && inRow === 0) firstAt = clock.now();
    inRow = answer === wanted ? inRow + 1 : 0;
    if (inRow >= AGREEING) break;
    if (clock.now() - from >= withinSeconds)
      return `not ${wanted} within ${withinSeconds} s; answers: ${counted(others)}`;
    await clock.sleep(EVERY_SECONDS);
  }
  const before = others.size === 0 ? 'no other answer' : `before that ${counted(others)}`;
  return `${AGREEING} times ${wanted} in a row from second ${firstAt - from} on; ${before}`;
}

/** How many gave each answer, the most frequent first. */
export function counted(answers: ReadonlyMap<string, number>): string {
  const rows = [...answers].sort(([, a], [, b]) => b - a);
  return rows.map(([answer, times]) => `${times} × ${answer}`).join(', ');
}

export function tally(answers: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return counted(counts);
}

/** `ok`, or the name of the error that AWS gave. */
export async function answerOf(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
    return 'ok';
  } catch (error) {
    return errorName(error);
  }
}
