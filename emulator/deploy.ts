/**
 * Deploys the CDK app as `cdk deploy` would to AWS: bootstrap, then all stacks, through CloudFormation.
 * Runs in a process whose environment is an emulator's (`Emulator.env`); it never chooses an account itself.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { CurfewError } from '../lib/domain/base/errors';
import { LOCAL_ACCOUNT, LOCAL_REGION } from './emulator';

const PROJECT = resolve(__dirname, '..');
const CDK = join(PROJECT, 'node_modules', 'aws-cdk', 'bin', 'cdk');
const OUTPUT_LINES_KEPT = 40;

/** CloudFormation outputs: by stack name, then by output name. */
export type Outputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface DeployOptions {
  /** Folder for the configuration, the cloud assembly and the outputs; two runs at once need one each. */
  readonly dir: string;
  /** What `lib/config.ts` parses. */
  readonly configuration: object;
  /** The command that synthesises. @default - as cdk.json says */
  readonly app?: string;
  /** The account has been bootstrapped by an earlier deploy. @default false */
  readonly isBootstrapped?: boolean;
  /** `--no-rollback`: what failed stays as far as it came, and the next deploy goes on from there. @default false */
  readonly isKeptOnFailure?: boolean;
  readonly log: (line: string) => void;
}

export async function deploy({
  dir,
  configuration,
  app,
  isBootstrapped,
  isKeptOnFailure,
  log,
}: DeployOptions): Promise<Outputs> {
  const config = resolve(dir, 'config.json');
  const outputs = resolve(dir, 'outputs.json');
  const assembly = resolve(dir, 'cdk.out');
  writeFileSync(config, JSON.stringify(configuration, undefined, 2));

  if (!isBootstrapped) {
    log('cdk bootstrap');
    await cdk(['bootstrap', `aws://${LOCAL_ACCOUNT}/${LOCAL_REGION}`, '--app', ''], log);
  }
  log('cdk deploy --all');
  await cdk(
    [
      'deploy',
      '--all',
      '--require-approval=never',
      '--concurrency=2',
      '--progress=events',
      `--output=${assembly}`,
      `--outputs-file=${outputs}`,
      `--context=config=${config}`,
      ...(app ? ['--app', app] : []),
      ...(isKeptOnFailure ? ['--no-rollback'] : []),
    ],
    log,
  );
  return JSON.parse(readFileSync(outputs, 'utf8')) as Outputs;
}

/** Takes the stacks of a deployment away, those that stand on others first. */
export async function destroy({ dir, configuration, log }: Pick<DeployOptions, 'dir' | 'configuration' | 'log'>) {
  const config = resolve(dir, 'config.json');
  writeFileSync(config, JSON.stringify(configuration, undefined, 2));
  log('cdk destroy --all');
  await cdk(['destroy', '--all', '--force', `--output=${resolve(dir, 'cdk.out')}`, `--context=config=${config}`], log);
}

/** One call of the CDK CLI in node_modules; what it says of whole stacks is passed on. */
function cdk(args: readonly string[], log: (line: string) => void): Promise<void> {
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, [CDK, ...args, '--no-notices', '--no-version-reporting', '--ci'], {
      cwd: PROJECT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        // The validator costs three seconds a synth; the same templates are validated by the tests.
        CDK_VALIDATION: 'false',
        CDK_DISABLE_CLI_TELEMETRY: 'true',
        CDK_DISABLE_VERSION_CHECK: '1',
        NO_COLOR: '1',
      },
    });
    const last: string[] = [];
    const keep = (line: string) => {
      last.push(line);
      if (last.length > OUTPUT_LINES_KEPT) last.shift();
      if (/^[✅❌]|^\S+: deploying/u.test(line.trim())) log(line.trim());
    };
    createInterface({ input: child.stdout }).on('line', keep);
    createInterface({ input: child.stderr }).on('line', keep);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) return done();
      reject(
        new CurfewError('ERR_UNAVAILABLE', `cdk ${args[0]} ended with ${code}:\n${last.join('\n')}`, { got: code }),
      );
    });
  });
}
