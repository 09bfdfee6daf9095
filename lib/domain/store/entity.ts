/**
 * An entity: one stored shape. It ties together a table, the keys of its rows, a version and a schema, so that what is
 * read from a table is parsed and never believed.
 *
 *     {"pk":"RING#customer-api","sk":"SLOT#000004","v":1,  "slot":4,"state":"INTENT",…}
 *      └──────────── the row's key ─────────────┘ version  └── the members, all of them ──┘
 *
 * A row with an absent member, a member of another type, or a member that its version does not have is refused with
 * `ERR_ITEM_INVALID`. A new member comes with a new version. A reader takes its own version and the one before it:
 * during a deployment an old Lambda still writes while a new one reads.
 */
import { CurfewError } from '../base/errors';
import { checkMembers, type Schema } from './members';
import { type Row, type RowKey, type TableName, type Test, valuesOf } from './table';

export type { Schema } from './members';

/** Says what a schema answers, and has the compiler compare the two. */
export function shape<V>(schema: Schema<V>): Schema<V> {
  return schema;
}

/** A shape of the version before, and how it reads today: `previously` makes one. */
interface Previous<V> {
  readonly read: (check: <O>(schema: Schema<O>) => O) => V;
}

export function previously<O, V>(schema: Schema<O>, upgrade: (stored: O) => V): Previous<V> {
  return { read: (check) => upgrade(check(schema)) };
}

/** What parsing a row needs to know of its shape. */
interface Reading<T extends TableName, M, K> {
  /** What a person calls it: `key of a ring`. */
  readonly name: string;
  readonly table: T;
  readonly v: number;
  /** Which rows of the table are of this shape. */
  readonly owns: (key: RowKey) => boolean;
  readonly schema: Schema<M>;
  readonly previous?: Previous<M>;
  /** What stands in the key and nowhere else. */
  readonly fromKey: (key: RowKey) => K;
}

interface Definition<T extends TableName, A extends readonly unknown[], P extends readonly unknown[], M, K>
  extends Reading<T, M, K> {
  readonly key: (...args: A) => RowKey;
  /** The rows that one query answers: a partition, and how their sort keys begin. */
  readonly part: (...args: P) => { readonly pk: string; readonly prefix?: string };
}

/** `A`: what a key is made of. `P`: what a query asks for. `M`: the members. `K`: what is read off the key. */
export interface Entity<T extends TableName, A extends readonly unknown[], P extends readonly unknown[], M, K>
  extends Definition<T, A, P, M, K> {
  /** Throws `ERR_ITEM_INVALID`, which names table, shape and member, and never a value. */
  readonly parse: (row: Row) => M & K;
  /** The rows of `part`, for `tables.query`. */
  readonly in: (...args: P) => Range<T, M & K>;
  /** One row as it is written; `undefined` members are left out. */
  readonly row: (key: A, members: M) => Row;
}

/** Enough of an entity to read one row by its key. */
export interface Readable<T extends TableName, A extends readonly unknown[], V> {
  readonly table: T;
  readonly key: (...args: A) => RowKey;
  readonly parse: (row: Row) => V;
}

/** What one query asks for. */
export interface Range<T extends TableName, V> {
  readonly table: T;
  readonly pk: string;
  readonly prefix?: string;
  readonly parse: (row: Row) => V;
}

type Given<T extends TableName, A extends readonly unknown[], P extends readonly unknown[], M, K> = Omit<
  Definition<T, A, P, M, K>,
  'v' | 'part' | 'fromKey'
> & {
  readonly v?: number;
  readonly part?: Definition<T, A, P, M, K>['part'];
  readonly fromKey?: Definition<T, A, P, M, K>['fromKey'];
};

export function entity<
  const T extends TableName,
  A extends readonly unknown[],
  P extends readonly unknown[] = [],
  M extends object = object,
  K extends object = object,
>(given: Given<T, A, P, M, K>): Entity<T, A, P, M, K> {
  const whole: Definition<T, A, P, M, K> = {
    v: 1,
    part: () => {
      throw new CurfewError('ERR_INPUT_INVALID', `table ${given.table} has no query for rows of entity ${given.name}`);
    },
    // K is object where nothing is given: there is no other K to say it of.
    fromKey: () => ({}) as K,
    ...given,
  };
  const parse = (row: Row) => parseRow(whole, row);
  return {
    ...whole,
    parse,
    in: (...args) => ({ table: given.table, parse, ...whole.part(...args) }),
    row: (key, members) => ({ ...given.key(...key), v: whole.v, ...valuesOf(members) }),
  };
}

type Named = { readonly name: string; readonly table: string };

function parseRow<M, K>(of: Reading<TableName, M, K>, row: Row): M & K {
  const { pk, sk, v, ...members } = row;
  if (typeof pk !== 'string' || typeof sk !== 'string' || !of.owns({ pk, sk }))
    throw invalid(of, 'its key', 'is not one of this shape');
  return { ...parseMembers(of, v, members), ...of.fromKey({ pk, sk }) };
}

function parseMembers<M>(of: Reading<TableName, M, unknown>, v: unknown, members: object): M {
  if (v === of.v) return checked(of, of.schema, members);
  if (of.previous !== undefined && v === of.v - 1) return of.previous.read((schema) => checked(of, schema, members));
  const known = of.previous === undefined ? `${of.v}` : `${of.v - 1} or ${of.v}`;
  throw invalid(of, 'v', v === undefined ? 'is missing' : `is not ${known}`);
}

function checked<M>(of: Named, schema: Schema<M>, given: object): M {
  const found = checkMembers(schema, given);
  if ('members' in found) return found.members;
  throw invalid(of, found.member, found.what);
}

/** Keys of rows and members may name people: the table, the shape and the member are all that is said. */
function invalid({ name, table }: Named, member: string, what: string): CurfewError {
  return new CurfewError('ERR_ITEM_INVALID', `table ${table} has a ${name} that cannot be read: ${member} ${what}`, {
    got: { table, entity: name, member },
    fix: 'find out who wrote the row, and restore it from a backup of the table; Curfew did not use the row',
  });
}

/** A put of a whole row, under these conditions. */
export function put<T extends TableName, A extends readonly unknown[], M>(
  of: { readonly table: T; readonly row: (key: A, members: M) => Row },
  key: A,
  members: M,
  tests?: readonly Test[],
) {
  return { kind: 'put' as const, table: of.table, row: of.row(key, members), if: tests };
}
