/**
 * `npm run verify:all [-- --states N --requests N]`: what is too slow for every change, at night and before a release.
 * The same tests with many more draws (storms, mutants, synthesised configurations, load on the emulator), the
 * scoreboard (a million states of the model, a million requests, a million signatures), and the tests in memory under
 * other seeds. Prints a table of what ran; takes the better part of an hour on two cores.
 */
import { command, type Run } from './loop/command';
import { lint, types, unit } from './loop/in-memory';
import { onLocalAws } from './loop/local-aws';
import { type Result, say, verdictOf } from './loop/part';
import { seedFor } from './support/seeded';

const OTHER_SEEDS = 5;

const scoreboard = ({ env }: Run) =>
  verdictOf({
    part: 'bench',
    command: process.execPath,
    args: ['--import', 'tsx', 'test/bench/run.ts', ...process.argv.slice(2)],
    env,
  });

/** As many as `npm test` draws, from other seeds: what is red by chance shows by many runs, not by long ones. */
async function underOtherSeeds({ folder, env }: Run): Promise<Result[]> {
  const results: Result[] = [];
  for (let n = 1; n <= OTHER_SEEDS; n++) {
    const { CURFEW_THOROUGH: _thorough, ...usual } = env;
    results.push(...(await unit(`seed ${n}`, { folder, env: { ...usual, TEST_SEED: String(seedFor(`seed ${n}`)) } })));
  }
  return results;
}

function table(results: readonly Result[]): void {
  const rows = results.map(({ part, passed, failed, seconds }) => [
    part,
    String(passed),
    String(failed),
    seconds.toFixed(0),
    failed === 0 ? 'ok' : 'FAIL',
  ]);
  const head = ['part', 'passed', 'failed', 'seconds', 'verdict'];
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  say('');
  for (const row of [head, ...rows])
    say(
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

void command('npm run verify:all', async (given) => {
  const run = { ...given, env: { ...given.env, CURFEW_THOROUGH: '1' } };
  const results = [await lint(), await types()];
  // One after the other: the scoreboard measures speeds, and the emulator's load is to be its own.
  results.push(...(await unit('unit', run)), ...(await onLocalAws(run)), await scoreboard(run));
  results.push(...(await underOtherSeeds(run)));
  table(results);
  return results;
});
