/** What DynamoDB asks of any transaction before it looks at a single item (TransactWriteItems, "Constraints"). */
import { CurfewError } from '../base/errors';
import { type RowKey, TRANSACTION_WRITES_MAX, type Write } from './table';

export function keyOf(write: Write): RowKey {
  return write.kind === 'put' ? { pk: write.row.pk, sk: write.row.sk } : write.key;
}

/** Refuses what could never be applied, whatever is stored: too many writes, two on one item, an update of nothing. */
export function checkTransaction(writes: readonly Write[]): void {
  if (writes.length < 1 || writes.length > TRANSACTION_WRITES_MAX)
    throw new CurfewError('ERR_INPUT_INVALID', `the transaction does not have 1 to ${TRANSACTION_WRITES_MAX} writes`, {
      got: writes.length,
      fix: 'split it where a crash between the parts is harmless',
    });

  const touched = new Set<string>();
  writes.forEach((write, index) => {
    const { pk, sk } = keyOf(write);
    if (pk === '' || sk === '')
      throw refused(index, write, 'has an empty key', 'give pk and sk at least one character');

    const item = JSON.stringify([write.table, pk, sk]);
    if (touched.has(item)) throw refused(index, write, 'touches an item a second time', 'merge the two writes');
    touched.add(item);

    if (write.kind === 'update') checkUpdate(index, write);
  });
}

function checkUpdate(index: number, write: Extract<Write, { kind: 'update' }>): void {
  const attributes = [write.set, write.add, write.append].flatMap((part) => Object.keys(part ?? {}));
  attributes.push(...(write.remove ?? []));
  if (attributes.length === 0) throw refused(index, write, 'changes nothing', 'use kind check');
  if (new Set(attributes).size < attributes.length)
    throw refused(
      index,
      write,
      'changes one attribute twice',
      'name each attribute in one of set, remove, add, append',
    );
  if (attributes.includes('pk') || attributes.includes('sk'))
    throw refused(index, write, 'changes the key', 'put another item');
}

function refused(index: number, write: Write, what: string, fix: string): CurfewError {
  return new CurfewError('ERR_INPUT_INVALID', `write ${index} (${write.kind} ${write.table}) ${what}`, {
    got: { write: index },
    fix,
  });
}

/** The one spelling of a refused condition. Keys may name people, so the message has only the place in the list. */
export function conditionFailed(index: number, write: Write, cause?: unknown): CurfewError {
  return new CurfewError(
    'ERR_CONDITION_FAILED',
    `write ${index} (${write.kind} ${write.table}) was refused by its condition; nothing was written`,
    { got: { write: index }, fix: 'read again and decide again', cause },
  );
}
