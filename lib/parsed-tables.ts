/** Tables over rows: what is read is parsed by its entity before anybody sees it. */
import type { TableRight } from './domain/store/table';
import type { Rows, Tables } from './ports';

export function parsedTables<R extends TableRight>(rows: Rows<R>): Tables<R> {
  return {
    async get(of, ...key) {
      const row = await rows.get(of.table, of.key(...key));
      return row && of.parse(row);
    },
    async query({ table, pk, prefix, parse }, options = {}) {
      return (await rows.query({ table, pk, prefix, ...options })).map(parse);
    },
    scan: (scan) => rows.scan(scan),
    transact: (writes) => rows.transact(writes),
  };
}
