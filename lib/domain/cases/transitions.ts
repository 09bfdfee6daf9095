/**
 * The writes of a case: one transaction each, under the fence that the writer read, with the records and events it owes.
 * The second writer is refused (`ERR_CONDITION_FAILED`), reads again and decides again.
 */

import { type EvidenceRecord, storedRecord } from '../evidence/record';
import { CASE, DUE_MARKER } from '../store/case';
import { put } from '../store/entity';
import { CASE_OUT, type OutboxEvent } from '../store/outbox';
import { ROW_ABSENT, valuesOf, type Write } from '../store/table';
import type { CaseMeta, DepartureCase } from './case';

type PlainWrite = Write<'cases:put' | 'cases:update'>;

/** One record, with the event that goes with it; both leave with the transaction that made them true. */
export interface Outgoing {
  readonly record: EvidenceRecord;
  readonly event?: OutboxEvent;
}

/** A case and its due marker; used where a departure begins and where one case follows another. */
export function bornCase(meta: CaseMeta, outgoing: readonly Outgoing[]): PlainWrite[] {
  return [
    put(CASE, [meta.caseId], meta, ROW_ABSENT),
    put(DUE_MARKER, [meta.dueAt, meta.caseId], { caseId: meta.caseId }),
    ...outWrites(meta, outgoing),
  ];
}

/** Members that one transition sets; one that is there and undefined is taken away. */
export type CaseChange = { readonly [M in keyof Omit<DepartureCase, 'kind'>]?: DepartureCase[M] | undefined };

/** Under the fence the writer read: the second writer reads again and decides again. */
export function transition(meta: CaseMeta, set: CaseChange, outgoing: readonly Outgoing[] = []): PlainWrite[] {
  const next = { ...meta, fence: meta.fence + 1, version: meta.version + 1 };
  const members = Object.entries(set);
  const kept = Object.fromEntries(members.filter(([, value]) => value !== undefined));
  const removed = members.flatMap(([member, value]) => (value === undefined ? [member] : []));
  return [
    {
      kind: 'update',
      table: 'cases',
      key: CASE.key(meta.caseId),
      set: valuesOf({ ...kept, fence: next.fence, version: next.version }),
      ...(removed.length > 0 && { remove: removed }),
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
