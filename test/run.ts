/**
 * `npm test`: lint, types, unit, contract, architecture and scenario tests, then the demo on a local AWS, and the
 * emulator tests on the deployment that it leaves. Ends with a line `N passed, N failed`; the exit code is the verdict.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { playDemo } from '../demo/play';

const PROJECT = resolve(__dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'curfew-test-'));
const tally = { passed: 0, failed: 0 };
const log = (line: string) => process.stdout.write(`${line}\n`);

/** A tool that has one verdict. */
function tool(name: string, args: readonly string[]): void {
  log(`\n# ${name}`);
  count(
    name,
    spawnSync(join(PROJECT, 'node_modules', '.bin', name), args, { cwd: PROJECT, stdio: 'inherit' }).status === 0,
  );
}

function jest(name: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  log(`\n# jest: ${name}`);
  const results = join(scratch, `${name}.json`);
  const { status } = spawnSync(
    join(PROJECT, 'node_modules', '.bin', 'jest'),
    [...args, '--json', `--outputFile=${results}`],
    {
      cwd: PROJECT,
      // Figures that tests print go to standard output; jest's own report to standard error.
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...env, CDK_VALIDATION: 'false', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    },
  );
  const { numPassedTests, numFailedTests, numFailedTestSuites, numTotalTests } = JSON.parse(
    readFileSync(results, 'utf8'),
  );
  tally.passed += numPassedTests;
  tally.failed += numFailedTests;
  // A suite that does not load, and a run of nothing, fail without a failed test.
  if (status !== 0 && numFailedTests === 0) tally.failed += Math.max(1, numFailedTestSuites);
  if (numTotalTests === 0) count(`${name} ran no test`, false);
}

function count(name: string, ok: boolean): void {
  if (ok) tally.passed += 1;
  else {
    tally.failed += 1;
    log(`FAIL ${name}`);
  }
}

async function onLocalAws(): Promise<void> {
  log('\n# the demo, on a local AWS');
  const out = join(scratch, 'demo-out');
  const { exitCode, emulator, dir } = await playDemo(out, log);
  try {
    count('npm run demo', exitCode === 0);
    const env = { ...emulator.env, CURFEW_DEMO_OUT: out, CURFEW_DEMO_DIR: dir };
    if (exitCode !== 2) jest('emulator', ['--runInBand', 'test/emulator'], env);
  } finally {
    await emulator.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const { AWS_ENDPOINT_URL: _endpoint, ...env } = process.env;
  tool('biome', ['ci', '--error-on-warnings']);
  tool('tsc', ['--noEmit']);
  jest('unit', [], env);
  await onLocalAws();
}

function end(): never {
  rmSync(scratch, { recursive: true, force: true });
  log(`\n${tally.passed} passed, ${tally.failed} failed`);
  process.exit(tally.failed === 0 ? 0 : 1);
}

main().then(end, (error: unknown) => {
  log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  tally.failed += 1;
  end();
});
