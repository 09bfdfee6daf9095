/**
 * `npm test`: everything that a change must pass. What computes (lint, types, the tests in memory) runs beside what
 * waits (the demo on a local AWS, and the emulator suites on the deployment that it leaves). Ends with a line
 * `N passed, N failed`; the exit code is the verdict. `TEST_SEED=123 npm test` draws what run 123 drew.
 */
import { command, type Run } from './loop/command';
import { lint, types, unit } from './loop/in-memory';
import { onLocalAws } from './loop/local-aws';
import { GIVES_WAY } from './loop/part';

async function inMemory(run: Run) {
  return [await lint(GIVES_WAY), await types(GIVES_WAY), ...(await unit('unit', run, GIVES_WAY))];
}

void command('npm test', async (run) => (await Promise.all([inMemory(run), onLocalAws(run)])).flat());
