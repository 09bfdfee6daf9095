/** One Lambda of Curfew: its name says its rights (`lib/domain/deployment/rights.ts`), and it gets those and no others. */
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { CurfewError } from '../../domain/base/errors';
import type { DeploymentConfig } from '../../domain/deployment/deployment-config';
import { type FunctionName, RIGHTS, type Right } from '../../domain/deployment/rights';
import { timeOutSeconds } from '../../domain/deployment/time-outs';
import { ENV } from '../../env';
import { pascal } from '../parts/names';
import { pinLogicalId, type Stage, statefulPolicy } from '../parts/stage';
import { grantFor, type Targets } from '../rights/grants';
import { DeadLetters } from './dead-letters';
import type { LambdaCode } from './lambda-bundle';

/** The policies of ring keys name these roles. */
export const RING_ROLES = ['issuer', 'resigner', 'rotator', 'disabler'] as const;
export type RingRole = (typeof RING_ROLES)[number];
/** Key policies name these, ours or those of personal keys: their names are fixed, as a role made anew is another principal. */
const NAMED_ROLES = [...RING_ROLES, 'key-enabler'] as const;
type NamedRole = (typeof NAMED_ROLES)[number];

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
  /**
   * What it must know of the deployment beside that, and has no right to.
   * @default - nothing
   */
  readonly knows?: Partial<DeploymentConfig>;
  /**
   * Runs in the role of this one, where key policies name that role. Both rows of rights are the same.
   * @default - a role of its own
   */
  readonly roleOf?: CurfewFunction;
  /**
   * Runs at once, kept for it and no more.
   * @default - as many as the account has left
   */
  readonly concurrency?: number;
  /** @default 512 */
  readonly memoryMiB?: number;
}

export class CurfewFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;
  readonly logs: LogGroup;
  private readonly rights: readonly Right[];
  private keepsFailures = false;

  constructor(scope: Construct, id: string, props: CurfewFunctionProps) {
    super(scope, id);
    const { name, config, targets, roleOf } = props;
    this.rights = RIGHTS[name];
    const grants = this.rights.map((right) => grantFor(this, name, right, targets));

    this.logs = new LogGroup(this, 'Logs', {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    pinLogicalId(this.logs, `Logs${pascal(name)}`);
    this.role = roleOf ? this.shared(roleOf, name) : this.ownRole(props);

    this.function = new LambdaFunction(this, 'Function', {
      description: `curfew ${config.instance}: ${name}`,
      ...props.lambdas.codeOf(name),
      runtime: Runtime.NODEJS_24_X,
      role: this.role,
      timeout: Duration.seconds(timeOutSeconds(name, config.settings)),
      memorySize: props.memoryMiB ?? 512,
      reservedConcurrentExecutions: props.concurrency,
      logGroup: this.logs,
      loggingFormat: LoggingFormat.JSON,
      environment: {
        [ENV.functionName]: name,
        [ENV.config]: Stack.of(this).toJsonString(
          Object.assign({ ...config, ...props.knows }, ...grants.map((grant) => grant.config)),
        ),
        ...Object.assign({}, ...grants.map((grant) => grant.environment)),
      },
    });
    // Other stacks name it by an export, and an export in use cannot change: they would have to let go of it first.
    pinLogicalId(this.function, `Function${pascal(name)}`);
    this.role.addToPolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [this.logs.logGroupArn],
      }),
    );
    // A shared role has them already.
    if (roleOf) return;
    for (const statement of grants.flatMap((grant) => grant.statements)) this.role.addToPolicy(statement);
  }

  /**
   * For whom a schedule or a rule calls. They hand the call to Lambda and are done: that it failed, nobody else is told,
   * and the dead letters of a schedule hold only what was never handed over.
   */
  keepFailures(): void {
    if (this.keepsFailures) return;
    this.keepsFailures = true;
    this.function.configureAsyncInvoke({
      onFailure: new SqsDestination(DeadLetters.of(this).queue),
      retryAttempts: 1,
      maxEventAge: Duration.hours(1),
    });
    // A function has one: deleting the old one after a move would delete the new one.
    pinLogicalId(this.function.node.findChild('EventInvokeConfig'), `AsyncInvoke${this.node.id}`);
  }

  private ownRole({ name, config, stage }: CurfewFunctionProps): Role {
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      roleName: isNamedRole(name) ? roleNameOf(config.instance, name) : undefined,
    });
    pinLogicalId(role, `Role${pascal(name)}`);
    if (isNamedRole(name)) role.applyRemovalPolicy(statefulPolicy(stage));
    return role;
  }

  /** One right more in either row, and the other function would have it as well. */
  private shared(other: CurfewFunction, name: FunctionName): Role {
    const [ours, theirs] = [this.rights, other.rights].map((rights) => [...rights].sort().join(' '));
    if (ours === theirs) return other.role;
    throw new CurfewError('ERR_CONFIG_INVALID', `${name} shares a role with a function of other rights`, {
      got: this.rights,
      allowed: other.rights,
      fix: 'give both the same row in lib/domain/deployment/rights.ts, or each a role of its own',
    });
  }
}

function isNamedRole(name: FunctionName): name is NamedRole {
  return (NAMED_ROLES as readonly string[]).includes(name);
}
