/** Entities down, readers across, and in each cell how many spoilt rows were tried. */
import { table } from '../../bin/edge/terminal';
import type { Reader } from './tap';

interface Tried {
  readonly reader: Reader;
  readonly entity: string;
  readonly rows: number;
}

/** Readers with a number each, because their names are longer than a column. */
export function matrixOf(tried: readonly Tried[]): string {
  const readers = [...new Set(tried.map(({ reader }) => reader))].sort();
  const entities = [...new Set(tried.map(({ entity }) => entity))];
  const rowsOf = (entity: string, reader: Reader) =>
    tried.find((one) => one.entity === entity && one.reader === reader)?.rows;
  const cells = entities.map((entity) => [entity, ...readers.map((reader) => String(rowsOf(entity, reader) ?? ''))]);
  const legend = readers.map((reader, n) => `${n + 1} ${reader}`).join(', ');
  const total = tried.reduce((sum, { rows }) => sum + rows, 0);
  return [
    table(['entity', ...readers.map((_, n) => String(n + 1))], cells),
    legend,
    `${total} spoilt rows, ${tried.length} pairs of an entity and who reads it`,
  ].join('\n');
}
