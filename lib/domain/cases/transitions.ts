/**
 * The writes of a case: one transaction each, under the fence that the writer read, with the records and events it owes.
 * The second writer is refused (`ERR_CONDITION_FAILED`), reads again and decides again.
 */

import { type EvidenceRecord, storedRecord } from '../evidence/record';
import { CASE, CASE_STATEMENT, DUE_MARKER, OPEN_CASE, RESCIND } from '../store/case';
import { put } from '../store/entity';
import { CASE_OUT, type OutboxEvent } from '../store/outbox';
import { ROW_ABSENT, type Test, valuesOf, type Write } from '../store/table';
import { type CaseMeta, type Departure, foldDeparture } from './case';

export type CaseWrite = Write<'cases:put' | 'cases:update' | 'cases:check' | 'cases:delete'>;
type PlainWrite = Write<'cases:put' | 'cases:update'>;

/** One record, with the event that goes with it; both leave with the transaction that made them true. */
export interface Outgoing {
  readonly record: EvidenceRecord;
  readonly event?: OutboxEvent;
}

/** Opens a case, or with a statement refuses as `ERR_CONDITION_FAILED` what another delivery has opened meanwhile. */
export function openCase(
  meta: CaseMeta,
  statement: Departure,
  supersedes: string | undefined,
  opened: Outgoing,
): CaseWrite[] {
  const open: Test =
    supersedes === undefined
      ? { attribute: 'caseId', is: 'absent' }
      : { attribute: 'caseId', is: '=', value: supersedes };
  return [
    ...bornCase(meta, [opened]),
    {
      kind: 'update',
      table: 'cases',
      key: OPEN_CASE.key(meta.workerId),
      set: { v: OPEN_CASE.v, caseId: meta.caseId },
      if: [open],
    },
    statementWrite(meta.caseId, statement),
    rescindUnchanged(statement, meta.rescinded),
  ];
}

/** A case and its due marker; used where one is opened by HR and where one follows another. */
export function bornCase(meta: CaseMeta, outgoing: readonly Outgoing[]): PlainWrite[] {
  return [
    put(CASE, [meta.caseId], meta, ROW_ABSENT),
    put(DUE_MARKER, [meta.dueAt, meta.caseId], { caseId: meta.caseId }),
    ...outWrites(meta, outgoing),
  ];
}

/** The writes of one more departure statement; none where it says nothing new. */
export function addDeparture(meta: CaseMeta, statement: Departure, rescinded: boolean, now: number): CaseWrite[] {
  const fold = foldDeparture(meta, statement, rescinded);
  const dueAt = Math.min(...fold.dates);
  if (fold.kind === meta.kind && fold.rescinded === meta.rescinded && fold.dates.length === meta.dates.length)
    return [];

  const waits = meta.state === 'OPEN';
  const moved: CaseWrite[] =
    waits && dueAt !== meta.dueAt
      ? [
          { kind: 'delete', table: 'cases', key: DUE_MARKER.key(meta.dueAt, meta.caseId) },
          put(DUE_MARKER, [dueAt, meta.caseId], { caseId: meta.caseId }),
        ]
      : [];
  return [
    ...transition(meta, {
      ...fold,
      dueAt: waits ? dueAt : meta.dueAt,
      state: waits && dueAt <= now ? 'DUE' : meta.state,
    }),
    ...moved,
    statementWrite(meta.caseId, statement),
    rescindUnchanged(statement, rescinded),
  ];
}

/**
 * A rescind is kept under the departure it names, and marks the cases that have that departure, if any do. Without
 * one it waits; `unaffected` is what was looked at and must still not have that departure: ids without a case, and the
 * open case of another departure.
 */
export function rescind(
  workerId: string,
  effectiveAt: number,
  targets: readonly CaseMeta[],
  unaffected: { readonly caseIds: readonly string[]; readonly open?: CaseMeta },
): CaseWrite[] {
  const marked = targets.filter(({ rescinded, state }) => !rescinded && state !== 'CLOSED');
  if (targets.length > 0 && marked.length === 0) return [];

  const { caseIds, open } = unaffected;
  const absent = caseIds.map(
    (caseId): CaseWrite => ({ kind: 'check', table: 'cases', key: CASE.key(caseId), if: ROW_ABSENT }),
  );
  const unmoved: CaseWrite[] = open
    ? [
        {
          kind: 'check',
          table: 'cases',
          key: CASE.key(open.caseId),
          if: [{ attribute: 'fence', is: '=', value: open.fence }],
        },
      ]
    : [];
  return [
    put(RESCIND, [workerId, effectiveAt], {}),
    ...marked.flatMap((target) => transition(target, { rescinded: true })),
    ...absent,
    ...unmoved,
  ];
}

/** Under the fence the writer read: the second writer reads again and decides again. */
export function transition(meta: CaseMeta, set: Partial<CaseMeta>, outgoing: readonly Outgoing[] = []): PlainWrite[] {
  const next = { ...meta, fence: meta.fence + 1, version: meta.version + 1 };
  return [
    {
      kind: 'update',
      table: 'cases',
      key: CASE.key(meta.caseId),
      set: valuesOf({ ...set, fence: next.fence, version: next.version }),
      if: [
        { attribute: 'fence', is: '=', value: meta.fence },
        { attribute: 'attempt', is: '=', value: meta.attempt },
      ],
    },
    ...outWrites(next, outgoing),
  ];
}

function outWrites(meta: Pick<CaseMeta, 'caseId' | 'fence'>, outgoing: readonly Outgoing[]): PlainWrite[] {
  return outgoing.map(({ record, event }, n) =>
    put(CASE_OUT, [meta.caseId, meta.fence, n], { record: storedRecord(record), event }, ROW_ABSENT),
  );
}

function statementWrite(caseId: string, statement: Departure): PlainWrite {
  return put(CASE_STATEMENT, [caseId, statement], statement);
}

/** The rescind that was looked for is still there, or still is not: otherwise the fold was of half the statements. */
function rescindUnchanged(statement: Departure, rescinded: boolean): CaseWrite {
  const test: Test = { attribute: 'pk', is: rescinded ? 'present' : 'absent' };
  return { kind: 'check', table: 'cases', key: RESCIND.key(statement.workerId, statement.effectiveAt), if: [test] };
}
