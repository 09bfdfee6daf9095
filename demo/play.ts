/**
 * Plays the demo under supervision. This process knows no AWS: it makes the run's folder and the PEM, starts the
 * emulator, and runs the story as a child that sees that emulator and nothing else.
 */
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Emulator, startEmulator } from '../emulator/emulator';
import { endSupervised, spawnSupervised } from '../emulator/supervised';

const PROJECT = resolve(__dirname, '..');
const STORY = join(__dirname, 'story.ts');

export interface Played {
  /** 0: every check ok. 1: one was not. 2: it broke off, and there are no results. */
  readonly exitCode: number;
  /** Still running: the caller stops it, or lets it go on. */
  readonly emulator: Emulator;
  /** The run's own folder: configuration, cloud assembly, emulator. */
  readonly dir: string;
}

/** @param runs folder in which the run makes its own */
export async function playDemo(
  out: string,
  log: (line: string) => void,
  runs = join(PROJECT, '.curfew', 'runs'),
): Promise<Played> {
  mkdirSync(runs, { recursive: true });
  const dir = mkdtempSync(join(runs, 'demo-'));
  // Made beside its place and renamed when whole: two demos at once never mix, and a failed one replaces nothing.
  mkdirSync(resolve(out, '..'), { recursive: true });
  const made = mkdtempSync(`${out}.making-`);
  writePem(dir);

  log('0. A local AWS, with IAM enforced, and the same CDK app that AWS would get');
  const emulator = await startEmulator({ dir: join(dir, 'emulator'), log: (line) => log(`  ${line}`) });
  const story = spawnSupervised([STORY, dir, made], PROJECT, emulator.env);
  endOnSignals(story, emulator, [made, dir]);
  const exitCode = await exitOf(story);
  if (exitCode !== 2) replace(made, out);
  rmSync(made, { recursive: true, force: true });
  return { exitCode, emulator, dir };
}

/** The company's old signing key. The story's W-1042 keeps a copy; so does this folder, which is why it is thrown away. */
function writePem(dir: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(dir, 'legacy.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  writeFileSync(join(dir, 'legacy.spki'), publicKey.export({ format: 'der', type: 'spki' }));
}

/** Ctrl-C and kill end the story and the emulator with all its workers, then us; what was begun is thrown away. */
function endOnSignals(story: ChildProcess, emulator: Emulator, folders: readonly string[]): void {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)
    process.once(signal, () => {
      endSupervised(story);
      const exit = () => {
        for (const folder of folders) rmSync(folder, { recursive: true, force: true });
        process.exit(exitCode);
      };
      emulator.stop().then(exit, exit);
    });
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((done, reject) => {
    child.once('error', reject);
    child.once('close', (code) => done(code ?? 2));
  });
}

function replace(made: string, out: string): void {
  if (existsSync(out)) rmSync(out, { recursive: true });
  renameSync(made, out);
}
