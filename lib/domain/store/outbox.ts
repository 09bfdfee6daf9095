/**
 * What a transaction leaves beside its change: the record of it, and the event. It waits in the table that changed, and
 * leaves with that table's stream, so neither state nor record exists without the other.
 *
 *     RING#{ring} | OUT#{fence}.{n}                        in table keys
 *     CUT-OUT#{ring} | OUT#{blinded}#{notBefore}           in table cut-offs, apart from the cut-offs, which are read whole
 *     CASE#{id} | OUT#{fence}.{n}                          in table cases
 *     APPROVERS | OUT#{n}                                  in table cases: who may approve is of no case
 */
import * as z from 'zod/mini';
import { CurfewError } from '../base/errors';
import { entity, type Schema } from './entity';
import { ringPartition } from './ring-head';
import { jsonObject, text } from './shapes';
import { OUTBOX_PREFIX, ordered, type Row, type RowKey, type TableName, type Value } from './table';

export interface OutboxEvent {
  readonly detailType: string;
  readonly detail: { readonly id: string } & Readonly<Record<string, string | number | boolean>>;
}

export interface Outbox {
  /** Spelled by `evidence/record.ts`, and parsed again by it on the way out. */
  readonly record: { readonly [name: string]: Value | undefined };
  readonly event?: OutboxEvent;
}

const outbox: Schema<Outbox> = z.strictObject({
  record: jsonObject,
  event: z.optional(
    z.strictObject({
      detailType: text,
      detail: z.catchall(z.object({ id: text }), z.union([text, z.number(), z.boolean()])),
    }),
  ),
});

const waits = ({ sk }: { readonly sk: string }) => sk.startsWith(OUTBOX_PREFIX);

export const RING_OUT = entity({
  name: 'record of a ring in the outbox',
  table: 'keys',
  key: (ring: string, fence: number, n: number) => ({
    pk: ringPartition(ring),
    sk: `${OUTBOX_PREFIX}${ordered(fence)}.${n}`,
  }),
  owns: (key) => key.pk.startsWith('RING#') && waits(key),
  part: (ring: string) => ({ pk: ringPartition(ring), prefix: OUTBOX_PREFIX }),
  schema: outbox,
});

export const CUT_OFF_OUT = entity({
  name: 'record of a cut-off in the outbox',
  table: 'cut-offs',
  key: (ring: string, blinded: string, notBefore: number) => ({
    pk: `CUT-OUT#${ring}`,
    sk: `${OUTBOX_PREFIX}${blinded}#${notBefore}`,
  }),
  owns: (key) => key.pk.startsWith('CUT-OUT#') && waits(key),
  schema: outbox,
});

export const CASE_OUT = entity({
  name: 'record of a case in the outbox',
  table: 'cases',
  key: (caseId: string, fence: number, n: number) => ({
    pk: `CASE#${caseId}`,
    sk: `${OUTBOX_PREFIX}${ordered(fence)}.${n}`,
  }),
  owns: (key) => key.pk.startsWith('CASE#') && waits(key),
  part: (caseId: string) => ({ pk: `CASE#${caseId}`, prefix: OUTBOX_PREFIX }),
  schema: outbox,
});

export const APPROVERS_OUT = entity({
  name: 'record of approvers in the outbox',
  table: 'cases',
  key: (n: number) => ({ pk: 'APPROVERS', sk: `${OUTBOX_PREFIX}${ordered(n)}` }),
  owns: (key) => key.pk === 'APPROVERS' && waits(key),
  part: () => ({ pk: 'APPROVERS', prefix: OUTBOX_PREFIX }),
  schema: outbox,
});

const OUTBOXES = [RING_OUT, CUT_OFF_OUT, CASE_OUT, APPROVERS_OUT];

/** A name that a record can carry as its case or its ring. */
const NAME = /^[\w-]{1,64}$/;

/** What the key of a row says of it, even where the row cannot be read. */
export function outboxOf(key: RowKey): {
  readonly table?: TableName;
  readonly case?: string;
  readonly ring?: string;
} {
  const table = OUTBOXES.find(({ owns }) => owns(key))?.table;
  const [, name = ''] = key.pk.split(/#(.*)/s);
  if (table === undefined || !NAME.test(name)) return { table };
  return table === 'cases' ? { table, case: name } : { table, ring: name };
}

/** What a stream delivered, of whichever table: a stream hands out rows as they are, and does not say whose they are. */
export function parseOutbox(row: Row): Outbox {
  const owner = OUTBOXES.find(({ owns }) => owns(row));
  if (owner) return owner.parse(row);
  throw new CurfewError('ERR_ITEM_INVALID', 'a stream delivered a row with the key of no outbox entity', {
    got: { entity: 'outbox', member: 'its key' },
    fix: 'find out who wrote the row; Curfew did not use the row',
  });
}
