/** Finds Python and keeps virtual environments of pinned packages under `.curfew/`: that of the emulator, and of tools. */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CurfewError } from '../lib/domain/base/errors';

export const EMULATOR_PINS = ['ministack==1.5.33', 'cryptography==50.0.2'] as const;
const PYTHON_MINOR_MIN = 10;
const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const OUTPUT_CHARACTERS_SHOWN = 600;

const HOW_TO_INSTALL =
  'install Python 3.10 or newer with its venv module (Debian, Ubuntu: apt install python3 python3-venv; Fedora: dnf install python3; macOS: brew install python3) and run this again';

/** The first Python on the PATH that is new enough and can make virtual environments. */
export function findPython(): string {
  const seen: string[] = [];
  for (const command of CANDIDATES) {
    const asked = spawnSync(command, ['-c', 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])'], {
      encoding: 'utf8',
    });
    if (asked.status !== 0) continue;
    const [major, minor] = asked.stdout.trim().split('.').map(Number);
    if (major === 3 && minor !== undefined && minor >= PYTHON_MINOR_MIN) return command;
    seen.push(`${command} is ${asked.stdout.trim()}`);
  }
  throw new CurfewError('ERR_UNAVAILABLE', `the local AWS needs Python 3.${PYTHON_MINOR_MIN} or newer with venv`, {
    got: seen.length > 0 ? seen : 'no usable Python on the PATH',
    allowed: `3.${PYTHON_MINOR_MIN} or newer`,
    fix: HOW_TO_INSTALL,
  });
}

/** The python of the emulator's environment; makes the environment if it is not there. */
export function emulatorPython(root: string, log: (line: string) => void): Promise<string> {
  return pythonWith(join(root, '.curfew', 'emulator'), EMULATOR_PINS, () =>
    log(`preparing the local AWS (${EMULATOR_PINS.join(', ')}): once, about 110 MB`),
  );
}

/**
 * The python of the environment below `home` that has these packages; makes it if it is not there, and says so before.
 * It is built beside its place and renamed into it: an environment that exists is complete, and of two runs at once
 * the later one throws its copy away. (A virtual environment may be moved as long as it is run as `python -m`.)
 */
export async function pythonWith(home: string, pins: readonly string[], preparing: () => void): Promise<string> {
  const environment = join(home, pins.join('+').replaceAll('==', '-'));
  const python = pythonIn(environment);
  if (existsSync(python)) return python;

  const base = findPython();
  preparing();
  mkdirSync(home, { recursive: true });
  removeAbandoned(home);
  // A folder whose python is gone: the system's Python under it was replaced.
  rmSync(environment, { recursive: true, force: true });
  const making = join(home, `making-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    await run(base, ['-m', 'venv', making]);
    await run(pythonIn(making), [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--no-input',
      '--disable-pip-version-check',
      ...pins,
    ]);
    if (!existsSync(environment)) renameIntoPlace(making, environment);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return python;
}

function pythonIn(environment: string): string {
  return process.platform === 'win32' ? join(environment, 'Scripts', 'python.exe') : join(environment, 'bin', 'python');
}

function renameIntoPlace(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    // The other run came first between our look and our rename; its environment has the same pins.
    if (!existsSync(to)) throw error;
  }
}

/** What a run left behind that was stopped while it was making an environment. */
function removeAbandoned(home: string): void {
  for (const name of readdirSync(home)) {
    const pid = Number(/^making-(\d+)-/.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) rmSync(join(home, name), { recursive: true, force: true });
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

/** Ends with us: a signal that would end this process ends the child first. */
function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const passOn = (signal: NodeJS.Signals) => {
      child.kill('SIGKILL');
      forget();
      process.kill(process.pid, signal);
    };
    const forget = () => {
      for (const signal of ENDING) process.removeListener(signal, passOn);
    };
    for (const signal of ENDING) process.on(signal, passOn);

    let output = '';
    const keep = (chunk: Buffer) => {
      output += chunk;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (code) => {
      forget();
      if (code === 0) return resolve();
      const said = output.trim().slice(-OUTPUT_CHARACTERS_SHOWN);
      reject(
        new CurfewError('ERR_UNAVAILABLE', `${args.slice(0, 3).join(' ')} ended with ${code}: ${said}`, {
          got: code,
          fix: HOW_TO_INSTALL,
        }),
      );
    });
  });
}
