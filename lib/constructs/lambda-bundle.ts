/** The code of every Lambda: which file each function is, and the one esbuild run of a synth that bundles them. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import { CurfewError } from '../domain/base/errors';
import type { FunctionName } from '../domain/deployment/rights';
import { pascal } from './names';

const PROJECT = resolve(__dirname, '..', '..');

/** Under lambdas/. Each file exports `handler`. */
export const ENTRIES: Readonly<Record<FunctionName, string>> = {
  issuer: 'tokens/issuer.ts',
  rotator: 'keys/rotator.ts',
  'ring-deployer': 'keys/ring-deployer.ts',
  taint: 'keys/taint.ts',
  publisher: 'keys/publisher.ts',
  'well-known': 'keys/well-known.ts',
  cutter: 'tokens/cutter.ts',
  recorder: 'tokens/recorder.ts',
  committer: 'tokens/committer.ts',
  disabler: 'keys/disabler.ts',
  resigner: 'tokens/resigner.ts',
  exchange: 'tokens/exchange.ts',
  issued: 'tokens/issued.ts',
  'outbox-signing': 'evidence/outbox.ts',
  watch: 'keys/watch.ts',
  intake: 'intake/hr-webhook.ts',
  'case-folder': 'offboarding/case-folder.ts',
  ticker: 'offboarding/ticker.ts',
  'people-import': 'intake/people-import.ts',
  planner: 'offboarding/planner.ts',
  conductor: 'offboarding/conductor.ts',
  latch: 'offboarding/latch.ts',
  'iam-disabler': 'offboarding/iam-disabler.ts',
  prover: 'offboarding/prover.ts',
  closer: 'offboarding/closer.ts',
  'outbox-offboarding': 'evidence/outbox.ts',
  appender: 'evidence/appender.ts',
  sequencer: 'evidence/sequencer.ts',
};

export interface FunctionCode {
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
    const missing = Object.values(ENTRIES).filter((entry) => !existsSync(join(PROJECT, 'lambdas', entry)));
    if (missing.length > 0)
      throw new CurfewError('ERR_CONFIG_INVALID', 'a function has no file under lambdas/', { got: missing });
    const outdir = join(PROJECT, '.curfew', `lambdas-${process.pid}`);
    mkdirSync(outdir, { recursive: true });
    // CDK copies an asset when it is named, so the folder serves this process alone.
    process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));

    buildSync({
      stdin: { contents: indexOf(ENTRIES), resolveDir: join(PROJECT, 'lambdas'), sourcefile: 'index.js' },
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

function indexOf(entries: Readonly<Record<string, string>>): string {
  const getters = Object.entries(entries).map(
    ([name, file]) => `get ${camel(name)}() { return require(${JSON.stringify(`./${file}`)}).handler; }`,
  );
  return `module.exports = {\n${getters.join(',\n')}\n};\n`;
}

function camel(name: string): string {
  const joined = pascal(name);
  return joined.charAt(0).toLowerCase() + joined.slice(1);
}
