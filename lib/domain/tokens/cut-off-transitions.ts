/** The transitions of a cut-off: set, lifted, never moved back; and what an issuance tests of it. */

import { type EvidenceRecord, storedRecord } from '../evidence/record';
import { CUT_OFF } from '../store/cut-off';
import { put } from '../store/entity';
import { CUT_OFF_OUT } from '../store/outbox';
import { ROW_ABSENT, type Test, type Write } from '../store/table';

/** Beyond every iat: a blocked subject is refused whenever a token says it was issued. */
const FOREVER = Number.MAX_SAFE_INTEGER;

type CutOffWrite = Write<'cut-offs:update' | 'cut-offs:put'>;

/** Whose cut-off it is: `blinded` is the subject as the feed names it. */
interface Whose {
  readonly ring: string;
  readonly blinded: string;
  /** The case that sets it or lifts it. */
  readonly caseId: string;
}

/** Sets, and never lowers: a replay, or an older case, changes nothing (`ERR_CONDITION_FAILED`). */
export function setCutOff(whose: Whose, notBefore: number, now: number): readonly CutOffWrite[] {
  return cutOffWrites(whose, { notBefore, blocked: true, refusedUpTo: FOREVER }, now, [
    { attribute: 'notBefore', is: '<', value: notBefore, orAbsent: true },
  ]);
}

/** From now on tokens of the subject are issued again, and those from before the block stay refused. */
export function liftBlock(whose: Whose, notBefore: number, now: number): readonly CutOffWrite[] {
  return cutOffWrites(whose, { notBefore, blocked: false, refusedUpTo: notBefore }, now, [
    { attribute: 'blocked', is: '=', value: true },
    { attribute: 'notBefore', is: '<', value: notBefore },
  ]);
}

/** The cut-off and its record in one transaction: none of the two is ever there alone. */
function cutOffWrites(
  { ring, blinded, caseId }: Whose,
  set: { readonly notBefore: number; readonly blocked: boolean; readonly refusedUpTo: number },
  now: number,
  where: readonly Test[],
): readonly CutOffWrite[] {
  const { notBefore, blocked } = set;
  const record: EvidenceRecord = {
    v: 1,
    id: `cut-off/${ring}/${blinded}/${notBefore}`,
    type: 'subject.cut-off',
    at: now,
    case: caseId,
    ring,
    body: { subject: blinded, notBefore, blocked },
  };
  const event = { detailType: 'CutOffSet', detail: { id: record.id, ring } };
  return [
    {
      kind: 'update',
      table: 'cut-offs',
      key: CUT_OFF.key(ring, blinded),
      set: { v: CUT_OFF.v, ...set, caseId },
      if: where,
    },
    put(CUT_OFF_OUT, [ring, blinded, notBefore], { record: storedRecord(record), event }, ROW_ABSENT),
  ];
}

/** Part of the transaction that makes a token real: it fails if the subject was blocked a moment before. */
export function checkNotCutOff(ring: string, blinded: string, iat: number): Write<'cut-offs:check'> {
  const test: Test = { attribute: 'refusedUpTo', is: '<', value: iat, orAbsent: true };
  return { kind: 'check', table: 'cut-offs', key: CUT_OFF.key(ring, blinded), if: [test] };
}
