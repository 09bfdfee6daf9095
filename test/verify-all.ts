/**
 * `npm run verify:all [-- --states N --requests N]`: what is too slow for every change, at night and before a release.
 * The same tests with many more draws (storms, mutants, synthesised configurations, load on the emulator), the
 * scoreboard (a million states of the model, a million requests, a million signatures), and the tests in memory under
 * other seeds. Prints a table of what ran; takes the better part of an hour on two cores.
 */
import { table } from '../bin/edge/terminal';
import { templatesLinted } from './loop/cfn-lint';
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

const WHAT: Readonly<Record<string, string>> = {
  lint: 'lint',
  types: 'types',
  synth: 'the templates that tests look at',
  'cfn-lint': 'the templates of a dozen configurations, read by cfn-lint',
  unit: 'the tests in memory with many draws: storms, mutants, states, synthesised configurations',
  python: 'the local AWS is there',
  ports: 'the adapters, the life of the emulator, and a first deployment that failed',
  demo: 'the demo',
  rings: 'rings on the deployment, under full load',
  emulator: 'every command under every policy, webhooks, the evidence',
  bench: 'the scoreboard: a million states, requests and signatures, speeds against peers',
};

function report(results: readonly Result[]): string {
  const rows = results.map(({ part, passed, failed, seconds }) => [
    part,
    WHAT[part] ?? 'the tests in memory, other draws',
    String(passed),
    String(failed),
    seconds.toFixed(0),
    failed === 0 ? 'ok' : 'FAIL',
  ]);
  return table(['part', 'what ran', 'passed', 'failed', 'seconds', 'verdict'], rows);
}

void command('npm run verify:all', async (given) => {
  const run = { ...given, env: { ...given.env, CURFEW_THOROUGH: '1' } };
  const results = [await lint(), await types(), await templatesLinted(run)];
  // One after the other: the scoreboard measures speeds, and the emulator's load is to be its own.
  results.push(...(await unit('unit', run)), ...(await onLocalAws(run)), await scoreboard(run));
  results.push(...(await underOtherSeeds(run)));
  say(`\n${report(results)}`);
  return results;
});
