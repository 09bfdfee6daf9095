/**
 * From a Lambda's environment to its `Deps`, once per cold start, and from its errors to what a caller can rebuild.
 *
 *     export const handler = entry('issuer', async (event: Messages['issuer']['request'], deps) => issue(event, deps));
 *
 * The event is never logged: it may hold a token or a person.
 */

import { CurfewError, isCurfewError } from '../domain/base/errors';
import { type DeploymentConfig, parseDeploymentConfig } from '../domain/deployment/deployment-config';
import type { FunctionName } from '../domain/deployment/rights';
import { paceOf } from '../domain/deployment/time-outs';
import { ENV } from '../env';
import { parsedTables } from '../parsed-tables';
import type { Deps, HrSources } from '../ports';
import { type AllPorts, type PortName, portsOpenedFor } from '../ports-opened';
import { formatCalleeError } from './callee-error';
import { clientSettings } from './client-settings';
import { systemClock } from './clock';
import { errorName } from './errors';
import { systemRandom } from './random';

type Environment = Readonly<Record<string, string | undefined>>;
type Given = { readonly config: DeploymentConfig; readonly environment: Environment; readonly name: FunctionName };

export function entry<F extends FunctionName, Event, Answer>(
  name: F,
  handle: (event: Event, deps: Deps<F>) => Promise<Answer>,
): (event: Event) => Promise<Answer> {
  let deps = openAtStart(name);
  return async (event) => {
    try {
      deps ??= depsFrom(name, process.env);
      return await handle(event, deps);
    } catch (error) {
      logFailure(name, error);
      throw new Error(formatCalleeError(name, error));
    }
  };
}

/**
 * While Lambda starts a host it lends it a whole processor, as far as we know; within a call there is as much as the
 * memory pays for, a third or a half of one. So the clients are loaded here, and the first caller does not wait for it.
 * What goes wrong is not said yet: the first call opens the ports again and answers with the error.
 */
function openAtStart<F extends FunctionName>(name: F): Deps<F> | undefined {
  if (process.env[ENV.functionName] !== name) return undefined;
  try {
    return depsFrom(name, process.env);
  } catch {
    return undefined;
  }
}

/** The ports that the row of this Lambda opens; no other client is even loaded. */
export function depsFrom<F extends FunctionName>(name: F, environment: Environment): Deps<F> {
  const config = parseDeploymentConfig(needed(environment, ENV.config));
  const given = { config, environment, name };
  const opened = [...portsOpenedFor(name)].map((port) => [port, ADAPTERS[port](given)]);
  return { clock: systemClock, random: systemRandom, config, ...Object.fromEntries(opened) } as Deps<F>;
}

/**
 * Loaded when a row of RIGHTS opens them: each SDK client costs a cold start some 60 ms, and few Lambdas need more
 * than two. (`require`, because a CommonJS bundle has no other lazy form.)
 */
