/** One Lambda of Curfew: its name says its rights (`lib/domain/rights.ts`), and it gets those and no others. */
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { DeploymentConfig } from '../domain/deployment';
import { type FunctionName, RIGHTS, type Right } from '../domain/rights';
import { ENV } from '../env';
import { grantFor, type Targets } from './grants';
import type { LambdaCode } from './lambda-bundle';
import { type Stage, statefulPolicy } from './stage';

/** Ring keys' policies name these roles, so their names are fixed: a role made anew is another principal. */
export const NAMED_ROLES = ['issuer', 'resigner', 'rotator', 'disabler'] as const;
export type NamedRole = (typeof NAMED_ROLES)[number];

export function roleNameOf(instance: string, name: NamedRole): string {
  return `curfew-${instance}-${name}`;
}

export interface CurfewFunctionProps {
  readonly name: FunctionName;
  readonly lambdas: LambdaCode;
  readonly stage: Stage;
  /** What every function may know of the deployment; its rights add the rest. */
  readonly config: DeploymentConfig;
  readonly targets: Targets;
  /** @default - 30 seconds */
  readonly timeout?: Duration;
  /** @default 512 */
  readonly memoryMiB?: number;
}

export class CurfewFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;
  readonly logs: LogGroup;

  constructor(scope: Construct, id: string, props: CurfewFunctionProps) {
    super(scope, id);
    const { name, config, targets } = props;
    const grants = (RIGHTS[name] as readonly Right[]).map((right) => grantFor(this, name, right, targets));

    this.logs = new LogGroup(this, 'Logs', {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      roleName: isNamedRole(name) ? roleNameOf(config.instance, name) : undefined,
    });
    if (isNamedRole(name)) this.role.applyRemovalPolicy(statefulPolicy(props.stage));

    this.function = new LambdaFunction(this, 'Function', {
      description: `curfew ${config.instance}: ${name}`,
      ...props.lambdas.codeOf(name),
      runtime: Runtime.NODEJS_24_X,
      role: this.role,
      timeout: props.timeout ?? Duration.seconds(30),
      memorySize: props.memoryMiB ?? 512,
      logGroup: this.logs,
      loggingFormat: LoggingFormat.JSON,
      environment: {
        NODE_OPTIONS: '--enable-source-maps',
        [ENV.functionName]: name,
        [ENV.config]: Stack.of(this).toJsonString(Object.assign({ ...config }, ...grants.map((grant) => grant.config))),
        ...Object.assign({}, ...grants.map((grant) => grant.environment)),
      },
    });
    this.role.addToPolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [this.logs.logGroupArn],
      }),
    );
    for (const statement of grants.flatMap((grant) => grant.statements)) this.role.addToPolicy(statement);
  }
}

function isNamedRole(name: FunctionName): name is NamedRole {
  return (NAMED_ROLES as readonly string[]).includes(name);
}
