/** DynamoDB as the model needs it: items by key and conditions judged as the twin judges them, each call in one step. */
import type { Row, RowKey, TableName, Write } from '../../../lib/domain/store/table';
import { checkTransaction, conditionFailed, keyOf } from '../../../lib/domain/store/transaction';
import { holds, next, type Stored } from '../../../lib/local/tables';

export class ModelStore {
  /** Moves with every change: what is derived from the items holds as long as this stands. */
  version = 0;
  private readonly groups = new Map<string, Map<string, Stored>>();

  get(table: TableName, key: RowKey): Row | undefined {
    return this.groups.get(groupOf(table, key))?.get(key.sk) as Row | undefined;
  }

  /** `prefix` is whole: `HEAD`, or up to and with the first `#` of a sort key. */
  query(table: TableName, pk: string, prefix: string): Row[] {
    return [...(this.groups.get(groupOf(table, { pk, sk: prefix }))?.values() ?? [])] as Row[];
  }

  transact(writes: readonly Write[]): void {
    checkTransaction(writes);
    writes.forEach((write, index) => {
      const found = this.get(write.table, keyOf(write));
      if (!(write.if ?? []).every((test) => holds(test, found))) throw conditionFailed(index, write);
    });
    const after = writes.map((write) => next(write, this.get(write.table, keyOf(write)) as Stored | undefined));
    for (const [index, write] of writes.entries()) if (write.kind !== 'check') this.put(write, after[index]);
    this.version++;
  }

  private put(write: Write, after: Stored | undefined): void {
    const key = keyOf(write);
    const id = groupOf(write.table, key);
    const group = this.groups.get(id) ?? new Map<string, Stored>();
    this.groups.set(id, group);
    if (after) group.set(key.sk, after);
    else group.delete(key.sk);
  }
}

function groupOf(table: TableName, { pk, sk }: RowKey): string {
  const end = sk.indexOf('#') + 1;
  return `${table}|${pk}|${end > 0 ? sk.slice(0, end) : sk}`;
}
