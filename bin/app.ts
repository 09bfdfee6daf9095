/** The CDK app: one configuration, three stacks, evidence ← signing ← offboarding. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { App } from 'aws-cdk-lib';
import { parseConfiguration } from '../lib/config';
import { LambdaBundle } from '../lib/constructs/functions/lambda-bundle';
import { curfewStacks } from '../lib/stacks/curfew-stacks';

const app = new App();
// `cdk deploy -c config=FILE`
const file: unknown = app.node.tryGetContext('config') ?? resolve(__dirname, '..', 'config', 'example.json');
curfewStacks(app, parseConfiguration(JSON.parse(readFileSync(String(file), 'utf8'))), new LambdaBundle());
