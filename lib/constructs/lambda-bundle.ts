/** The code of every Lambda: which file each function is, and one esbuild run a synth that bundles all of them. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import { CurfewError } from '../domain/errors';
import type { FunctionName } from '../domain/rights';

const PROJECT = resolve(__dirname, '..', '..');

/** Under lambdas/. Each file exports `handler`. */
export const ENTRIES: Readonly<Record<FunctionName, string>> = {
  issuer: 'tokens/issuer.ts',
  rotator: 'keys/rotator.ts',
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

/** Where a construct gets the code of a function from. */
export interface LambdaCode {
  codeOf(name: FunctionName): Code;
}

/** Bundles on first use. Everything goes in: an SDK left to the runtime would change under us. */
export class LambdaBundle implements LambdaCode {
  private built: string | undefined;

  codeOf(name: FunctionName): Code {
    return Code.fromAsset(join(this.build(), slug(ENTRIES[name])));
  }

  private build(): string {
    if (this.built !== undefined) return this.built;
    const outdir = join(PROJECT, '.curfew', `lambdas-${process.pid}`);
    const entries = [...new Set(Object.values(ENTRIES))];
    const missing = entries.filter((entry) => !existsSync(join(PROJECT, 'lambdas', entry)));
    if (missing.length > 0)
      throw new CurfewError('ERR_CONFIG_INVALID', 'a function has no file under lambdas/', { got: missing });
    mkdirSync(outdir, { recursive: true });
    // CDK copies an asset when it is named, so the folder serves this process alone.
    process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));

    buildSync({
      absWorkingDir: PROJECT,
      entryPoints: Object.fromEntries(entries.map((entry) => [`${slug(entry)}/index`, join('lambdas', entry)])),
      outdir,
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

function slug(entry: string): string {
  return entry.replace(/\.ts$/, '').replaceAll('/', '-');
}
