/** `departure.test.ts` run against each mutant of the schedule, in a process of its own. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { MUTANTS } from './mutants';

const PROJECT = resolve(__dirname, '../../..');

function fails(env: Readonly<Record<string, string>>): { failed: boolean; said: string } {
  const args = ['node_modules/.bin/jest', 'test/domain/cases/departure.test.ts'];
  const { CURFEW_THOROUGH: _thorough, ...usual } = process.env;
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: PROJECT,
    env: { ...usual, ...env },
    encoding: 'utf8',
  });
  return { failed: status !== 0, said: stderr };
}

test.each(MUTANTS.map(([rule], n) => [rule, String(n)] as const))('without “%s” a test fails', (_rule, n) => {
  const { failed, said } = fails({ CURFEW_MUTANT: n });
  expect(said).not.toContain('no such line any more');
  expect(failed).toBe(true);
});

test('with every rule none does', () => {
  expect(fails({ CURFEW_MUTANT: 'none' }).failed).toBe(false);
});
