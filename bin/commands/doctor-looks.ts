/** What `curfew doctor` asks AWS, with the caller's own right. What AWS refuses to show is unseen, and no error. */
import { CloudWatchClient, DescribeAlarmsCommand, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { KmsRingKeys } from '../../lib/aws/kms-ring-keys';
import { KmsSigner } from '../../lib/aws/kms-signer';
import { CurfewError, isCurfewError } from '../../lib/domain/base/errors';
import { METRICS_NAMESPACE, type MetricName } from '../../lib/domain/deployment/metrics';
import type { AlarmFacts } from '../../lib/domain/health/alarm-diagnosis';
import type { BirthVerdict } from '../../lib/domain/health/birth-diagnosis';
import type { InstanceFacts } from '../../lib/domain/health/doctor';
import type { Seen } from '../../lib/domain/health/finding';
import { GONE, type KmsKeyFacts } from '../../lib/domain/health/kms-diagnosis';
import type { PurposeKeyFacts } from '../../lib/domain/health/purpose-key-diagnosis';
import type { RingFacts } from '../../lib/domain/health/ring-diagnosis';
import { jwkFromSpki, type PublicJwk } from '../../lib/domain/jose/jwk';
import type { Instance } from '../edge/instance';
import { simulateBirth } from './doctor-births';
import { kmsQuotas } from './doctor-quotas';
import { type Looks, see } from './looks';

const HOUR = 3600;
const DAY = 86_400;
/** As many names as DescribeAlarms takes. */
const ALARMS_ASKED_MAX = 100;
const WATCHED: MetricName = 'ActiveKeyAge';

export class AwsLooks implements Looks {
  private readonly ringKeys = new KmsRingKeys('doctor', new KMSClient({}));
  private readonly cloudwatch = new CloudWatchClient({});
  private readonly secretsManager = new SecretsManagerClient({});
  private readonly lambda = new LambdaClient({});

  constructor(
    private readonly deployed: Instance,
    readonly stacks: Looks['stacks'],
    readonly signingMadeAt: number | undefined,
  ) {}

  get instance(): string {
    return this.deployed.name;
  }

  get stage(): Looks['stage'] {
    const stage = this.deployed.findOutput('Stage');
    return stage === undefined ? { unseen: 'no stack says it' } : { seen: stage };
  }

  get publicBaseUrl(): string {
    return this.deployed.output('PublicBaseUrl');
  }

  get roles(): Looks['roles'] {
    const role = (name: string) => this.deployed.output(`Role${name}Arn`);
    const roleArns = {
      issuer: role('Issuer'),
      resigner: role('Resigner'),
      rotator: role('Rotator'),
      disabler: role('Disabler'),
    };
    return { accountId: roleArns.issuer.split(':')[4] ?? '', roleArns };
  }

  feedKey(): Promise<Seen<PublicJwk>> {
    return see(async () => jwkFromSpki(await new KmsSigner().publicKey(this.deployed.output('FeedKeyArn')), 'ES256'));
  }

  async kmsKey(kmsKeyArn: string): Promise<KmsKeyFacts> {
    const [state, policy, grants] = await Promise.all([
      see(() => this.stateOf(kmsKeyArn)),
      see(() => this.ringKeys.policy(kmsKeyArn)),
      see(() => this.ringKeys.grants(kmsKeyArn)),
    ]);
    return { state, policy, grants };
  }

  async purposeKeys(): Promise<InstanceFacts['purposeKeys']> {
    const [feed, checkpoint] = await Promise.all([
      this.purposeKey('FeedKeyArn', 'RolePublisherArn'),
      this.purposeKey('CheckpointKeyArn', 'RoleSequencerArn'),
    ]);
    return { feed, checkpoint };
  }

  private async purposeKey(keyOutput: string, roleOutput: string): Promise<PurposeKeyFacts> {
    const [signer, policy, grants] = await Promise.all([
      see(async () => this.deployed.output(roleOutput)),
      see(async () => this.ringKeys.policy(this.deployed.output(keyOutput))),
      see(async () => this.ringKeys.grants(this.deployed.output(keyOutput))),
    ]);
    return { signer, policy, grants };
  }

  private async stateOf(kmsKeyArn: string): Promise<string> {
    try {
      return (await this.ringKeys.describe(kmsKeyArn)).state;
    } catch (error) {
      if (isCurfewError(error, 'ERR_NOT_FOUND')) return GONE;
      throw error;
    }
  }

  watchedAt(ring: string, now: number): Promise<RingFacts['watchedAt']> {
    return see(async () => {
      const Dimensions = [
        { Name: 'Instance', Value: this.deployed.name },
        { Name: 'Ring', Value: ring },
      ];
      const points = await this.maxima(
        { Namespace: METRICS_NAMESPACE, MetricName: WATCHED, Dimensions },
        now,
        HOUR,
        60,
      );
      return points.length > 0 ? Math.max(...points.map(({ at }) => at)) : undefined;
    });
  }

  async webhookSecrets(): Promise<InstanceFacts['webhookSecrets']> {
    const found = Object.entries(this.deployed.webhookSecretArns).map(async ([source, SecretId]) => {
      const hasValue = await see(async () => {
        const { VersionIdsToStages = {} } = await this.secretsManager.send(new DescribeSecretCommand({ SecretId }));
        return Object.values(VersionIdsToStages).some((stages) => stages.includes('AWSCURRENT'));
      });
      return [source, hasValue] as const;
    });
    return Object.fromEntries(await Promise.all(found));
  }

  people(): Promise<InstanceFacts['people']> {
    return see(async () => {
      const TableName = this.deployed.output('TablePeopleName');
      const { Table } = await new DynamoDBClient({}).send(new DescribeTableCommand({ TableName }));
      return { items: Table?.ItemCount ?? 0, tableMadeAt: secondsOf(Table?.CreationDateTime) };
    });
  }

  alarms(names: readonly string[]): Promise<InstanceFacts['alarms']> {
    return see(async () => {
      const found: AlarmFacts[] = [];
      for (let from = 0; from < names.length; from += ALARMS_ASKED_MAX) {
        const AlarmNames = names.slice(from, from + ALARMS_ASKED_MAX);
        const { MetricAlarms = [] } = await this.cloudwatch.send(
          new DescribeAlarmsCommand({ AlarmNames, AlarmTypes: ['MetricAlarm'], MaxRecords: ALARMS_ASKED_MAX }),
        );
        for (const { AlarmName = '', StateValue = '', ActionsEnabled = false, AlarmActions = [] } of MetricAlarms)
          found.push({
            name: AlarmName,
            state: StateValue,
            hasAction: AlarmActions.length > 0,
            isMuted: !ActionsEnabled,
          });
      }
      return found;
    });
  }

  birth(keySpec: string): Promise<Seen<BirthVerdict>> {
    return see(async () => {
      const [rotatorArn, region] = [this.deployed.output('RoleRotatorArn'), await this.lambda.config.region()];
      return simulateBirth(new IAMClient({}), { rotatorArn, keySpec, region });
    });
  }

  kmsQuotas(): Promise<InstanceFacts['kmsQuotas']> {
    return see(() => kmsQuotas(new ServiceQuotasClient({})));
  }

  concurrency(now: number): Promise<InstanceFacts['concurrency']> {
    return see(async () => {
      const { AccountLimit } = await this.lambda.send(new GetAccountSettingsCommand({}));
      if (AccountLimit?.ConcurrentExecutions === undefined)
        throw new CurfewError('ERR_UNAVAILABLE', 'Lambda answered without its limit', {
          got: 'no limit in the answer',
        });
      const peak = await see(() =>
        this.maxima({ Namespace: 'AWS/Lambda', MetricName: 'ConcurrentExecutions', Dimensions: [] }, now, DAY, HOUR),
      );
      const values = 'seen' in peak ? peak.seen.map(({ value }) => value) : [];
      return { limit: AccountLimit.ConcurrentExecutions, peak: values.length > 0 ? Math.max(...values) : undefined };
    });
  }

  private async maxima(
    metric: Pick<GetMetricStatisticsCommand['input'], 'Namespace' | 'MetricName' | 'Dimensions'>,
    now: number,
    back: number,
    Period: number,
  ): Promise<readonly { readonly at: number; readonly value: number }[]> {
    const [StartTime, EndTime] = [new Date((now - back) * 1000), new Date((now + 60) * 1000)];
    const { Datapoints = [] } = await this.cloudwatch.send(
      new GetMetricStatisticsCommand({ ...metric, StartTime, EndTime, Period, Statistics: ['Maximum'] }),
    );
    return Datapoints.map(({ Timestamp, Maximum = 0 }) => ({ at: secondsOf(Timestamp), value: Maximum }));
  }
}

function secondsOf(date: Date | undefined): number {
  return Math.floor((date?.getTime() ?? 0) / 1000);
}
