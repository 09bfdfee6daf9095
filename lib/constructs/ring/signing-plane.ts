/**
 * Everything that touches ring keys: their tables, the Lambdas that make, use and end them, and the HTTP API on which
 * tokens are issued and the public documents stand. Rings are added with `SigningKeyRing`.
 */
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { CurfewError } from '../../domain/base/errors';
import type { DeploymentConfig } from '../../domain/deployment/deployment-config';
import { ISSUE_PER_SECOND } from '../../domain/deployment/throttles';
import type { Exemption } from '../../domain/rings/exemption';
import { OUTBOX_PREFIX } from '../../domain/store/table';
import type { EvidenceLog } from '../evidence/evidence-log';
import { type CurfewFunction, RING_ROLES, type RingRole, roleNameOf } from '../functions/curfew-function';
import { DeadLetters } from '../functions/dead-letters';
import { FunctionSet, type Functions } from '../functions/function-set';
import { CurfewHttpApi, type Throttle } from '../functions/http-api';
import type { LambdaCode } from '../functions/lambda-bundle';
import { deliver } from '../functions/outbox-source';
import { sweepOutbox } from '../functions/outbox-sweep';
import { type PublicConcurrency, parsePublicConcurrency } from '../functions/public-concurrency';
import { CurfewSchedule } from '../functions/schedule';
import { alarmOnUnreadable } from '../functions/unreadable';
import { curfewBucket } from '../parts/bucket';
import { pascal } from '../parts/names';
import { type CdnOptions, PublicCdn } from '../parts/public-cdn';
import { CurfewSecret } from '../parts/secret';
import { pinLogicalId, type Stage, statefulPolicy } from '../parts/stage';
import { curfewTable } from '../parts/table';
import type { Targets } from '../rights/grants';
import { CurfewRules } from '../rules/curfew-rules';
import { PurposeKey } from '../rules/purpose-key';
import { CurfewAlarm } from '../watch/alarms';
import { CurfewDashboard } from './dashboard';
import { fillPublicBaseUrl, refusalsOfPublicBaseUrl } from './public-base-url';
import { ofAnyRing, Watch } from './ring-watch';
import { turnTaintedAtOnce } from './turn-tainted';

/**
 * By what stops with it. The feed serves 5,000 verifiers at one poll in 5 s; without it they refuse every token. JWKS
 * are cached for minutes, a token is exchanged once in a wave, and `issued` is asked in doubt only.
 */
const THROTTLES = {
  issue: { rateLimit: ISSUE_PER_SECOND, burstLimit: 1000 },
  feed: { rateLimit: 1000, burstLimit: 2000 },
  wellKnown: { rateLimit: 200, burstLimit: 400 },
  exchange: { rateLimit: 100, burstLimit: 200 },
  wasIssued: { rateLimit: 50, burstLimit: 100 },
} as const satisfies Record<string, Throttle>;
const PUBLIC = 'public keys and digests: what every verifier must be able to read without credentials';

export interface SigningPlaneProps {
  readonly stage: Stage;
  readonly lambdas: LambdaCode;
  readonly evidence: EvidenceLog;
  /**
   * Where the public documents are served, without a trailing slash; `{apiId}` stands for the id of the API made here,
   * `{region}` for the Region of its stack, `{cdn}` for the host of its CDN.
   */
  readonly publicBaseUrl: string;
  /**
   * CloudFront before the public documents; `{}` with a name that CloudFront gives.
   * @default - none: the API serves them
   */
  readonly cdn?: CdnOptions;
  /**
   * What is let through for a time, of what synth refuses. All of them stand in the record of every ring.
   * @default - nothing is
   */
  readonly exemptions?: readonly Exemption[];
  /**
   * Whom the alarms tell, and that they are over.
   * @default - nobody: they show on the dashboard, and `curfew doctor` says that they are silent
   */
  readonly alarmActions?: readonly IAlarmAction[];
  /**
   * Caps on the functions that strangers may call, those of the offboarding included.
   * @default - none: a new account has too few runs for them
   */
  readonly publicConcurrency?: PublicConcurrency;
}

export class SigningPlane extends Construct {
  readonly stage: Stage;
  readonly exemptions: readonly Exemption[];
  readonly alarmActions: readonly IAlarmAction[];
  readonly publicConcurrency: PublicConcurrency | undefined;
  readonly ownTables: Readonly<Record<'keys' | 'ledger' | 'markers' | 'bodies' | 'cut-offs', TableV2>>;
  readonly publicBucket: Bucket;
  readonly feedKey: PurposeKey;
  /** Blinds subjects in the feed; verifiers get it with the feed keys they pin. */
  readonly pepper: CurfewSecret;
  readonly eventBus: EventBus;
  readonly http: CurfewHttpApi;
  /** Undefined where none was asked for. */
  readonly cdn: PublicCdn | undefined;
  readonly publicBaseUrl: string;
  readonly functions: Functions;
  readonly config: DeploymentConfig;
  /** What the offboarding functions may be granted here. */
  readonly targets: Targets;
  /** Applies ring configurations: custom resources of `SigningKeyRing`. */
  readonly ringProvider: Provider;
  readonly rotator: CurfewFunction;
  readonly publisher: CurfewFunction;
  readonly watch: Watch;
  readonly watchSilent: CurfewAlarm;
  readonly dashboard: CurfewDashboard;
  private readonly rings = new Set<string>();

