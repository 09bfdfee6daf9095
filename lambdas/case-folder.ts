/** Folds what the inbox holds into cases: one per departure, whatever is repeated, reordered or replayed. */

import type { DynamoDBStreamEvent } from 'aws-lambda';
import { entry } from '../lib/aws/entry';
import { base64url } from '../lib/domain/base/encoding';
import { CurfewError } from '../lib/domain/base/errors';
import {
  type CaseMeta,
  caseFor,
  caseIdOf,
  DEPARTURE_KINDS,
  type Departure,
  type DepartureKind,
  foldDeparture,
  isDeparture,
} from '../lib/domain/cases/case';
import { openedRecord, sealContext } from '../lib/domain/cases/records';
import { addDeparture, type CaseWrite, openCase, rescind } from '../lib/domain/cases/transitions';
import type { Messages } from '../lib/domain/deployment/messages';
import type { StoredDelivery } from '../lib/domain/intake/inbox';
import type { Statement } from '../lib/domain/intake/statement';
import { CASE, OPEN_CASE, PSEUDONYM, RESCIND } from '../lib/domain/store/case';
import { put } from '../lib/domain/store/entity';
import { DELIVERY, PENDING_DELIVERY, PENDING_PARTITION } from '../lib/domain/store/inbox';
import { ROW_ABSENT } from '../lib/domain/store/table';
import type { Deps } from '../lib/ports';
import { startCase } from '../lib/work/cases/start-case';
import { together } from '../lib/work/together';
import { pepperOf } from '../lib/work/tokens/pepper';
import { inTurn, tryTransact } from '../lib/work/transactions';

type FolderDeps = Deps<'case-folder'>;
type Folded = Messages['case-folder']['response'];

const PSEUDONYM_BYTES = 16;

export async function foldDelivery(
  { source, delivery }: Messages['case-folder']['request'],
  deps: FolderDeps,
): Promise<Folded> {
  const stored = await deps.tables.get(DELIVERY, source, delivery);
  if (stored === undefined)
    throw new CurfewError('ERR_NOT_FOUND', 'the inbox holds no such delivery', { got: { source } });

  // One worker's statement that cannot be folded does not keep the others of the delivery waiting.
  await together(stored.statements.map((statement) => foldStatement(statement, stored, deps)));

  // If we stop before this, the ticker has it folded once more, which changes nothing.
  await deps.tables.transact([
    { kind: 'delete', table: 'inbox', key: PENDING_DELIVERY.key(stored.receivedAt, source, delivery) },
  ]);
  return {};
}

/** Folds one statement and starts its case if it is due. */
async function foldStatement(statement: Statement, stored: StoredDelivery, deps: FolderDeps): Promise<void> {
  // Another delivery about the same worker may be faster: then read again, decide again.
  const caseId = await inTurn('the cases of this worker', async () => {
    const decided = await decide(statement, await findCases(statement, deps), stored, deps);
    if (decided.writes.length > 0) await deps.tables.transact(decided.writes);
    return decided.caseId;
  });
  // If we stop here, the due marker stands: the ticker starts what is due.
  if (caseId !== undefined) await startCase(caseId, deps);
}

interface Found {
  /** The ids that the cases of this worker and instant have, by what each was opened as. */
  readonly ids: Readonly<Record<DepartureKind, string>>;
  /** Those of them that there are. */
  readonly known: readonly CaseMeta[];
  /** The one open case of the worker. */
  readonly open?: CaseMeta;
  /** The departure this statement names has been taken back. */
  readonly rescinded: boolean;
}

async function findCases({ workerId, effectiveAt }: Statement, deps: FolderDeps): Promise<Found> {
  const { tables, config } = deps;
  const pepper = await pepperOf(deps);
  const idOf = (kind: DepartureKind) => caseIdOf(pepper, { instance: config.instance, workerId, effectiveAt, kind });
  const ids = { transfer: idOf('transfer'), contract_end: idOf('contract_end'), termination: idOf('termination') };
  const [known, pointer, rescinded] = await Promise.all([
    Promise.all(DEPARTURE_KINDS.map((kind) => tables.get(CASE, ids[kind]))),
    tables.get(OPEN_CASE, workerId),
    tables.get(RESCIND, workerId, effectiveAt),
  ]);
  const open = pointer?.caseId === undefined ? undefined : await tables.get(CASE, pointer.caseId);
  return {
    ids,
    known: known.filter((meta) => meta !== undefined),
    open,
    rescinded: rescinded !== undefined,
  };
}

