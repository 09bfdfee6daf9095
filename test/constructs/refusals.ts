/** What an app is refused for, as its owner reads it: in the validation report, or in the error that kept it from one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { isCurfewError } from '../../lib/domain/base/errors';
import { newApp } from './synthesised';

export interface Refusal {
  readonly code: string;
  /** Construct path; of an error that was thrown, none. */
  readonly at: string | undefined;
  readonly says: string;
  readonly fix: string | undefined;
}

interface Violation {
  readonly ruleName: string;
  readonly description: string;
  readonly suggestedFix?: string;
  readonly severity: string;
  readonly violatingConstructs: readonly { readonly constructPath: string }[];
}

/** Builds and synthesises an app; an app that is refused must not come through `synth`. */
export function refusalsOf(build: (app: App) => void): Refusal[] {
  // CDK notes where each construct was made: a fifth of the time, for nobody here.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 1;
  try {
    const app = newApp();
    build(app);
    return refusedAtSynth(app);
  } catch (error) {
    if (!isCurfewError(error)) throw error;
    return [{ code: error.code, at: undefined, says: error.message, fix: error.fix }];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

export function refusedAtSynth(app: App): Refusal[] {
  let refused = false;
  try {
    app.synth();
  } catch (error) {
    refused = true;
    if (!(error instanceof Error) || !error.message.includes('A copy of this report')) throw error;
  }
  const found = violationsOf(app).filter(({ severity }) => severity === 'fatal');
  if (refused !== found.length > 0) throw new Error('the report and the outcome of the synth say different things');
  return found.map((violation) => ({
    code: violation.ruleName,
    at: violation.violatingConstructs[0]?.constructPath,
    says: violation.description,
    fix: violation.suggestedFix,
  }));
}

export function warningsOf(app: App): string[] {
  // CDK prints them.
  const printed = jest.spyOn(console, 'error').mockImplementation();
  app.synth();
  printed.mockRestore();
  return violationsOf(app)
    .filter(({ severity }) => severity === 'warning')
    .map(({ description }) => description);
}

function violationsOf(app: App): readonly Violation[] {
  const report = JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8')) as {
    readonly pluginReports: readonly { readonly pluginName: string; readonly violations: readonly Violation[] }[];
  };
  const ours = report.pluginReports.filter(({ pluginName }) => pluginName === 'Curfew');
  if (ours.length > 1) throw new Error(`Curfew reported ${ours.length} times`);
  return ours.flatMap(({ violations }) => violations);
}
