/** The code of every Lambda: one file per function, and the one esbuild run of a synth that bundles them. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import { CurfewError } from '../../domain/base/errors';
import { type FunctionName, RIGHTS } from '../../domain/deployment/rights';
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

/**
 * One bundle for all functions: every handler stands behind a getter, so a function loads its own and none of the
 * others. They share nearly all of their bytes (each knows every adapter), and 26 bundles of the same took ten times as
 * long to make, to upload and to unpack. Everything goes in: an SDK left to the runtime would change under us.
 */
export class LambdaBundle implements LambdaCode {
  private built: string | undefined;

  codeOf(name: FunctionName): FunctionCode {
    return { code: Code.fromAsset(this.build()), handler: `index.${camel(name)}` };
  }

  private build(): string {
    if (this.built !== undefined) return this.built;
    const names = Object.keys(RIGHTS) as FunctionName[];
    const missing = names.map(entryOf).filter((entry) => !existsSync(join(PROJECT, 'lambdas', entry)));
    if (missing.length > 0)
      throw new CurfewError('ERR_CONFIG_INVALID', 'a function has no file under lambdas/', { got: missing });
    const outdir = join(PROJECT, '.curfew', `lambdas-${process.pid}`);
    mkdirSync(outdir, { recursive: true });
    // CDK copies an asset when it is named, so the folder serves this process alone.
    process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));

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
      minify: true,
      sourcemap: true,
      sourcesContent: false,
      logLevel: 'error',
    });
    this.built = outdir;
    return outdir;
  }
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
