/**
 * `npm run bench [-- --states N --requests N]`: measures what the scoreboard asks of key rings, prints one table and
 * writes bench-out/scoreboard.json. A million states and a million requests take some ten minutes; ask for fewer to have
 * it sooner. The exit code says whether every figure reached its goal.
 */

import { TEST_SEED } from '../support/seeded';
import { drillRows } from './drills';
import { modelRows } from './model';
import { rotationRows } from './rotation';
import { type Extent, publish } from './scoreboard';
import { speedRows } from './speed';

const log = (line: string) => process.stdout.write(`${line}\n`);

/** Whole numbers only: a typing error must not measure less than was meant. */
function extentOf(args: readonly string[]): Extent {
  const extent = { states: 1_000_000, requests: 1_000_000 };
  for (let n = 0; n < args.length; n += 2) {
    const [name = '', value = ''] = [args[n]?.slice(2), args[n + 1]];
    if (!Object.hasOwn(extent, name) || !/^[1-9][0-9]*$/.test(value))
      throw new Error(`got ${args[n]} ${value}; allowed: --states N, --requests N, whole and above 0`);
    extent[name as keyof Extent] = Number(value);
  }
  return extent;
}

async function main(): Promise<void> {
  const extent = extentOf(process.argv.slice(2));
  log(`TEST_SEED=${TEST_SEED}`);
  // Speeds first, before anything has filled the heap.
  const speeds = await speedRows();
  const rows = [...modelRows(extent, log), ...(await drillRows(log)), ...(await rotationRows(extent)), ...speeds];
  publish(rows, log);
  process.exitCode = rows.every(({ ok }) => ok) ? 0 : 1;
}

main().catch((error: unknown) => {
  log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 2;
});
