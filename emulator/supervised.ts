/**
 * A child that never outlives us: it leads a process group of its own, so that one signal ends it with everything it
 * started, and it watches a pipe that ends when we do, however we end.
 */
import { type ChildProcess, spawn } from 'node:child_process';

/** Runs one of our own scripts, which calls `endWithParent` first. */
export function spawnSupervised(script: readonly string[], cwd: string, env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', ...script], {
    cwd,
    env,
    detached: true,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
}

/** Ends the child and all that it started, at once. */
export function endSupervised({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  process.kill(-pid, 'SIGKILL');
}

/** In the child: when the parent is gone, so are we, and the CDK CLI that we may be waiting for. */
export function endWithParent(): void {
  process.stdin.on('end', () => process.kill(-process.pid, 'SIGKILL'));
  process.stdin.resume();
  // Watching is no reason to stay: without this the pipe alone would keep us running.
  (process.stdin as typeof process.stdin & { unref(): void }).unref();
}
