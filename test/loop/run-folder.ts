/**
 * The folder of one run of the tests: everything that it writes for itself, and TMPDIR of every process in it. It goes
 * when the run ends, by whatever signal; what a killed run left behind, the next one removes.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const PROJECT = resolve(__dirname, '..', '..');
const PREFIX = 'curfew-run-';
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export function makeRunFolder(): string {
  removeAbandoned(tmpdir(), PREFIX);
  // A synth makes its bundle, and the local AWS its Python: unless they are killed, they remove what is not finished.
  removeAbandoned(join(PROJECT, '.curfew'), 'lambdas-');
  for (const tool of ['emulator', 'cfn-lint']) removeAbandoned(join(PROJECT, '.curfew', tool), 'making-');
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  process.env.TMPDIR = join(folder, 'tmp');
  mkdirSync(process.env.TMPDIR);
  // What still dies may still write.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  // Whoever else hears of the signal ends what it started first; some then send it once more.
  for (const [signal, code] of Object.entries(SIGNALS))
    process.on(signal, () => setImmediate(() => process.exit(code)));
  return folder;
}

function removeAbandoned(parent: string, prefix: string): void {
  for (const name of namesIn(parent)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (pid > 0 && !isAlive(pid)) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
