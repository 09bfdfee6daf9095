/** Folds what the inbox holds into the schedules of workers, and begins the departures whose date has come. */

import type { DynamoDBStreamEvent } from 'aws-lambda';
import { entry } from '../lib/aws/entry';
import { CurfewError } from '../lib/domain/base/errors';
import type { Messages } from '../lib/domain/deployment/messages';
import type { StoredDelivery } from '../lib/domain/intake/inbox';
import { DELIVERY, PENDING_DELIVERY, PENDING_PARTITION } from '../lib/domain/store/inbox';
import type { Said } from '../lib/domain/store/worker';
import type { Deps } from '../lib/ports';
import { lookAtImports } from '../lib/work/cases/late';
import { beginDue, foldSaid } from '../lib/work/cases/worker';
import { together } from '../lib/work/together';

type FolderDeps = Deps<'case-folder'>;
type Request = Messages['case-folder']['request'];
type Folded = Messages['case-folder']['response'];

export async function foldDelivery(
  { source, delivery }: Extract<Request, { readonly source: string }>,
  deps: FolderDeps,
): Promise<Folded> {
  const stored = await deps.tables.get(DELIVERY, source, delivery);
  if (stored === undefined)
    throw new CurfewError('ERR_NOT_FOUND', 'the inbox holds no such delivery', { got: { source } });

  // One worker's statement that cannot be folded does not keep the others of the delivery waiting.
  const workers = [...new Set(stored.statements.map(({ workerId }) => workerId))];
  await together(workers.map((workerId) => foldSaid(workerId, saidOf(workerId, stored), deps)));

  // If we stop before this, the ticker has it folded once more, which changes nothing.
  await deps.tables.transact([
    { kind: 'delete', table: 'inbox', key: PENDING_DELIVERY.key(stored.receivedAt, source, delivery) },
  ]);
  return {};
}

function saidOf(workerId: string, stored: StoredDelivery): readonly Said[] {
  const { source, origin, corroboration, receivedAt, bodySha256 } = stored;
  return stored.statements
    .filter((statement) => statement.workerId === workerId)
    .map((statement) => ({ ...statement, source, origin, corroboration, receivedAt, bodySha256 }));
}

/** A delivery that the ticker found in the inbox, a worker whose date has come, or of whom something was imported. */
export async function fold(request: Request, deps: FolderDeps): Promise<Folded> {
  if ('source' in request) return foldDelivery(request, deps);
  if ('imports' in request) await lookAtImports(request.imports, deps);
  else await beginDue(request.workerId, deps);
  return {};
}

/** From the stream only keys are taken; the delivery is read from the table, as the ticker's catch-up does. */
export async function foldStream({ Records }: DynamoDBStreamEvent, deps: FolderDeps): Promise<Folded> {
  const deliveries = Records.flatMap(({ eventName, dynamodb }) => {
    const [source, delivery] = [dynamodb?.Keys?.pk?.S, dynamodb?.Keys?.sk?.S];
    const isDelivery =
      eventName === 'INSERT' && source !== undefined && delivery !== undefined && source !== PENDING_PARTITION;
    return isDelivery ? [{ source, delivery }] : [];
  });
  // Their order does not matter, so one that cannot be folded does not hold up those behind it.
  await together(deliveries.map((delivery) => foldDelivery(delivery, deps)));
  return {};
}

export const handler = entry('case-folder', (event: DynamoDBStreamEvent | Request, deps: FolderDeps) =>
  'Records' in event ? foldStream(event, deps) : fold(event, deps),
);