  constructor(scope: Construct, id: string, props: SigningPlaneProps) {
    super(scope, id);
    const { stage, lambdas, evidence, publicBaseUrl, cdn, exemptions = [], alarmActions = [] } = props;
    this.stage = stage;
    this.exemptions = exemptions;
    this.alarmActions = alarmActions;
    this.publicConcurrency = props.publicConcurrency && parsePublicConcurrency(props.publicConcurrency);
    CurfewRules.of(this).exempt(this, exemptions);
    this.http = new CurfewHttpApi(this, 'Http', {
      name: 'signing',
      description: `curfew ${evidence.config.instance}: issue, exchange and public documents`,
    });
    const { instance, settings } = evidence.config;
    this.cdn = cdn && new PublicCdn(this, 'Cdn', { ...cdn, instance, settings, api: this.http.api });
    const { region } = Stack.of(this);
    const served = { apiId: this.http.api.apiId, region, cdn: this.cdn && { ...cdn, host: this.cdn.host } };
    this.publicBaseUrl = fillPublicBaseUrl(publicBaseUrl, served);
    for (const error of refusalsOfPublicBaseUrl(publicBaseUrl, served)) CurfewRules.of(this).refuse(this, error);
    this.config = { ...evidence.config, publicBaseUrl: this.publicBaseUrl };

    const bodiesKey = new Key(this, 'BodiesKey', {
      description: 'curfew: encrypts the bodies of issued tokens',
      enableKeyRotation: true,
      removalPolicy: statefulPolicy(stage),
    });
    pinLogicalId(bodiesKey, 'KeyBodies');
    this.ownTables = {
      keys: curfewTable(this, 'keys', { stage, stream: true }),
      ledger: curfewTable(this, 'ledger', { stage }),
      markers: curfewTable(this, 'markers', { stage }),
      bodies: curfewTable(this, 'bodies', { stage, encryptionKey: bodiesKey }),
      'cut-offs': curfewTable(this, 'cut-offs', { stage, stream: true }),
    };
    this.publicBucket = curfewBucket(this, 'public');
    this.feedKey = new PurposeKey(this, 'FeedKey', { purpose: 'feed', stage });
    this.pepper = new CurfewSecret(this, 'Pepper', {
      stage,
      logicalId: 'SecretPepper',
      description: 'curfew: blinds subjects in the feed',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
    Validations.of(this.pepper).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'every published cut-off is blinded with it: another value would lift them all',
    });
    // CDK would name it after its place in the tree: a bus that moved would be another one, without your rules.
    this.eventBus = new EventBus(this, 'Events', {
      eventBusName: `curfew-${instance}`,
      description: `curfew ${instance}`,
    });
    pinLogicalId(this.eventBus, 'EventBusSigning');

    const own: Targets = {
      ...evidence.targets,
      instance,
      tables: { ...evidence.targets.tables, ...this.ownTables },
      tableKeys: { bodies: bodiesKey },
      buckets: { ...evidence.targets.buckets, public: this.publicBucket },
      feedKey: this.feedKey,
      pepper: this.pepper,
      eventBus: this.eventBus,
      roleArns: this.roleArns(evidence.config.instance),
    };
    const functions = new FunctionSet(this, { lambdas, stage, config: this.config, targets: own });
    // Callees before callers: a right to invoke names a function that is there.
    const issuer = functions.add('issuer', { memoryMiB: 1024 });
    this.publisher = functions.add('publisher');
    this.feedKey.allowSigner(this.publisher.role);
    // Where the API serves the public documents itself, that is where they are read back from the first one on.
    const knows = publicBaseUrl.includes('{apiId}') ? {} : { apiBaseUrl: this.http.api.apiEndpoint };
    this.rotator = functions.add('rotator', { knows });
    const ringDeployer = functions.add('ring-deployer', { roleOf: this.rotator, knows });
    turnTaintedAtOnce(this, { eventBus: this.eventBus, rotator: this.rotator, instance });
    functions.add('disabler');
    functions.add('taint');
    functions.add('halt');
    functions.add('cutter');
    const resigner = functions.add('resigner', { memoryMiB: 1024 });
    functions.add('recorder');
    const committer = functions.add('committer');
    const exchange = functions.add('exchange', { concurrency: this.publicConcurrency?.exchange });
    const wasIssued = functions.add('was-issued', { concurrency: this.publicConcurrency?.['was-issued'] });
    const wellKnown = functions.add('well-known', { concurrency: this.publicConcurrency?.['well-known'] });
    const outbox = functions.add('outbox-signing');
    const sweeper = functions.add('sweeper-signing');
    // Beside the keys of the rings, which stand in the table, it is told of those that may not be touched either.
    const watch = functions.add('watch', {
      knows: { feedKeyArn: this.feedKey.keyArn, checkpointKeyArn: evidence.checkpointKey.keyArn },
    });
    this.functions = functions.own;
    this.targets = { ...own, functions: functions.known };

    const streamAge = deliver({
      from: [this.ownTables.keys, this.ownTables['cut-offs']],
      to: outbox,
      name: 'outbox-signing',
      instance,
      prefix: OUTBOX_PREFIX,
      alarmActions,
    });
    const unreadable = alarmOnUnreadable(outbox, instance, alarmActions);
    sweepOutbox(this, sweeper, instance);
    new CurfewSchedule(this, 'Commit', {
      target: committer,
      every: ScheduleExpression.rate(Duration.minutes(1)),
      input: {},
    });

    this.routes({ issuer, exchange, wasIssued, wellKnown });
    this.watch = new Watch(this, 'Watching', { instance, watch, signers: [issuer, resigner], actions: alarmActions });
    this.watchSilent = this.alarmOnSilence(instance);
    const deadLetters = DeadLetters.of(this);
    deadLetters.notify(alarmActions);
    this.dashboard = new CurfewDashboard(this, 'Page', {
      instance,
      functions: {
        issue: issuer.function,
        exchange: exchange.function,
        'public documents': wellKnown.function,
        're-sign': resigner.function,
      },
    });
    for (const alarm of [
      ...this.watch.alarms,
      this.watchSilent,
      streamAge,
      unreadable,
      DeadLetters.of(evidence).alarm,
      deadLetters.alarm,
    ])
      this.dashboard.addAlarm(alarm);
    this.ringProvider = this.provider(ringDeployer);
  }

