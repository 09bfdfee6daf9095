/** Jest as a part of a run: its tests are what is counted. Whatever else goes wrong counts as a failure too. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Result, run, timed, tool } from './part';
import { PROJECT } from './run-folder';

export interface JestRun {
  readonly part: string;
  readonly folder: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly niceness?: number;
}

export function jest({ part, folder, args, env, niceness }: JestRun): Promise<Result> {
  return timed(part, async () => {
    const results = join(folder, `${part}.json`);
    const code = await run({
      part,
      command: tool('jest'),
      // Translations are kept from run to run; TMPDIR, where jest would keep them, goes with the run.
      args: [...args, `--cacheDirectory=${join(PROJECT, '.curfew', 'jest')}`, '--json', `--outputFile=${results}`],
      env: { ...env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', CDK_VALIDATION: 'false' },
      niceness,
    });
    return countsOf(results, code);
  });
}

function countsOf(results: string, code: number): { readonly passed: number; readonly failed: number } {
  if (!existsSync(results)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, numFailedTestSuites, numPendingTests, numTodoTests, numTotalTests } =
    JSON.parse(readFileSync(results, 'utf8'));
  // A test that did not run has not passed; a run of nothing has not either.
  const others = numPendingTests + numTodoTests + (numTotalTests === 0 ? 1 : 0);
  const failed = numFailedTests + others;
  // A file that does not load, or a jest that ended otherwise, fails without a failed test.
  return { passed: numPassedTests, failed: code !== 0 && failed === 0 ? Math.max(1, numFailedTestSuites) : failed };
}
