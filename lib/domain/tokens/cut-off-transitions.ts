/** The transitions of a cut-off: set, lifted, never moved back; and what an issuance tests of it. */

import { type EvidenceRecord, storedRecord } from '../evidence/record';
import { CUT_OFF } from '../store/cut-off';
import { put } from '../store/entity';
import { CUT_OFF_OUT } from '../store/outbox';
import { ROW_ABSENT, type Test, type Write } from '../store/table';

/** Beyond every iat: a blocked subject is refused whenever a token says it was issued. */
const FOREVER = Number.MAX_SAFE_INTEGER;

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
      key: CUT_OFF.key(ring, blinded),
      set: { v: CUT_OFF.v, notBefore, blocked: true, refusedUpTo: FOREVER, caseId },
      if: [{ attribute: 'notBefore', is: '<', value: notBefore, orAbsent: true }],
    },
    put(CUT_OFF_OUT, [ring, blinded, notBefore], { record: storedRecord(record), event }, ROW_ABSENT),
  ];
}

/** From now on tokens of the subject are issued again, and those from before the block stay refused. */
export function liftBlock(
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
    body: { subject: blinded, notBefore, blocked: false },
  };
  const event = { detailType: 'CutOffSet', detail: { id: record.id, ring } };
  return [
    {
      kind: 'update',
      table: 'cut-offs',
      key: CUT_OFF.key(ring, blinded),
      set: { v: CUT_OFF.v, notBefore, blocked: false, refusedUpTo: notBefore, caseId },
      if: [
        { attribute: 'blocked', is: '=', value: true },
        { attribute: 'notBefore', is: '<', value: notBefore },
      ],
    },
    put(CUT_OFF_OUT, [ring, blinded, notBefore], { record: storedRecord(record), event }, ROW_ABSENT),
  ];
}

/** Part of the transaction that makes a token real: it fails if the subject was blocked a moment before. */
export function checkNotCutOff(ring: string, blinded: string, iat: number): Write<'cut-offs:check'> {
  const test: Test = { attribute: 'refusedUpTo', is: '<', value: iat, orAbsent: true };
  return { kind: 'check', table: 'cut-offs', key: CUT_OFF.key(ring, blinded), if: [test] };
}
