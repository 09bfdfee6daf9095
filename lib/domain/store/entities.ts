/** Every entity: what may stand in a table at all. A row that none of them owns was not written by this version. */
import { APPROVAL, PENDING_APPROVAL } from './approval';
import { CASE, DUE_MARKER, RECHECK_MARKER } from './case';
import { CASE_ITEM, CASE_LIST, CASE_PLAN } from './case-items';
import { CUT_OFF } from './cut-off';
import { DELIVERY, PENDING_DELIVERY } from './inbox';
import { BODY, LEDGER_ROW, MARKER } from './ledger';
import { LOG_HEAD, LOG_RECORD, PENDING_RECORD } from './log';
import { APPROVERS_OUT, CASE_OUT, CUT_OFF_OUT, RING_OUT } from './outbox';
import { EXPOSURE, IMPORT, PENDING_IMPORT, PRINCIPAL } from './people';
import { GATE, RING_ENTRY, RING_HEAD } from './ring-head';
import { KID_POINTER, RING_KEY, SLOT } from './ring-key';
import { WRAPPED_KEY } from './shred';
import type { Row, RowKey, TableName } from './table';
import { SHARD_PASS, WAVE } from './wave';
import { APPROVERS, DUE_WORKER, PSEUDONYM, SAID, SCHEDULE, SHUT } from './worker';

/** As much of an entity as tells whose a row is, and whether it can be read. */
export interface AnyEntity {
  readonly name: string;
  readonly table: TableName;
  readonly v: number;
  readonly owns: (key: RowKey) => boolean;
  readonly parse: (row: Row) => unknown;
}

export const ENTITIES: readonly AnyEntity[] = [
  RING_HEAD,
  GATE,
  RING_ENTRY,
  RING_KEY,
  SLOT,
  KID_POINTER,
  WAVE,
  RING_OUT,
  LEDGER_ROW,
  BODY,
  MARKER,
  SHARD_PASS,
  CUT_OFF,
  CUT_OFF_OUT,
  DELIVERY,
  PENDING_DELIVERY,
  CASE,
  CASE_ITEM,
  CASE_LIST,
  CASE_PLAN,
  CASE_OUT,
  DUE_MARKER,
  RECHECK_MARKER,
  SAID,
  SCHEDULE,
  PSEUDONYM,
  DUE_WORKER,
  APPROVERS,
  APPROVERS_OUT,
  SHUT,
  PRINCIPAL,
  EXPOSURE,
  IMPORT,
  PENDING_IMPORT,
  APPROVAL,
  PENDING_APPROVAL,
  LOG_HEAD,
  LOG_RECORD,
  PENDING_RECORD,
  WRAPPED_KEY,
];

/** The one entity that owns this row; undefined where none does. */
export function entityOf(table: TableName, key: RowKey): AnyEntity | undefined {
  return ENTITIES.find((entity) => entity.table === table && entity.owns(key));
}
