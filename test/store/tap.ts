/**
 * Sits between the Lambdas of a world and its tables: notes who reads a row of which entity, and hands out one row spoilt.
 *
 * From the reading on that was chosen, the row stays spoilt for whoever reads it, as a row in a table does.
 */
import { COMMAND_RIGHTS, type CommandName } from '../../lib/domain/deployment/access';
import { type FunctionName, RIGHTS } from '../../lib/domain/deployment/rights';
import { type AnyEntity, ENTITIES, entityOf } from '../../lib/domain/store/entities';
import type { Row, RowKey, TableName } from '../../lib/domain/store/table';
import type { World } from '../../lib/local/world';
import type { Query, Scan, Tables } from '../../lib/ports';
import { siteHere } from './site';

export type Reader = FunctionName | CommandName;

/** One call that handed out a row, or several, of an entity. */
export interface Reading {
  readonly reader: Reader;
  readonly entity: AnyEntity;
  /** The how manyeth of this reader and entity since `begin`. */
  readonly n: number;
  /** From where in the code. */
  readonly site: string;
  readonly row: Row;
}

export interface Spoiling extends Pick<Reading, 'reader' | 'entity' | 'n'> {
  readonly spoil: (row: Row) => Row;
}

/** What counts as an effect beside what `lib/local/interposer.ts` counts: it is seen outside, if nobody need crash there. */
const ALSO_EFFECTS: Readonly<Record<string, string>> = { metrics: 'put', sealer: 'seal' };

export class Tap {
  /** Those whose ports were asked for since `begin`; the first one is whom the call was to. */
  readonly readers: Reader[] = [];
  readonly readings: Reading[] = [];
  /** What was asked for, whether or not there was such a row: `planner: case`. */
  readonly asked = new Set<string>();
  private spoiling: Spoiling | undefined;
  private spoilt: { readonly key: string; readonly message: string; readonly effects: number } | undefined;

  constructor(private readonly world: World) {
    const depsOf = world.deps.bind(world);
    world.deps = (name) => {
      // The deployer runs under the rotator's role, which is the one that key policies name.
      const deps = depsOf(name === 'ring-deployer' ? ('rotator' as typeof name) : name);
      const tables = 'tables' in deps && { tables: this.tablesOf(name, RIGHTS[name]) };
      return this.noted(name, { ...deps, ...tables });
    };
  }

  /** What a command gets from AWS under its row of rights. */
  command(name: CommandName) {
    const { clock, http, functions, ports } = this.world;
    const rights: readonly string[] = COMMAND_RIGHTS[name];
    const invoking = ports.between(name, 'functions', functions.restricted(rights));
    return this.noted(name, { clock, http, functions: invoking, tables: this.tablesOf(name, rights) });
  }

  /** What a stream hands to a Lambda is read by it as well. */
  stream(reader: Reader, table: TableName, rows: readonly Row[]): readonly Row[] {
    return this.handedOut(reader, table, rows, 'its stream');
  }

  /** A new call: nothing is read yet, and one reading of it will be spoilt, or none. */
  begin(spoiling?: Spoiling): void {
    this.readers.length = 0;
    this.readings.length = 0;
    this.spoiling = spoiling;
    this.spoilt = undefined;
    this.world.faults.restart();
  }

  /** What the entity says of the row that was handed out spoilt, and every effect since; undefined if it was not read. */
  end(): { readonly message: string; readonly effectsAfter: readonly string[] } | undefined {
    const { spoilt } = this;
    return spoilt && { message: spoilt.message, effectsAfter: this.world.faults.effects.slice(spoilt.effects) };
  }

  private noted<D extends object>(reader: Reader, deps: D): D {
    this.readers.push(reader);
    const counted = Object.entries(deps).map(([port, held]) => [port, this.counting(port, held)]);
    return Object.fromEntries(counted) as D;
  }

  private counting(port: string, held: object): object {
    const effect = ALSO_EFFECTS[port];
    if (effect === undefined) return held;
    return new Proxy(held, {
      get: (target, name) => {
        if (name === effect) this.world.faults.effects.push(`${port}.${effect}`);
        const member = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  }

  private tablesOf(reader: Reader, rights: readonly string[]): Tables {
    const { tables, ports } = this.world;
    // The twin itself, but for what it hands out: rights, parsing and transactions are its own.
    const tapped: typeof tables = Object.create(tables, {
      get: {
        value: async (table: TableName, key: RowKey) => {
          const site = siteHere();
          const row = await tables.get(table, key);
          return row && this.handedOut(reader, table, [row], site)[0];
        },
      },
      query: {
        value: async (query: Query<TableName>) => {
          const site = siteHere();
          return this.handedOut(reader, query.table, await tables.query(query), site);
        },
      },
      scan: {
        value: async (scan: Scan<TableName>) => {
          const site = siteHere();
          const page = await tables.scan(scan);
          return { ...page, rows: this.handedOut(reader, scan.table, page.rows, site) };
        },
      },
    });
    const parsed: Tables = tapped.restricted(rights);
    const asking = (of: { readonly parse: unknown }) => {
      const entity = ENTITIES.find(({ parse }) => parse === of.parse);
      this.asked.add(`${reader}: ${entity?.name}`);
    };
    return ports.between(reader, 'tables', {
      get: (of, ...key) => {
        asking(of);
        return parsed.get(of, ...key);
      },
      query: (range, options) => {
        asking(range);
        return parsed.query(range, options);
      },
      scan: (scan) => parsed.scan(scan),
      transact: (writes) => parsed.transact(writes),
    } satisfies Tables);
  }

  private handedOut(reader: Reader, table: TableName, rows: readonly Row[], site: string): Row[] {
    const first = new Map<AnyEntity, Row>();
    for (const row of rows) {
      const entity = entityOf(table, row);
      if (entity && !first.has(entity)) first.set(entity, row);
    }
    for (const [entity, row] of first) {
      const n = this.readings.filter((one) => one.reader === reader && one.entity === entity).length;
      this.readings.push({ reader, entity, n, site, row });
      if (this.isChosen(reader, entity, n)) this.spoil(table, row);
    }
    return rows.map((row) => (keyOf(table, row) === this.spoilt?.key ? (this.spoiling?.spoil(row) ?? row) : row));
  }

  private isChosen(reader: Reader, entity: AnyEntity, n: number): boolean {
    const { spoiling } = this;
    return spoiling?.reader === reader && spoiling.entity === entity && spoiling.n === n;
  }

  private spoil(table: TableName, row: Row): void {
    const { spoiling, world } = this;
    if (!spoiling) return;
    this.spoilt = {
      key: keyOf(table, row),
      message: refusalOf(spoiling.entity, spoiling.spoil(row)),
      effects: world.faults.effects.length,
    };
  }
}

function keyOf(table: TableName, { pk, sk }: RowKey): string {
  return JSON.stringify([table, pk, sk]);
}

function refusalOf(entity: AnyEntity, row: Row): string {
  try {
    entity.parse(row);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`a ${entity.name} was read though it was spoilt`);
}
