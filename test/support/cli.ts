/** The command line as people call it: a process of its own, with an environment of its own. */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

const PROJECT = resolve(__dirname, '..', '..');
export const CURFEW = join(PROJECT, 'bin', 'curfew');

/**
 * The same command as one JavaScript file in `dir`, for whoever calls it often: `bin/curfew` translates it each time, which
 * takes four times as long as to run it.
 */
export function bundleCli(dir: string): string {
  const outfile = join(dir, 'curfew.js');
  buildSync({
    entryPoints: [join(PROJECT, 'bin', 'curfew.ts')],
    bundle: true,
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    logLevel: 'error',
    outfile,
  });
  return outfile;
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runCli(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, [command, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].on('data', (chunk) => {
        said[stream] += chunk;
      });
    child.on('error', reject);
    child.on('close', (status) => done({ status, ...said }));
  });
}
