/**
 * DynamoDB in memory, with its refusals: conditions, the limits of a transaction, and the rights of the caller.
 * A transaction is applied in one synchronous step, so it is serialisable with every other.
 */
import { sha256 } from '../domain/base/encoding';
import { CurfewError } from '../domain/base/errors';
import { entityOf } from '../domain/store/entities';
import type { Row, RowKey, TableName, TableRight, TableVerb, Test, Value, Write } from '../domain/store/table';
import { checkTransaction, conditionFailed, keyOf } from '../domain/store/transaction';
import { parsedTables } from '../parsed-tables';
import type { Query, Rows, Scan, Tables } from '../ports';
import { Weather } from './weather';

export type Stored = Record<string, Value | undefined> & RowKey;

const SCAN_ROWS = 10;

export class MemoryTables implements Rows {
  private readonly rows = new Map<TableName, Map<string, Stored>>();
  /** The same rows by table and `pk`: a query reads its partition, and not the table. */
  private readonly partitions = new Map<TableName, Map<string, Map<string, Stored>>>();
  private readonly inserted = new Map<TableName, Row[]>();
  /** Settles when the transaction before is done: two never overlap. */
  private done: Promise<unknown> = Promise.resolve();

  constructor(private readonly weather: Weather = new Weather('', {})) {}

  async get(table: TableName, key: RowKey): Promise<Row | undefined> {
    await null; // let other callers interleave, as a network would
    const found = this.find(table, key);
    return found && (structuredClone(found) as Row);
  }

  async query({ table, pk, prefix = '', descending, limit }: Query<TableName>): Promise<Row[]> {
    await null;
    const found = [...(this.partitionsOf(table).get(pk)?.values() ?? [])]
      .filter(({ sk }) => sk.startsWith(prefix))
      .map((row) => ({ row, bytes: Buffer.from(row.sk) }));
    found.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    if (descending) found.reverse();
    return found.slice(0, limit).map(({ row }) => structuredClone(row) as Row);
  }

  /** A page is ten rows, so that callers meet more than one, and empty ones. */
  async scan({ table, prefix, segment, segments, after }: Scan<TableName>) {
    await null;
    const part = [...this.partitionsOf(table)]
      .filter(([pk]) => sha256(pk).readUInt32BE() % segments === segment)
      .flatMap(([, rows]) => [...rows])
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const rest = part.filter(([id]) => after === undefined || id > idOf(after)).map(([, row]) => row);
    const page = rest.slice(0, SCAN_ROWS);
    const last = rest.length > page.length ? page.at(-1) : undefined;
    return {
      rows: page.filter(({ sk }) => sk.startsWith(prefix)).map((row) => structuredClone(row) as Row),
      ...(last && { next: { pk: last.pk, sk: last.sk } }),
    };
  }

  /** `check` may refuse a row as it would stand; then nothing is written. */
  async transact(writes: readonly Write[], check?: (table: TableName, row: Row) => void): Promise<void> {
    await null;
    checkTransaction(writes);
    const before = this.done;
    let end = () => {};
    this.done = new Promise<void>((resolve) => {
      end = resolve;
    });
    try {
      await before;
      await this.apply(writes, check);
    } finally {
      end();
    }
  }

  private async apply(writes: readonly Write[], check?: (table: TableName, row: Row) => void): Promise<void> {
    writes.forEach((write, index) => {
      const found = this.find(write.table, keyOf(write));
      if (!(write.if ?? []).every((test) => holds(test, found))) throw conditionFailed(index, write);
    });
    // Built before anything is stored: an update that cannot be applied refuses the whole list.
    const after = writes.map((write) => next(write, this.find(write.table, keyOf(write))));
    for (const [index, write] of writes.entries()) {
      const row = after[index];
      if (row && write.kind !== 'check') check?.(write.table, row as Row);
    }
    const readBetween =
      writes.length > 1 && this.weather.strikes('dynamodb.item-by-item') ? this.weather.below(writes.length) : -1;
    for (const [index, write] of writes.entries()) {
      this.store(write, after[index]);
      // Readers are let in between two rows: reads are consistent row by row, not with a transaction.
      if (index === readBetween) await new Promise(setImmediate);
    }
  }

  /** What a DynamoDB stream would have carried as INSERT since the last call, in order. Drives outboxes and the inbox. */
  takeStream(table: TableName): Row[] {
    const taken = this.inserted.get(table) ?? [];
    this.inserted.delete(table);
    return taken;
  }

  /** Everything a table holds, for the assertions of a test. */
  dump(table: TableName): Row[] {
    return [...this.of(table).values()].map((row) => structuredClone(row) as Row);
  }

  /** Parsed, with every right: what a test reads of the tables. */
  get parsed(): Tables {
    return parsedTables(this);
  }