const ADAPTERS: { readonly [P in PortName]: (given: Given) => AllPorts[P] } = {
  tables: ({ environment, name }) => {
    const { DynamodbTables, DynamoDBClient } = require('./dynamodb-tables') as typeof import('./dynamodb-tables');
    return parsedTables(
      new DynamodbTables(
        (table) => needed(environment, ENV.table(table)),
        new DynamoDBClient(clientSettings(name)),
        paceOf(name).conflictSeconds,
      ),
    );
  },
  signer: ({ name }) => {
    const { KmsSigner, KMSClient } = require('./kms-signer') as typeof import('./kms-signer');
    return new KmsSigner(new KMSClient(clientSettings(name)));
  },
  ringKeys: ({ config, name }) => {
    const { KmsRingKeys, KMSClient, ResourceGroupsTaggingAPIClient } =
      require('./kms-ring-keys') as typeof import('./kms-ring-keys');
    return new KmsRingKeys(
      config.instance,
      new KMSClient(clientSettings(name)),
      new ResourceGroupsTaggingAPIClient(clientSettings(name)),
    );
  },
  keyDisabler: ({ name }) => {
    const { KmsKeyDisabler, KMSClient } = require('./kms-key-disabler') as typeof import('./kms-key-disabler');
    return new KmsKeyDisabler(new KMSClient(clientSettings(name)));
  },
  objects: ({ environment, name }) => {
    const { S3Objects, S3Client } = require('./s3-objects') as typeof import('./s3-objects');
    return new S3Objects((bucket) => needed(environment, ENV.bucket(bucket)), new S3Client(clientSettings(name)));
  },
  functions: ({ environment, name }) => {
    const { LambdaFunctions, LambdaClient } = require('./lambda-functions') as typeof import('./lambda-functions');
    return new LambdaFunctions(
      (callee) => needed(environment, ENV.function(callee)),
      new LambdaClient(clientSettings(name, 'lambda')),
    );
  },
  sealer: ({ config, environment, name }) => {
    const { KmsSealer, DynamoDBClient, KMSClient } = require('./sealer-kms') as typeof import('./sealer-kms');
    const shredKeyArn = configured(config, 'shredKeyArn');
    return new KmsSealer(
      { shredKeyArn, shredTable: needed(environment, ENV.table('shred')) },
      systemRandom,
      new KMSClient(clientSettings(name)),
      new DynamoDBClient(clientSettings(name)),
    );
  },
  secrets: (given) => {
    const { SecretsManagerSecrets, secretArnIn, SecretsManagerClient } =
      require('./secrets') as typeof import('./secrets');
    const { config, name } = given;
    const sources = config.hrSourcesArn === undefined ? undefined : hrSourcesOf(given);
    const client = new SecretsManagerClient(clientSettings(name));
    return new SecretsManagerSecrets(secretArnIn(config.pepperSecretArn, sources), systemClock, client);
  },
  hrSources: (given) => hrSourcesOf(given),
  iam: ({ name }) => {
    const { AwsIamReader, IAMClient } = require('./iam') as typeof import('./iam');
    return new AwsIamReader(new IAMClient(clientSettings(name)));
  },
  latch: ({ config, name }) => {
    const { AwsIamLatch, IAMClient } = require('./iam') as typeof import('./iam');
    return new AwsIamLatch(configured(config, 'denyPolicyArn'), new IAMClient(clientSettings(name)));
  },
  iamDisabler: ({ name }) => {
    const { AwsIamDisabler, IAMClient } = require('./iam') as typeof import('./iam');
    return new AwsIamDisabler(new IAMClient(clientSettings(name)));
  },
  latchRelease: ({ config, name }) => {
    const { AwsIamLatchRelease, IAMClient } = require('./iam') as typeof import('./iam');
    return new AwsIamLatchRelease(configured(config, 'denyPolicyArn'), new IAMClient(clientSettings(name)));
  },
  iamEnabler: ({ name }) => {
    const { AwsIamEnabler, IAMClient } = require('./iam') as typeof import('./iam');
    return new AwsIamEnabler(new IAMClient(clientSettings(name)));
  },
  keyEnabler: ({ name }) => {
    const { KmsKeyEnabler, KMSClient } = require('./kms-key-enabler') as typeof import('./kms-key-enabler');
    return new KmsKeyEnabler(new KMSClient(clientSettings(name)));
  },
  workflow: ({ config, name }) => {
    const { SfnWorkflow, SFNClient } = require('./sfn-workflow') as typeof import('./sfn-workflow');
    return new SfnWorkflow(configured(config, 'stateMachineArn'), new SFNClient(clientSettings(name)));
  },
  stacks: ({ name }) => {
    const { CloudformationStacks, CloudFormationClient } = require('./stacks') as typeof import('./stacks');
    return new CloudformationStacks(new CloudFormationClient(clientSettings(name)));
  },
  events: ({ config, name }) => {
    const { EventBridgeEvents, EventBridgeClient } =
      require('./eventbridge-events') as typeof import('./eventbridge-events');
    return new EventBridgeEvents(configured(config, 'eventBusName'), new EventBridgeClient(clientSettings(name)));
  },
  metrics: ({ config, name }) => {
    const { CloudwatchMetrics, CloudWatchClient } =
      require('./cloudwatch-metrics') as typeof import('./cloudwatch-metrics');
    return new CloudwatchMetrics(config.instance, new CloudWatchClient(clientSettings(name)));
  },
  http: () => {
    const { FetchHttp } = require('./fetch-http') as typeof import('./fetch-http');
    return new FetchHttp();
  },
};

/** Two ports of one Lambda ask for the same document: it is read once. */
const hrSourcesRead = new WeakMap<Given, HrSources>();

function hrSourcesOf(given: Given): HrSources {
  const known = hrSourcesRead.get(given);
  if (known) return known;
  const { AwsHrSources, SecretsManagerClient } = require('./hr-sources') as typeof import('./hr-sources');
  const { name } = given;
  const client = new SecretsManagerClient(clientSettings(name));
  const sources = new AwsHrSources(configured(given.config, 'hrSourcesArn'), systemClock, client);
  hrSourcesRead.set(given, sources);
  return sources;
}

function needed(environment: Environment, variable: string): string {
  const value = environment[variable];
  if (value) return value;
  throw new CurfewError('ERR_CONFIG_INVALID', `the environment variable ${variable} is not set`, {
    fix: 'grant it in the construct: a grant sets the right and the variable together',
  });
}

function configured(config: DeploymentConfig, member: keyof DeploymentConfig): string {
  const value = config[member];
  if (typeof value === 'string') return value;
  throw new CurfewError('ERR_CONFIG_INVALID', `${member} is missing in ${ENV.config}`, { got: typeof value });
}

/** One line of JSON. Of a cause only its name: AWS's texts and a bug's values may hold what must not be kept. */
export function logFailure(functionName: string, error: unknown): void {
  const said = isCurfewError(error) ? { code: error.code, message: error.message } : { bug: errorName(error) };
  const cause = error instanceof Error && error.cause !== undefined ? errorName(error.cause) : undefined;
  const frames = error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  console.error(JSON.stringify({ level: 'error', function: functionName, ...said, cause, at: frames.slice(0, 8) }));
}
