/**
 * `npm test`: everything that a change must pass. What computes (lint, types, the tests in memory) runs beside what
 * waits (the demo on a local AWS, and the emulator suites on the deployment that it leaves). Ends with a line
 * `N passed, N failed`; the exit code is the verdict. `TEST_SEED=123 npm test` draws what run 123 drew.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from './loop/jest';
import { onLocalAws } from './loop/local-aws';
import { GIVES_WAY, type Result, say, tool, verdictOf } from './loop/part';
import { makeRunFolder } from './loop/run-folder';
import { TEST_SEED } from './support/seeded';

const started = Date.now();
const folder = makeRunFolder();
const { AWS_ENDPOINT_URL: _endpoint, ...env } = process.env;

async function inMemory(): Promise<Result[]> {
  const niceness = GIVES_WAY;
  const lint = await verdictOf({ part: 'lint', command: tool('biome'), args: ['ci', '--error-on-warnings'], niceness });
  const types = await verdictOf({ part: 'types', command: tool('tsc'), args: ['--noEmit'], niceness });

  // Once, for every test that looks at templates and nothing else.
  const templates = join(folder, 'templates');
  mkdirSync(templates);
  const synthesise = ['--import', 'tsx', 'test/constructs/synthesise-once.ts', templates];
  const synth = await verdictOf({ part: 'synth', command: process.execPath, args: synthesise, niceness });
  const unit = await jest({
    part: 'unit',
    folder,
    args: ['--maxWorkers=100%'],
    env: { ...env, CURFEW_TEMPLATES: templates },
    niceness,
  });
  return [lint, types, synth, unit];
}

async function main(): Promise<void> {
  say(`TEST_SEED=${TEST_SEED}`);
  const results = (await Promise.all([inMemory(), onLocalAws(folder, env)])).flat();
  const sum = (of: (result: Result) => number) => results.reduce((total, result) => total + of(result), 0);
  const failed = results.filter((result) => result.failed > 0).map(({ part }) => part);
  if (failed.length > 0) say(`\nfailed: ${failed.join(', ')}; to draw the same again: TEST_SEED=${TEST_SEED} npm test`);
  say(`\nnpm test took ${((Date.now() - started) / 1000).toFixed(0)} s`);
  say(`${sum(({ passed }) => passed)} passed, ${sum((result) => result.failed)} failed`);
  process.exit(failed.length === 0 ? 0 : 1);
}

main().catch((error: unknown) => {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  say('0 passed, 1 failed');
  process.exit(1);
});
