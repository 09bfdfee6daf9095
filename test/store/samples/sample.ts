/** What a sample is: one whole row of one entity, each member that it may have, under a key of its own. */
import type { Entity } from '../../../lib/domain/store/entity';
import type { Outbox } from '../../../lib/domain/store/outbox';
import type { Row, RowKey, TableName } from '../../../lib/domain/store/table';
import type { AnySchema } from '../schema';

/** An entity without the types of its members: what a test asks of all of them. */
export interface EntityUnderTest {
  readonly name: string;
  readonly table: TableName;
  readonly v: number;
  readonly schema: AnySchema;
  readonly owns: (key: RowKey) => boolean;
  readonly fromKey: (key: RowKey) => object;
  readonly parse: (row: Row) => object;
}

export interface Sample {
  readonly entity: EntityUnderTest;
  readonly members: object;
  readonly row: Row;
  /** The row of the same key with other members. */
  readonly rowWith: (members: object) => Row;
  /** The query that finds the row; undefined where the entity is read by its key alone. */
  readonly range?: { readonly table: TableName; readonly pk: string; readonly prefix?: string };
}

export function sample<
  T extends TableName,
  A extends readonly unknown[],
  P extends readonly unknown[],
  M extends object,
  K extends object,
>(entity: Entity<T, A, P, M, K>, keyArgs: A, members: NoInfer<M>, part?: P): Sample {
  // What parse gives and row takes is compared by the compiler here, and forgotten: the tests ask the same of all.
  return {
    entity,
    members,
    row: entity.row(keyArgs, members),
    rowWith: (others) => entity.row(keyArgs, others as M),
    range: part && entity.in(...part),
  };
}

export const WORKER = 'W-1042';
export const RING = 'customer-api';
export const KID = 'kZ7-_q3V';
export const CASE_ID = 'c-Xb41kQ';
export const AT = 1_800_000_000;
export const DIGEST = 'q'.repeat(43);
export const ARN = 'arn:aws:kms:us-east-1:000000000000:key/7f3a';
/** The only name of the worker in evidence. */
export const PSEUDONYMOUS = 'Qx3v_name';

/** All outboxes hold the same. */
export const OUTBOX: Outbox = {
  record: {
    v: 1,
    id: `${CASE_ID}/opened`,
    type: 'case.opened',
    at: AT,
    body: { pseudonym: PSEUDONYMOUS, deep: [1, null, true] },
  },
  event: { detailType: 'CaseOpened', detail: { id: CASE_ID, open: 2, whole: false } },
};
