/** The whole app, synthesised from the example configuration, without bundling a single Lambda. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { parseConfiguration } from '../../lib/config';
import type { LambdaCode } from '../../lib/constructs/functions/lambda-bundle';
import type { Stage } from '../../lib/constructs/parts/stage';
import { curfewStacks } from '../../lib/stacks/curfew-stacks';
import type { Resources } from './templates';

export * from './templates';

process.env.CDK_VALIDATION = 'false';

const PROJECT = resolve(__dirname, '..', '..');
export const EXAMPLE = JSON.parse(readFileSync(join(PROJECT, 'config', 'example.json'), 'utf8')) as Record<
  string,
  unknown
>;
const { context } = JSON.parse(readFileSync(join(PROJECT, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> };

export const NO_CODE: LambdaCode = {
  codeOf: () => ({ code: Code.fromInline('exports.handler = async () => undefined'), handler: 'index.handler' }),
};

/** An app with the flags that `cdk.json` sets, without what only a reader of `cdk.out` looks at. */
export function newApp(): App {
  // CDK notes where each construct was made: of the hundred frames that Jest keeps, a few will do.
  Error.stackTraceLimit = Math.min(Error.stackTraceLimit, 10);
  return new App({ context, treeMetadata: false, stackTraces: false });
}

/** `changes` to the example configuration. An app is synthesised once: what is to be added comes before. */
export function unsynthesised(stage: Stage = 'production', changes: Readonly<Record<string, unknown>> = {}) {
  const app = newApp();
  return { app, stacks: curfewStacks(app, parseConfiguration({ ...EXAMPLE, stage, ...changes }), NO_CODE) };
}

export function synthesise(stage?: Stage, changes?: Readonly<Record<string, unknown>>) {
  const { app, stacks } = unsynthesised(stage, changes);
  const resources = (stack: Stack) => Template.fromStack(stack).toJSON().Resources as Resources;
  return {
    app,
    stacks,
    evidence: resources(stacks.evidence),
    signing: resources(stacks.signing),
    offboarding: resources(stacks.offboarding),
  };
}
