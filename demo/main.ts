/**
 * `npm run demo [-- --out DIR --keep]`: a departure on a local AWS, from `cdk deploy` to the verified evidence.
 * However it ends, it leaves no process behind; with `--keep` it leaves exactly one, and says how to end it.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fail } from '../bin/edge/terminal';
import { type Played, playDemo } from './play';

const log = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: 'demo-out' }, keep: { type: 'boolean', default: false } },
  });
  const played = await playDemo(resolve(values.out), log);
  const { exitCode, dir, emulator } = played;
  if (exitCode !== 2)
    log(`\nresults in ${values.out}: report.html to read, summary.json, evidence/ for curfew evidence verify`);
  if (values.keep && exitCode !== 2) keepRunning(played);
  else await emulator.stop();

  if (exitCode === 0 && !values.keep) rmSync(dir, { recursive: true, force: true });
  else log(`the run's own folder: ${dir}`);
  return exitCode;
}

function keepRunning({ emulator, dir }: Played): void {
  emulator.keep();
  const variables = [
    'AWS_ENDPOINT_URL',
    'AWS_REGION',
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'NODE_EXTRA_CA_CERTS',
  ];
  const file = join(dir, 'env.sh');
  writeFileSync(file, variables.map((name) => `export ${name}='${emulator.env[name] ?? ''}'\n`).join(''));
  log(`\nthe local AWS goes on at ${emulator.endpoint}`);
  log(`  . ${file}`);
  log('  npx curfew ring show customer-api --instance demo');
  log(`  kill -- -${emulator.pid}    ends it`);
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    fail(error);
    process.exit(2);
  },
);
