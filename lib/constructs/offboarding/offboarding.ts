/** Departures: the intake that HR systems call, the case tables, the Lambdas of the workflow, and the latch's deny policy. */
import { Duration, SecretValue, Stack, Tags, Validations } from 'aws-cdk-lib';
import { HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { type IAlarmAction, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Effect, ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { CurfewError } from '../../domain/base/errors';
import type { DeploymentConfig } from '../../domain/deployment/deployment-config';
import { CASE_METRICS, type CaseMetricName, METRICS_NAMESPACE } from '../../domain/deployment/metrics';
import type { HrSourceConfig } from '../../domain/intake/schemes';
import { OUTBOX_PREFIX } from '../../domain/store/table';
import { DeadLetters } from '../functions/dead-letters';
import { FunctionSet, type Functions } from '../functions/function-set';
import { CurfewHttpApi } from '../functions/http-api';
import type { LambdaCode } from '../functions/lambda-bundle';
import { deliver } from '../functions/outbox-source';
import { sweepOutbox } from '../functions/outbox-sweep';
import { CurfewSchedule } from '../functions/schedule';
import { countUnreadable } from '../functions/unreadable';
import { pascal } from '../parts/names';
import { arnOf, CurfewSecret } from '../parts/secret';
import { pinLogicalId, type Stage } from '../parts/stage';
import { curfewTable } from '../parts/table';
import { AccessPolicies } from '../rights/access-policies';
import { parseBreakGlassArns } from '../rights/break-glass';
import { type Targets, WEBHOOK_SECRET } from '../rights/grants';
import type { SigningPlane } from '../ring/signing-plane';
import { CurfewAlarm } from '../watch/alarms';
import { askApprovers } from './ask-approvers';
import { CaseWorkflow } from './case-workflow';

const SOURCE_NAME = /^[a-z][a-z0-9-]{0,30}$/;

export interface OffboardingProps {
  readonly stage: Stage;
  readonly lambdas: LambdaCode;
  readonly signing: SigningPlane;
  /** HR sources by the name in their URL, `POST /hr/{source}`. */
  readonly sources: Readonly<Record<string, Omit<HrSourceConfig, 'secretArn'>>>;
  /**
   * ARNs of IAM users for emergencies: no Lambda may latch or disable them, whatever HR says.
   * @default - none
   */
  readonly breakGlassArns?: readonly string[];
  /**
   * Who may decide about cases in doubt, two of them together: at least three people.
   * @default - nobody; a case in doubt stays held
   */
  readonly approvers?: DeploymentConfig['approvers'];
  /**
   * The SNS topic of the approvers; its policy lets `events.amazonaws.com` publish.
   * @default - none; the alarm HeldCases tells of cases that wait
   */
  readonly approversTopicArn?: string;
}

export class Offboarding extends Construct {
  readonly inboxTable: TableV2;
  readonly casesTable: TableV2;
  readonly peopleTable: TableV2;
  readonly approvalsTable: TableV2;
  readonly http: CurfewHttpApi;
  /** Empty until the HR system's own secret is put there; until then its deliveries are refused. */
  readonly webhookSecrets: Readonly<Record<string, CurfewSecret>>;
  /** Denies everything to whom it is attached, from the moment they carry the tag `curfew:leaver`. */
  readonly denyPolicy: ManagedPolicy;
  readonly workflow: CaseWorkflow;
  readonly functions: Functions;
  /** What people who use the CLI may be granted. */
  readonly access: AccessPolicies;

  constructor(scope: Construct, id: string, props: OffboardingProps) {
    super(scope, id);
    const { stage, lambdas, signing, sources, approvers, approversTopicArn, breakGlassArns = [] } = props;
    const { instance } = signing.config;
    this.inboxTable = curfewTable(this, 'inbox', { stage, stream: true });
    this.casesTable = curfewTable(this, 'cases', { stage, stream: true });
    this.peopleTable = curfewTable(this, 'people', { stage });
    this.approvalsTable = curfewTable(this, 'approvals', { stage, stream: true });
    this.webhookSecrets = Object.fromEntries(
      Object.keys(sources).map((name) => [parseSourceName(name), this.webhookSecret(name, instance, stage)]),
    );
    this.denyPolicy = this.latchPolicy(instance);

    this.http = new CurfewHttpApi(this, 'Http', {
      name: 'intake',
      description: `curfew ${instance}: HR webhooks`,
    });
    const targets: Targets = {
      ...signing.targets,
      tables: {
        ...signing.targets.tables,
        inbox: this.inboxTable,
        cases: this.casesTable,
        people: this.peopleTable,
        approvals: this.approvalsTable,
      },
      webhookSecrets: this.webhookSecrets,
      api: this.http.api,
      hrSources: this.hrSources(sources, stage),
      denyPolicy: this.denyPolicy,
      breakGlassArns: parseBreakGlassArns(breakGlassArns),
    };
    const functions = new FunctionSet(this, { lambdas, stage, config: signing.config, targets });
    // Callees before callers, the workflow after its steps and before those who start it.
    functions.add('latch');
    functions.add('iam-disabler');
    for (const opener of ['latch-release', 'key-enabler', 'subject-release'] as const)
      functions.add(opener, { knows: { approvers } });
    const peopleImport = functions.add('people-import');
    functions.add('planner');
    functions.add('conductor');
    functions.add('prover');
    const rechecker = functions.add('rechecker');
    functions.add('closer');
    this.workflow = new CaseWorkflow(this, 'Workflow', {
      settings: signing.config.settings,
      functions: functions.known,
    });
    const starters = functions.with({ stateMachineArn: this.workflow.stateMachine.stateMachineArn });
    const decider = starters.add('decider', { knows: { approvers } });
    const folder = starters.add('case-folder');
    const ticker = starters.add('ticker', { knows: { approvers } });
    starters.add('taint-opener');
    const approvals = starters.add('approvals', { knows: { approvers } });
    const outbox = functions.add('outbox-offboarding');
    const sweeper = functions.add('sweeper-offboarding');
    const intake = functions.add('intake', { concurrency: signing.publicConcurrency?.intake });
    this.functions = { ...functions.own, ...starters.own };
    this.access = new AccessPolicies(this, 'Access', {
      instance,
      targets: { ...targets, functions: { ...functions.known, ...starters.own } },
    });

    const { alarmActions } = signing;
    const delivered = { instance, alarmActions };
    const streamAges = [
      deliver({ ...delivered, from: [this.inboxTable], to: folder, name: 'case-folder' }),
      deliver({ ...delivered, from: [this.approvalsTable], to: decider, name: 'decider' }),
      deliver({
        ...delivered,
        from: [this.casesTable],
        to: outbox,
        name: 'outbox-offboarding',
        prefix: OUTBOX_PREFIX,
      }),
    ];
    if (approversTopicArn !== undefined)
      askApprovers(this, { instance, eventBus: signing.eventBus, approversTopicArn });
    countUnreadable(outbox, instance);
    sweepOutbox(this, sweeper, instance);
    new CurfewSchedule(this, 'Tick', {
      target: ticker,
      every: ScheduleExpression.rate(Duration.minutes(1)),
      input: {},
    });
    new CurfewSchedule(this, 'Recheck', {
      target: rechecker,
      every: ScheduleExpression.rate(Duration.minutes(1)),
      input: {},
    });
    const deadLetters = DeadLetters.of(this);
    deadLetters.notify(alarmActions);
    const ofCases = caseAlarms(this, instance, alarmActions);
    for (const alarm of [...streamAges, ...ofCases, deadLetters.alarm]) signing.dashboard.addAlarm(alarm);
    this.http.route({
      method: HttpMethod.POST,
      path: '/hr/{source}',
      to: intake,
      throttle: { rateLimit: 20, burstLimit: 50 },
      access: {
        publicBecause: 'every delivery carries a signature over its raw bytes, which the intake verifies first',
      },
    });
    // By IAM, because these have to know who asks: a Lambda that is invoked directly is not told.
    for (const [path, to] of [
      ['/people', peopleImport],
      ['/approvals', approvals],
    ] as const)
      this.http.route({
        method: HttpMethod.POST,
        path,
        to,
        throttle: { rateLimit: 5, burstLimit: 10 },
        access: { authorizer: new HttpIamAuthorizer() },
      });
  }

  /** No secret stands in it: it is where CloudFormation can write as much as this, and the intake has a client for. */
  private hrSources(sources: OffboardingProps['sources'], stage: Stage): CurfewSecret {
    const written = Object.entries(this.webhookSecrets).map(([name, secret]): [string, HrSourceConfig] => {
      const { scheme, corroboration, origin, zone, dateMeans } = sources[name] as Omit<HrSourceConfig, 'secretArn'>;
      return [name, { scheme, corroboration, origin, zone, dateMeans, secretArn: arnOf(secret) }];
    });
    const document = new CurfewSecret(this, 'HrSources', {
      stage,
      logicalId: 'SecretHrSources',
      description: 'curfew: how each HR source signs, and the ARN of its secret; nothing in it is secret',
      secretStringValue: SecretValue.unsafePlainText(Stack.of(this).toJsonString(Object.fromEntries(written))),
    });
    Validations.of(document).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'the stack writes it, and nothing in it is secret',
    });
    return document;
  }

  private webhookSecret(source: string, instance: string, stage: Stage): CurfewSecret {
    const name = pascal(source);
    const secret = new CurfewSecret(this, `Webhook${name}`, {
      stage,
      logicalId: `${WEBHOOK_SECRET}${name}`,
      description: `curfew: verifies deliveries of the HR source ${source}; put the value that the HR system shows`,
    });
    // The doctor may look at secrets with this tag.
    Tags.of(secret).add('curfew:instance', instance);
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'the value is made by the HR system and changed there; both values count while AWSPREVIOUS stands',
    });
    return secret;
  }

  private latchPolicy(instance: string): ManagedPolicy {
    const policy = new ManagedPolicy(this, 'DenyLeavers', {
      description: `curfew ${instance}: denies everything to principals tagged curfew:leaver`,
      statements: [
        new PolicyStatement({
          sid: 'DenyLeavers',
          effect: Effect.DENY,
          actions: ['*'],
          resources: ['*'],
          conditions: { StringLike: { 'aws:PrincipalTag/curfew:leaver': '*' } },
        }),
      ],
    });
    pinLogicalId(policy, 'PolicyDenyLeavers');
    return policy;
  }
}

/** Of the figures that the ticker puts. */
function caseAlarms(scope: Construct, instance: string, actions: readonly IAlarmAction[]): CurfewAlarm[] {
  return (Object.keys(CASE_METRICS) as CaseMetricName[]).map(
    (name) =>
      new CurfewAlarm(scope, name, {
        alarm: name,
        of: `curfew-${instance}`,
        metric: new Metric({ namespace: METRICS_NAMESPACE, metricName: name, dimensionsMap: { Instance: instance } }),
        actions,
        logicalId: `Alarm${name}`,
      }),
  );
}

function parseSourceName(name: string): string {
  if (SOURCE_NAME.test(name)) return name;
  throw new CurfewError('ERR_CONFIG_INVALID', 'the name of an HR source is not a short lower-case name', {
    got: name,
    allowed: String(SOURCE_NAME),
  });
}