async function decide(
  statement: Statement,
  found: Found,
  stored: StoredDelivery,
  deps: FolderDeps,
): Promise<{ readonly caseId?: string; readonly writes: readonly CaseWrite[] }> {
  const { ids, known, open, rescinded } = found;
  if (statement.kind === 'rescinded') {
    const isKnown = (caseId: string) => known.some((meta) => meta.caseId === caseId);
    const other = open === undefined || isKnown(open.caseId) ? undefined : open;
    const isMeant = other?.dates.includes(statement.effectiveAt);
    const targets = other && isMeant ? [...known, other] : known;
    const caseIds = Object.values(ids).filter((caseId) => !isKnown(caseId));
    const unaffected = { caseIds, ...(!isMeant && other && { open: other }) };
    return {
      caseId: targets[0]?.caseId,
      writes: rescind(statement.workerId, statement.effectiveAt, targets, unaffected),
    };
  }
  // Who comes back comes back with new credentials: nothing that a case ended is given back.
  if (!isDeparture(statement)) return { writes: [] };

  const target = caseFor(open ? [...known, open] : known, statement);
  if (target?.state === 'CLOSED') return { caseId: target.caseId, writes: [] };
  if (target) return { caseId: target.caseId, writes: addDeparture(target, statement, rescinded, deps.clock.now()) };
  return { caseId: ids[statement.kind], writes: await opening(statement, found, stored, deps) };
}

async function opening(
  statement: Departure,
  { ids, open, rescinded }: Found,
  stored: StoredDelivery,
  deps: FolderDeps,
): Promise<CaseWrite[]> {
  const caseId = ids[statement.kind];
  const now = deps.clock.now();
  const pseudonym = await pseudonymOf(statement.workerId, deps);
  const { source, corroboration, sentAt, receivedAt, bodySha256 } = stored;
  const meta: CaseMeta = {
    caseId,
    workerId: statement.workerId,
    pseudonym,
    state: statement.effectiveAt <= now ? 'DUE' : 'OPEN',
    version: 1,
    attempt: 0,
    fence: 1,
    ...foldDeparture(undefined, statement, rescinded),
    dueAt: statement.effectiveAt,
    source,
    corroboration,
    hrEventAt: sentAt,
    acceptedAt: receivedAt,
    openedAt: now,
  };
  const { workerId, initiator, sourceEventId, zone } = statement;
  // The digest of the body too: a reader who guesses what HR says could try worker ids against it.
  const person = JSON.stringify({ workerId, initiator, sourceEventId, bodySha256 });
  const sealed = await deps.sealer.seal(pseudonym, sealContext(caseId, 'opened'), person);
  const record = openedRecord(meta, { zone }, sealed, now);
  return openCase(meta, statement, open?.caseId, {
    record,
    event: { detailType: 'CaseOpened', detail: { id: caseId } },
  });
}

/** The worker's only name in evidence: random, so that the worker id cannot be guessed from it, and kept in one row. */
async function pseudonymOf(workerId: string, { tables, random }: FolderDeps): Promise<string> {
  const fresh = base64url(random.bytes(PSEUDONYM_BYTES));
  // If we stop after this, the name is drawn and in no record yet: the next fold finds it.
  if (await tryTransact(tables, [put(PSEUDONYM, [workerId], { pseudonym: fresh }, ROW_ABSENT)])) return fresh;
  const drawn = await tables.get(PSEUDONYM, workerId);
  if (drawn) return drawn.pseudonym;
  throw new CurfewError('ERR_UNAVAILABLE', 'the pseudonym of the worker was written and cannot be read', {
    fix: 'retry',
  });
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

export const handler = entry(
  'case-folder',
  (event: DynamoDBStreamEvent | Messages['case-folder']['request'], deps: FolderDeps) =>
    'Records' in event ? foldStream(event, deps) : foldDelivery(event, deps),
);
