/** The code of every Lambda: one file per function, bundled when the app is synthesised. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import { CurfewError } from '../../domain/base/errors';
import { type FunctionName, RIGHTS } from '../../domain/deployment/rights';
import { type PortName, portsOpenedFor } from '../../ports-opened';
import { pascal } from '../parts/names';

const PROJECT = resolve(__dirname, '..', '..', '..');

/** The file of a function, under lambdas/: it has the function's name and exports `handler`. */
export function entryOf(name: FunctionName): string {
  return `${name}.ts`;
}

interface FunctionCode {
  readonly code: Code;
  readonly handler: string;
}

/** Where a construct gets the code of a function from. */
export interface LambdaCode {
  codeOf(name: FunctionName): FunctionCode;
}

/** Somebody waits for these: each byte that they load is time that a cold start takes. */
const ON_REQUEST_PATHS: readonly FunctionName[] = ['issuer', 'exchange', 'was-issued', 'well-known', 'intake'];

/** What lib/aws/entry.ts requires for each port. */
const ADAPTER_FILES: Readonly<Record<PortName, string>> = {
  tables: 'dynamodb-tables',
  signer: 'kms-signer',
  ringKeys: 'kms-ring-keys',
  keyDisabler: 'kms-key-disabler',
  keyEnabler: 'kms-key-enabler',
  latchRelease: 'iam',
  iamEnabler: 'iam',
  objects: 's3-objects',
  functions: 'lambda-functions',
  sealer: 'sealer-kms',
  secrets: 'secrets',
  hrSources: 'hr-sources',
  iam: 'iam',
  latch: 'iam',
  iamDisabler: 'iam',
  workflow: 'sfn-workflow',
  stacks: 'stacks',
  events: 'eventbridge-events',
  metrics: 'cloudwatch-metrics',
  http: 'fetch-http',
};
const EVERY_PORT = Object.keys(ADAPTER_FILES) as PortName[];

/**
 * On a request path a bundle holds no adapter but those of its functions' rights; functions with the same ports share
 * one. All other functions share one with every adapter: they have nearly all bytes in common, and a bundle for each
 * took ten times as long to make, to upload and to unpack. In each, a handler stands behind a getter, so a function
 * loads its own and none of the others. All else goes in: an SDK left to the runtime would change under us.
 */
export class LambdaBundle implements LambdaCode {
  /** Folders, by the ports that the bundle in them has adapters for. */
  private readonly built = new Map<string, string>();

  codeOf(name: FunctionName): FunctionCode {
    const ports = portsIn(name);
    const key = ports.join();
    const folder = this.built.get(key) ?? build(`${this.built.size}`, functionsWith(key), ports);
    this.built.set(key, folder);
    return { code: Code.fromAsset(folder), handler: `index.${camel(name)}` };
  }
}

function portsIn(name: FunctionName): readonly PortName[] {
  return ON_REQUEST_PATHS.includes(name) ? [...portsOpenedFor(name)].sort() : EVERY_PORT;
}

function functionsWith(ports: string): FunctionName[] {
  return (Object.keys(RIGHTS) as FunctionName[]).filter((name) => portsIn(name).join() === ports);
}

function build(folder: string, names: readonly FunctionName[], ports: readonly PortName[]): string {
  const missing = names.map(entryOf).filter((entry) => !existsSync(join(PROJECT, 'lambdas', entry)));
  if (missing.length > 0)
    throw new CurfewError('ERR_CONFIG_INVALID', 'a function has no file under lambdas/', { got: missing });
  const outdir = join(folderOfProcess(), folder);
  mkdirSync(outdir, { recursive: true });
  const kept = ports.map((port) => ADAPTER_FILES[port]);
  buildSync({
    stdin: { contents: indexOf(names), resolveDir: join(PROJECT, 'lambdas'), sourcefile: 'index.js' },
    absWorkingDir: PROJECT,
    outfile: join(outdir, 'index.js'),
    bundle: true,
    platform: 'node',
    // Node 24 runs what is written for Node 20, which the local AWS may be running on.
    target: 'node20',
    format: 'cjs',
    // The SDK's ES modules: a third smaller and a third faster to load than its CommonJS.
    mainFields: ['module', 'main'],
    // No right opens these, so nothing asks for them.
    external: Object.values(ADAPTER_FILES).flatMap((file) => (kept.includes(file) ? [] : [`./${file}`])),
    // Names stay: the frames that lib/aws/entry.ts logs say which function of ours failed, and no source map has to be
    // shipped, or read by Node at every cold start. It loads as fast as with short names.
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'error',
  });
  return outdir;
}

let folder: string | undefined;

/** CDK copies an asset when it is named, so the folder serves this process alone. */
function folderOfProcess(): string {
  if (folder !== undefined) return folder;
  const made = join(PROJECT, '.curfew', `lambdas-${process.pid}`);
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  folder = made;
  return made;
}

function indexOf(names: readonly FunctionName[]): string {
  const getters = names.map(
    (name) => `get ${camel(name)}() { return require(${JSON.stringify(`./${entryOf(name)}`)}).handler; }`,
  );
  return `module.exports = {\n${getters.join(',\n')}\n};\n`;
}

function camel(name: string): string {
  const joined = pascal(name);
  return joined.charAt(0).toLowerCase() + joined.slice(1);
}
