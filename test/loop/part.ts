/** A part of a run: what it is called, what it counted, how long it took. Parts run beside each other and say who speaks. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PROJECT } from './run-folder';

export interface Result {
  readonly part: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

/** What computes gives way to what waits for AWS and has promises about seconds. */
export const GIVES_WAY = 10;
const NAME_WIDTH = 8;
const LEASH = join(__dirname, 'leash.js');

export const say = (line: string) => process.stdout.write(`${line}\n`);

/** Lines of one part, told from those of the others. */
export const speakerOf = (part: string) => (line: string) => say(`${part.padEnd(NAME_WIDTH)}| ${line}`);

export interface Command {
  readonly part: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** @default 0 */
  readonly niceness?: number;
}

/** Runs a command on a leash; answers its exit code. */
export function run({ part, command, args, env = process.env, niceness = 0 }: Command): Promise<number> {
  const speak = speakerOf(part);
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, [LEASH, String(niceness), command, ...args], {
      cwd: PROJECT,
      env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const { pid } = child;
    const end = () => {
      try {
        if (pid !== undefined) process.kill(-pid, 'SIGKILL');
      } catch {
        // It ended on its own a moment ago.
      }
    };
    process.once('exit', end);
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', speak);
    child.on('error', reject);
    child.on('close', (code) => {
      process.removeListener('exit', end);
      done(code ?? 1);
    });
  });
}

export const tool = (name: string) => join(PROJECT, 'node_modules', '.bin', name);

/** A command with one verdict. */
export async function verdictOf(command: Command): Promise<Result> {
  return timed(command.part, async () =>
    (await run(command)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 },
  );
}

/** What breaks off is one failure of its part, and says why. */
export async function timed(
  part: string,
  work: () => Promise<{ readonly passed: number; readonly failed: number }>,
): Promise<Result> {
  const since = Date.now();
  const speak = speakerOf(part);
  const { passed, failed } = await work().catch((error: unknown) => {
    for (const line of textOf(error).split('\n')) speak(line);
    return { passed: 0, failed: 1 };
  });
  const seconds = (Date.now() - since) / 1000;
  speak(`${failed === 0 ? 'ok' : 'FAIL'}: ${passed} passed, ${failed} failed in ${seconds.toFixed(0)} s`);
  return { part, passed, failed, seconds };
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
