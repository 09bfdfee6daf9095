/**
 * Every change of a ring is one transaction: HEAD moves its fence on, if it still is the fence we read; the key
 * changes, if it still is in the state we read; and the record of it waits in the outbox. Two rotators, or a rotator
 * and a departure, can therefore never interleave: the second one's fence is stale, it reads again and asks again.
 */

import type { Json } from '../base/encoding';
import { type EvidenceRecord, type RecordType, storedRecord } from '../evidence/record';
import { put } from '../store/entity';
import { RING_OUT } from '../store/outbox';
import { GATE, GATES, RING_HEAD, type RingHead } from '../store/ring-head';
import { type KeyRecord, RING_KEY } from '../store/ring-key';
import { ordered, ROW_ABSENT, ROW_PRESENT, type Test, valuesOf, type Write } from '../store/table';
import type { Ring } from './ring';

export type KeysWrite = Write<'keys:put' | 'keys:update'>;
export type RecordDraft = {
  readonly type: RecordType;
  readonly body: { readonly [name: string]: Json | undefined };
  readonly case?: string;
};
type Head = {
  readonly set?: Partial<RingHead>;
  readonly remove?: readonly (keyof RingHead)[];
  readonly add?: { readonly [name in keyof RingHead]?: number };
};

export function change(ring: Ring, kid: string, set: Partial<KeyRecord>, tests: readonly Test[]): KeysWrite {
  return { kind: 'update', table: 'keys', key: RING_KEY.key(ring.id, kid), set: valuesOf(set), if: tests };
}

export function is(attribute: string, value: string): Test {
  return { attribute, is: '=', value };
}

export function fenced(
  ring: Ring,
  now: number,
  drafts: readonly RecordDraft[],
  writes: readonly KeysWrite[],
  head: Head = {},
): KeysWrite[] {
  const fence = ring.fence + 1;
  const headWrite: KeysWrite = {
    kind: 'update',
    table: 'keys',
    key: RING_HEAD.key(ring.id),
    set: valuesOf({ ...head.set, fence }),
    remove: head.remove,
    add: head.add,
    if: [
      { attribute: 'fence', is: '=', value: ring.fence },
      head.set?.activeKid === undefined || ring.activeKid === undefined
        ? { attribute: 'pk', is: 'present' }
        : { attribute: 'activeKid', is: '=', value: ring.activeKid },
    ],
  };
  return [headWrite, ...gates(ring.id, head), ...writes, ...outbox(ring.id, fence, now, drafts)];
}

/** What issuing depends on: these members of HEAD stand in every gate as well. */
const GATED: readonly string[] = ['activeKid', 'halted', 'closingAt'];

function gates(ring: string, { set = {}, remove = [] }: Head): KeysWrite[] {
  const changed = Object.fromEntries(Object.entries(valuesOf(set)).filter(([name]) => GATED.includes(name)));
  const gone = remove.filter((name) => GATED.includes(name));
  if (Object.keys(changed).length + gone.length === 0) return [];
  return Array.from({ length: GATES }, (_, n) => ({
    kind: 'update',
    table: 'keys',
    key: GATE.key(ring, n),
    set: changed,
    remove: gone,
    if: ROW_PRESENT,
  }));
}

export function outbox(ring: string, fence: number, now: number, drafts: readonly RecordDraft[]): KeysWrite[] {
  return drafts.map(({ type, body, case: caseId }, n) => {
    const record: EvidenceRecord = {
      v: 1,
      id: `${ring}/${ordered(fence)}.${n}`,
      type,
      at: now,
      case: caseId,
      ring,
      body,
    };
    const event = { detailType: 'KeyStateChanged', detail: { id: record.id, ring, type } };
    return put(RING_OUT, [ring, fence, n], { record: storedRecord(record), event }, ROW_ABSENT);
  });
}
