/** The command line as people call it: a process of its own, with an environment of its own. */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
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

const TRIES_MAX = 4;

/** On a busy machine a Lambda may not answer in time; the command says so, and may be given again as it was. */
export async function runCliPatiently(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  for (let tries = 1; ; tries++) {
    const ran = await runCli(command, args, env);
    if (!ran.stderr.includes('(ERR_UNAVAILABLE)') || tries === TRIES_MAX) return ran;
    process.stdout.write(`curfew ${args.slice(0, 2).join(' ')} ended with ERR_UNAVAILABLE: given again\n`);
    await pause(tries * 2000);
  }
}
