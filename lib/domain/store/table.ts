/**
 * The shape of what is stored: rows, conditions and writes as plain data.
 *
 * Each transition of the data model is a pure function that returns one list of writes, applied as one transaction.
 * A condition that does not hold refuses the whole list (`ERR_CONDITION_FAILED`).
 */
export const TABLES = [
  'keys',
  'ledger',
  'markers',
  'bodies',
  'cut-offs',
  'inbox',
  'cases',
  'approvals',
  'people',
  'log',
  'shred',
] as const;
export type TableName = (typeof TABLES)[number];

type Scalar = string | number | boolean | null;
export type Value = Scalar | readonly Value[] | { readonly [name: string]: Value | undefined };

export interface RowKey {
  readonly pk: string;
  readonly sk: string;
}
export type Row = RowKey & { readonly v: number } & { readonly [attribute: string]: Value | undefined };

/**
 * One test on one attribute of the row as stored. All tests of a write must hold together.
 * `absent` on `pk` means that the row does not exist.
 */
export type Test =
  | { readonly attribute: string; readonly is: 'absent' | 'present' }
  | {
      readonly attribute: string;
      readonly is: '=' | '!=' | '<' | '<=' | '>' | '>=';
      readonly value: Scalar;
      /** The test also holds where the row, or this attribute of it, does not exist. */
      readonly orAbsent?: true;
    }
  | { readonly attribute: string; readonly is: 'in'; readonly values: readonly Scalar[] };

/** How a table may be touched; each verb is one DynamoDB action (get → GetItem, check → ConditionCheckItem, scan → Scan, …). */
export type TableVerb = 'get' | 'query' | 'scan' | 'put' | 'update' | 'delete' | 'check';
export type TableRight = `${TableName}:${TableVerb}`;

/** The tables on which the rights R allow the verb V. */
export type Allowed<R extends TableRight, V extends TableVerb> = {
  [T in TableName]: `${T}:${V}` extends R ? T : never;
}[TableName];

export type Write<R extends TableRight = TableRight> =
  | { readonly kind: 'put'; readonly table: Allowed<R, 'put'>; readonly row: Row; readonly if?: readonly Test[] }
  | {
      readonly kind: 'update';
      readonly table: Allowed<R, 'update'>;
      readonly key: RowKey;
      readonly set?: { readonly [attribute: string]: Value };
      readonly remove?: readonly string[];
      /** Adds to a number attribute; an absent one counts as 0. */
      readonly add?: { readonly [attribute: string]: number };
      /** Appends to the end of a list attribute; an absent one counts as empty. */
      readonly append?: { readonly [attribute: string]: readonly Value[] };
      readonly if?: readonly Test[];
    }
  | {
      readonly kind: 'delete';
      readonly table: Allowed<R, 'delete'>;
      readonly key: RowKey;
      readonly if?: readonly Test[];
    }
  | { readonly kind: 'check'; readonly table: Allowed<R, 'check'>; readonly key: RowKey; readonly if: readonly Test[] };

/** Members as DynamoDB takes them: an interface has no index signature, and what it names is nothing but JSON. */
export function valuesOf(members: object): { readonly [attribute: string]: Value } {
  return members as { readonly [attribute: string]: Value };
}

export const ROW_ABSENT: readonly Test[] = [{ attribute: 'pk', is: 'absent' }];
export const ROW_PRESENT: readonly Test[] = [{ attribute: 'pk', is: 'present' }];

/** Transactions of DynamoDB hold at most this many writes. */
export const TRANSACTION_WRITES_MAX = 100;

/** Sort keys of what waits for the outbox, in whichever table, begin so. */
export const OUTBOX_PREFIX = 'OUT#';

/** A number as a sort key: fixed width, so that text order is number order. */
export function ordered(n: number, width = 6): string {
  return String(n).padStart(width, '0');
}