  /** The same tables as a caller with these rights sees them: what it reads is parsed, and so is what it wrote. */
  restricted<R extends TableRight>(rights: readonly string[]): Tables<R> {
    const need = (table: string, verb: TableVerb) => {
      if (!rights.includes(`${table}:${verb}`))
        throw new CurfewError('ERR_RIGHT_MISSING', `the right ${table}:${verb} is missing`, {
          got: `${table}:${verb}`,
          allowed: rights,
          fix: 'add it to the row in RIGHTS, if this Lambda really needs it',
        });
    };
    return parsedTables<R>({
      get: async (table, key) => {
        need(table, 'get');
        return this.get(table, key);
      },
      query: async (query) => {
        need(query.table, 'query');
        return this.query(query);
      },
      scan: async (scan) => {
        need(scan.table, 'scan');
        return this.scan(scan);
      },
      transact: async (writes) => {
        for (const { table, kind } of writes as readonly Write[]) need(table, kind);
        await this.transact(writes as readonly Write[], checkReadable);
      },
    });
  }

  private of(table: TableName): Map<string, Stored> {
    const rows = this.rows.get(table) ?? new Map<string, Stored>();
    this.rows.set(table, rows);
    return rows;
  }

  private partitionsOf(table: TableName): Map<string, Map<string, Stored>> {
    const partitions = this.partitions.get(table) ?? new Map<string, Map<string, Stored>>();
    this.partitions.set(table, partitions);
    return partitions;
  }

  private find(table: TableName, key: RowKey): Stored | undefined {
    return this.of(table).get(idOf(key));
  }

  private store(write: Write, after: Stored | undefined): void {
    if (write.kind === 'check') return;
    const key = keyOf(write);
    const id = idOf(key);
    const rows = this.of(write.table);
    const partitions = this.partitionsOf(write.table);
    const partition = partitions.get(key.pk) ?? new Map<string, Stored>();
    if (after && !rows.has(id)) {
      const stream = this.inserted.get(write.table) ?? [];
      stream.push(structuredClone(after) as Row);
      this.inserted.set(write.table, stream);
    }
    if (after) {
      rows.set(id, after);
      partitions.set(key.pk, partition.set(id, after));
    } else {
      rows.delete(id);
      partition.delete(id);
    }
  }
}

const idOf = ({ pk, sk }: RowKey): string => JSON.stringify([pk, sk]);

/** The row as it will stand. Values pass through JSON, which copies them and drops undefined members as the SDK does. */
export function next(write: Write, found: Stored | undefined): Stored | undefined {
  if (write.kind === 'delete') return undefined;
  if (write.kind === 'check') return found;
  if (write.kind === 'put') return copy(write.row) as Stored;

  const row: Stored = { ...(found ?? write.key), ...(copy(write.set ?? {}) as object) };
  for (const name of write.remove ?? []) delete row[name];
  for (const [name, by] of Object.entries(write.add ?? {})) row[name] = number(name, row[name] ?? 0) + by;
  for (const [name, tail] of Object.entries(write.append ?? {}))
    row[name] = [...list(name, row[name] ?? []), ...(copy(tail) as Value[])];
  return row;
}

function copy(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function number(name: string, value: Value): number {
  if (typeof value === 'number') return value;
  throw new CurfewError('ERR_INPUT_INVALID', `add needs a number in ${name}`, { got: typeof value });
}

function list(name: string, value: Value): readonly Value[] {
  if (Array.isArray(value)) return value;
  throw new CurfewError('ERR_INPUT_INVALID', `append needs a list in ${name}`, { got: typeof value });
}

/** One test on the row as stored. Unless it says `orAbsent`, a comparison with what is not there does not hold. */
export function holds(test: Test, row: Readonly<Record<string, unknown>> | undefined): boolean {
  const stored = row?.[test.attribute];
  if ('values' in test) return test.values.some((value) => value === stored);
  if (!('value' in test)) return (stored === undefined) === (test.is === 'absent');
  if (stored === undefined) return test.orAbsent === true;
  if (test.is === '=') return stored === test.value;
  if (test.is === '!=') return stored !== test.value;
  const order = compare(stored, test.value);
  if (order === undefined) return false;
  return { '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[test.is];
}

/** DynamoDB orders numbers with numbers and text with text (by UTF-8 bytes); anything else has no order. */
function compare(a: unknown, b: unknown): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return undefined;
}

/** What a Lambda writes it, or another one, will have to read: a row that no entity knows is a bug of the writer. */
export function checkReadable(table: TableName, row: Row): void {
  const entity = entityOf(table, row);
  if (entity === undefined)
    throw new CurfewError('ERR_ITEM_INVALID', `no entity owns what was written to table ${table}`, {
      got: { pk: row.pk, sk: row.sk },
      fix: 'declare it in lib/domain/store',
    });
  entity.parse(row);
}
