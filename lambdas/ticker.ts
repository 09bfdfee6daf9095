/** Each minute: starts the cases that are due, and has folded again what a stream or a crash left in the inbox. */
import { entry } from '../lib/aws/entry';
import { DUE_MARKER } from '../lib/domain/store/case';
import { PENDING_DELIVERY } from '../lib/domain/store/inbox';
import type { Deps } from '../lib/ports';
import { startCase } from '../lib/work/cases/start-case';
import { together } from '../lib/work/together';

/** The stream folds within a second or two; what is older than this was missed. */
const MISSED_AFTER_SECONDS = 60;

export async function tick(deps: Deps<'ticker'>): Promise<{ readonly started: number; readonly folded: number }> {
  const now = deps.clock.now();
  const [due, pending] = await Promise.all([
    deps.tables.query(DUE_MARKER.in()),
    deps.tables.query(PENDING_DELIVERY.in()),
  ]);
  const dueNow = due.filter(({ dueAt }) => dueAt <= now);
  const missed = pending.filter(({ receivedAt }) => receivedAt < now - MISSED_AFTER_SECONDS);

  // Each on its own: a case that cannot be started is not allowed to keep the next worker's access alive.
  await together<unknown>([
    ...dueNow.map(({ caseId, attempt, key }) => startCase(caseId, deps, { key, attempt })),
    ...missed.map(({ source, delivery }) => deps.functions.invoke('case-folder', { source, delivery })),
  ]);
  return { started: dueNow.length, folded: missed.length };
}

export const handler = entry('ticker', (_event: unknown, deps: Deps<'ticker'>) => tick(deps));
