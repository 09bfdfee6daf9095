/** One of the three commands (`check`, `test`, `verify:all`): its seed, its folder, its parts, and its last line. */

import { TEST_SEED } from '../support/seeded';
import { type Result, say } from './part';
import { makeRunFolder } from './run-folder';

export interface Run {
  /** For whatever the run writes; gone when it ends. */
  readonly folder: string;
  /** Of this process, without the AWS that somebody may have named in it. */
  readonly env: NodeJS.ProcessEnv;
}

/** Ends the process: with the line `N passed, N failed`, and an exit code that says the same. */
export async function command(script: string, work: (run: Run) => Promise<readonly Result[]>): Promise<never> {
  const started = Date.now();
  say(`TEST_SEED=${TEST_SEED}`);
  const { AWS_ENDPOINT_URL: _endpoint, ...env } = process.env;
  const results: readonly Result[] = await work({ folder: makeRunFolder(), env }).catch((error: unknown) => {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return [{ part: 'the run', passed: 0, failed: 1, seconds: 0 }];
  });
  const sum = (of: (result: Result) => number) => results.reduce((total, result) => total + of(result), 0);
  const failed = results.filter((result) => result.failed > 0).map(({ part }) => part);
  if (failed.length > 0)
    say(`\nfailed: ${failed.join(', ')}; to draw the same again: TEST_SEED=${TEST_SEED} ${script}`);
  say(`\n${script} took ${((Date.now() - started) / 1000).toFixed(0)} s`);
  say(`${sum(({ passed }) => passed)} passed, ${sum((result) => result.failed)} failed`);
  process.exit(failed.length === 0 ? 0 : 1);
}
