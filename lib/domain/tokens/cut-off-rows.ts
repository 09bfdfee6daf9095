/** The rows of cut-offs: one row per ring and blinded subject, which is set and never lowered. */
import type { EvidenceRecord } from '../evidence/record';
import type { CutOff } from '../feed/feed';
import { row } from '../rings/ring-items';
import { OUTBOX_PREFIX, ROW_ABSENT, type Row, type RowKey, type Test, type Write } from '../store/table';

/** Beyond every iat: a blocked subject is refused whenever a token says it was issued. */
const FOREVER = Number.MAX_SAFE_INTEGER;

export const cutOffPartition = (ring: string) => `CUT#${ring}`;

export function cutOffKey(ring: string, blinded: string): RowKey {
  return { pk: cutOffPartition(ring), sk: blinded };
}

/**
 * Sets, and never lowers: a replay, or an older case, changes nothing (`ERR_CONDITION_FAILED`). The record of it waits
 * in the outbox in the same transaction; it names the subject as the feed does.
 */
export function setCutOff(
  ring: string,
  blinded: string,
  notBefore: number,
  caseId: string,
  now: number,
): Write<'cut-offs:update' | 'cut-offs:put'>[] {
  const record: EvidenceRecord = {
    v: 1,
    id: `cut-off/${ring}/${blinded}/${notBefore}`,
    type: 'subject.cut-off',
    at: now,
    case: caseId,
    ring,
    body: { subject: blinded, notBefore, blocked: true },
  };
  const event = { detailType: 'CutOffSet', detail: { id: record.id, ring } };
  return [
    {
      kind: 'update',
      table: 'cut-offs',
      key: cutOffKey(ring, blinded),
      set: { v: 1, notBefore, blocked: true, refusedUpTo: FOREVER, caseId },
      if: [{ attribute: 'notBefore', is: '<', value: notBefore, orAbsent: true }],
    },
    { kind: 'put', table: 'cut-offs', row: row(outKey(ring, blinded, notBefore), { record, event }), if: ROW_ABSENT },
  ];
}

/** Apart from the cut-offs, which the publisher reads whole. */
function outKey(ring: string, blinded: string, notBefore: number): RowKey {
  return { pk: `CUT-OUT#${ring}`, sk: `${OUTBOX_PREFIX}${blinded}#${notBefore}` };
}

/** Part of the transaction that makes a token real: it fails if the subject was blocked a moment before. */
export function checkNotCutOff(ring: string, blinded: string, iat: number): Write<'cut-offs:check'> {
  const test: Test = { attribute: 'refusedUpTo', is: '<', value: iat, orAbsent: true };
  return { kind: 'check', table: 'cut-offs', key: cutOffKey(ring, blinded), if: [test] };
}

export function parseCutOff(item: Row): CutOff {
  return { blinded: item.sk, notBefore: item.notBefore as number, blocked: item.blocked as boolean };
}