  private provider(ringDeployer: CurfewFunction): Provider {
    const logGroup = new LogGroup(this, 'RingProviderLogs', {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    pinLogicalId(logGroup, 'LogsRingProvider');
    // Not the rotator, which people may invoke: a caller that sends it such an event writes rings.
    const provider = new Provider(this, 'RingProvider', { onEventHandler: ringDeployer.function, logGroup });
    // Every ring names this function for its whole life: CloudFormation refuses another service token.
    const framework = provider.node.findChild('framework-onEvent');
    pinLogicalId(framework, 'FunctionRingProvider');
    pinLogicalId(framework.node.findChild('ServiceRole'), 'RoleRingProvider');
    Validations.of(provider).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      reason: 'the role of the CDK’s own provider function: it may write its log and invoke the ring deployer',
    });
    return provider;
  }

  /** Two rings of one name would be one ring with two configurations; logical ids know no hyphens. */
  enrol(ringId: string): string {
    const name = pascal(ringId);
    if (this.rings.has(name))
      throw new CurfewError('ERR_CONFIG_INVALID', `two rings have the id ${ringId}`, {
        got: ringId,
        allowed: 'ids that differ in more than their hyphens',
        fix: 'give each ring an id of its own',
      });
    this.rings.add(name);
    return name;
  }

  private routes(to: Record<'issuer' | 'exchange' | 'wasIssued' | 'wellKnown', CurfewFunction>): void {
    const { POST, GET } = HttpMethod;
    this.http.route({
      method: POST,
      path: '/r/{ring}/issue',
      to: to.issuer,
      throttle: THROTTLES.issue,
      access: { authorizer: new HttpIamAuthorizer() },
    });
    this.http.route({
      method: POST,
      path: '/r/{ring}/exchange',
      to: to.exchange,
      throttle: THROTTLES.exchange,
      access: { publicBecause: 'the presented token is the credential: what was never issued finds nothing' },
    });
    for (const document of ['.well-known/jwks.json', '.well-known/openid-configuration', 'feed'])
      this.http.route({
        method: GET,
        path: `/r/{ring}/${document}`,
        to: to.wellKnown,
        throttle: document === 'feed' ? THROTTLES.feed : THROTTLES.wellKnown,
        access: { publicBecause: PUBLIC },
      });
    this.http.route({
      method: GET,
      path: '/issued/{kid}/{jtiH}/{tokenSha256}',
      to: to.wasIssued,
      throttle: THROTTLES.wasIssued,
      access: { publicBecause: 'knowing the digest of a token is the capability; the answer is yes or no' },
    });
  }

  /** Beside the plane, not in it: it waits for the plane and for the births of the rings, which wait for all of the plane. */
  private alarmOnSilence(instance: string): CurfewAlarm {
    const alarm = new CurfewAlarm(Stack.of(this), `${this.node.id}WatchSilent`, {
      alarm: 'WatchSilent',
      of: `curfew-${instance}`,
      metric: ofAnyRing(instance, 'FeedAge'),
      actions: this.alarmActions,
      logicalId: 'AlarmWatchSilent',
    });
    alarm.node.addDependency(this);
    return alarm;
  }

  private roleArns(instance: string): Record<RingRole, string> {
    const arn = (name: RingRole) =>
      Stack.of(this).formatArn({
        service: 'iam',
        region: '',
        resource: 'role',
        resourceName: roleNameOf(instance, name),
      });
    return Object.fromEntries(RING_ROLES.map((name) => [name, arn(name)])) as Record<RingRole, string>;
  }
}
