/**
 * `npm run demo [-- --out DIR --keep]`: a departure on a local AWS, from `cdk deploy` to the verified evidence.
 *
 * This process supervises and knows no AWS: it makes the run's folder and the PEM, starts the emulator, and runs the
 * story as a child that sees that emulator and nothing else. However it ends, it leaves no process behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Emulator, startEmulator } from './local/emulator';
import { fail } from './terminal';

const PROJECT = resolve(__dirname, '..');
const STORY = join(__dirname, 'local', 'story', 'story.ts');

async function demo(out: string, keep: boolean): Promise<number> {
  const runs = join(PROJECT, '.curfew', 'runs');
  mkdirSync(runs, { recursive: true });
  const dir = mkdtempSync(join(runs, 'demo-'));
  // Made beside its place and renamed when whole: two demos at once never mix, and a failed one replaces nothing.
  const made = mkdtempSync(`${out}.making-`);
  writePem(dir);

  const log = (line: string) => process.stdout.write(`${line}\n`);
  log('0. A local AWS, with IAM enforced, and the same CDK app that AWS would get');
  const emulator = await startEmulator({ dir: join(dir, 'emulator'), log: (line) => log(`  ${line}`) });
  const story = spawn(process.execPath, ['--import', 'tsx', STORY, dir, made], { cwd: PROJECT, env: emulator.env, stdio: ['ignore', 'inherit', 'inherit'] });
  const stop = endWith(story, emulator);
  let exitCode = 2;
  try {
    exitCode = await exitOf(story);
    if (exitCode !== 2) replace(made, out);
    if (exitCode === 0) log(`\nresults: ${out}/summary.json, report.html, evidence/ (curfew evidence verify)`);
  } finally {
    rmSync(made, { recursive: true, force: true });
    if (keep && exitCode !== 2) goOn(emulator, dir, log);
    else await stop();
    if (!keep && exitCode === 0) rmSync(dir, { recursive: true, force: true });
    else log(`the run's own folder: ${dir}`);
  }
  return exitCode;
}

/** The company's old signing key. The story's W-1042 keeps a copy; so does this folder, which is why it is thrown away. */
function writePem(dir: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(dir, 'legacy.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  writeFileSync(join(dir, 'legacy.spki'), publicKey.export({ format: 'der', type: 'spki' }));
}

/** Ctrl-C and kill end the story and the emulator with all its workers, then us. */
function endWith(story: ChildProcess, emulator: Emulator): () => Promise<void> {
  const stop = async () => {
    story.kill('SIGTERM');
    await emulator.stop();
  };
  for (const [signal, exitCode] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]] as const)
    process.once(signal, () => {
      stop().finally(() => process.exit(exitCode));
    });
  return stop;
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

function goOn(emulator: Emulator, dir: string, log: (line: string) => void): void {
  emulator.keep();
  const variables = ['AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'NODE_EXTRA_CA_CERTS'];
  const file = join(dir, 'env.sh');
  writeFileSync(file, variables.map((name) => `export ${name}='${emulator.env[name] ?? ''}'\n`).join(''));
  log(`\nthe local AWS goes on at ${emulator.endpoint}`);
  log(`  . ${file}`);
  log('  npx curfew ring show customer-api --instance demo');
  log(`  kill -- -${emulator.pid}    ends it`);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2),
    options: { out: { type: 'string', default: 'demo-out' }, keep: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (positionals.join() !== 'demo') {
    process.stderr.write('usage: local.ts demo [--out DIR] [--keep]\n');
    return 2;
  }
  return demo(resolve(values.out), values.keep);
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    fail(error);
    process.exit(2);
  },
);
