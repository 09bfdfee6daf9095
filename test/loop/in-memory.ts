/** The parts that need no AWS: lint, types, one synth for every test that looks at templates, and the tests themselves. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from './command';
import { jest } from './jest';
import { type Result, tool, verdictOf } from './part';

export const lint = (niceness = 0) =>
  verdictOf({ part: 'lint', command: tool('biome'), args: ['ci', '--error-on-warnings'], niceness });
export const types = (niceness = 0) => verdictOf({ part: 'types', command: tool('tsc'), args: ['--noEmit'], niceness });

export async function unit(part: string, { folder, env }: Run, niceness = 0): Promise<Result[]> {
  const templates = join(folder, `${part}-templates`);
  mkdirSync(templates);
  const synthesise = ['--import', 'tsx', 'test/constructs/synthesise-once.ts', templates];
  const synth = await verdictOf({ part: 'synth', command: process.execPath, args: synthesise, niceness });
  const tests = jest({
    part,
    folder,
    args: ['--maxWorkers=100%'],
    env: { ...env, CURFEW_TEMPLATES: templates },
    niceness,
  });
  return [synth, await tests];
}
