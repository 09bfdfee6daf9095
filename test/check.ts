/**
 * `npm run check`: in less than a minute whether a change is worth an `npm test`. Lint, types, and the fast tests of the
 * files that changed in the last commit or since. It says what it ran, and what it left to `npm test`.
 */
import { spawnSync } from 'node:child_process';
import { changedFiles } from './loop/changed';
import { command } from './loop/command';
import { lint, types } from './loop/in-memory';
import { jest } from './loop/jest';
import { say, tool } from './loop/part';
import { PROJECT } from './loop/run-folder';

/** More than two seconds of a core each, or a CDK app: together three quarters of the time that the tests in memory take. */
const SLOW = [
  'test/bin/curfew.test.ts',
  'test/constructs/',
  'test/docs/cli.test.ts',
  'test/docs/deployment.test.ts',
  'test/docs/first-account.test.ts',
  'test/domain/rings/rotation-model.test.ts',
  'test/domain/tlog/merkle.test.ts',
  'test/faults/',
  'test/report/hostile.test.ts',
  'test/scenarios/departure.test.ts',
  'test/scenarios/rights/',
  'test/scenarios/rotation.test.ts',
  'test/scenarios/rotation-model.test.ts',
  'test/scenarios/stubborn-leaver.test.ts',
  'test/store/handlers.test.ts',
];
const isSlow = (test: string) => SLOW.some((slow) => test.startsWith(slow));

/** What tests read without importing it, by how its path looks. */
const READ_BY: readonly { readonly path: RegExp; readonly tests: readonly string[] }[] = [
  { path: /\.ts$/, tests: ['test/architecture'] },
  { path: /\.md$|^package\.json$/, tests: ['test/readme.test.ts', 'test/docs', 'test/architecture'] },
  { path: /^(config|cdk\.json)/, tests: ['test/config.test.ts', 'test/docs'] },
];

function listTests(args: readonly string[], env: NodeJS.ProcessEnv): string[] {
  if (args.length === 0) return [];
  const { stdout } = spawnSync(tool('jest'), ['--listTests', ...args], { cwd: PROJECT, env, encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter((line) => line.endsWith('.test.ts'))
    .map((path) => path.slice(PROJECT.length + 1));
}

function testsOf(changed: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const sources = changed.filter((file) => /\.(ts|js|json)$/.test(file));
  const related = sources.length > 0 ? listTests(['--findRelatedTests', ...sources], env) : [];
  const readers = READ_BY.filter(({ path }) => changed.some((file) => path.test(file))).flatMap(({ tests }) => tests);
  return [...new Set([...related, ...listTests([...new Set(readers)], env)])].sort();
}

void command('npm run check', async ({ folder, env }) => {
  const results = await Promise.all([lint(), types()]);
  const changed = changedFiles();
  const tests = testsOf(changed, env);
  const fast = tests.filter((test) => !isSlow(test));
  if (fast.length > 0)
    results.push(await jest({ part: 'unit', folder, args: ['--maxWorkers=100%', '--runTestsByPath', ...fast], env }));

  say(`\nran lint, types, and ${fast.length} test files that have to do with ${changed.length} changed files`);
  for (const test of [...tests.filter(isSlow), 'the demo and the emulator suites']) say(`  left to npm test: ${test}`);
  return results;
});
