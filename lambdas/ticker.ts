/** Each minute: starts the cases that are due, and has folded again what a stream or a crash left in the inbox. */
import { entry } from '../lib/aws/entry';
import { DUE_PARTITION } from '../lib/domain/cases/case';
import { PENDING_PARTITION } from '../lib/domain/intake/inbox';
import type { Deps } from '../lib/ports';
import { startCase } from '../lib/work/cases/start-case';

/** The stream folds within a second or two; what is older than this was missed. */
const MISSED_AFTER_SECONDS = 60;

export async function tick(deps: Deps<'ticker'>): Promise<{ readonly started: number; readonly folded: number }> {
  const now = deps.clock.now();
  const [due, pending] = await Promise.all([
    deps.tables.query({ table: 'cases', pk: DUE_PARTITION }),
    deps.tables.query({ table: 'inbox', pk: PENDING_PARTITION }),
  ]);
  // Sort keys begin with the instant, so what is due stands first.
  const dueNow = due.filter(({ sk }) => Number(sk.slice(0, sk.indexOf('#'))) <= now);
  const missed = pending.filter(({ receivedAt }) => (receivedAt as number) < now - MISSED_AFTER_SECONDS);

  // Each on its own: a case that cannot be started is not allowed to keep the next worker's access alive.
  const outcomes = await Promise.allSettled([
    ...dueNow.map(({ pk, sk, caseId, attempt }) =>
      startCase(caseId as string, deps, { pk, sk, attempt: attempt as number | undefined }),
    ),
    ...missed.map(({ source, delivery }) =>
      deps.functions.invoke('case-folder', { source: source as string, delivery: delivery as string }),
    ),
  ]);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
  return { started: dueNow.length, folded: missed.length };
}

export const handler = entry('ticker', (_event: unknown, deps: Deps<'ticker'>) => tick(deps));
