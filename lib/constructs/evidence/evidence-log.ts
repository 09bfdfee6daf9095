/** The evidence log: records wait in a table, the sequencer folds them into a Merkle tree in a locked bucket. */
import { Duration } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { AccountRootPrincipal, ManagedPolicy, Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { CurfewError } from '../../domain/base/errors';
import type { DeploymentConfig } from '../../domain/deployment/deployment-config';
import type { Settings } from '../../domain/deployment/settings';
import type { CurfewFunction } from '../functions/curfew-function';
import { DeadLetters } from '../functions/dead-letters';
import { FunctionSet } from '../functions/function-set';
import type { LambdaCode } from '../functions/lambda-bundle';
import { CurfewSchedule } from '../functions/schedule';
import { curfewBucket } from '../parts/bucket';
import { pinLogicalId, type Stage, statefulPolicy } from '../parts/stage';
import { curfewTable } from '../parts/table';
import { statementsFor } from '../rights/access-policies';
import type { Targets } from '../rights/grants';
import { CurfewRules } from '../rules/curfew-rules';
import { PurposeKey } from '../rules/purpose-key';

export const RETENTION_DAYS = { default: 2555, min: 365, max: 36_500 } as const;

export interface EvidenceLogProps {
  readonly instance: string;
  readonly stage: Stage;
  readonly lambdas: LambdaCode;
  readonly settings: Settings;
  /** Name of the log on its checkpoints, a name you own: `example.com/curfew/prod`. It never changes. */
  readonly origin: string;
  /**
   * How long evidence is locked in production; a trial locks for one day.
   * @default 2555 - seven years
   */
  readonly retentionDays?: number;
  /**
   * Whom the alarm of the dead letters tells.
   * @default - nobody
   */
  readonly alarmActions?: readonly IAlarmAction[];
}

export class EvidenceLog extends Construct {
  readonly logTable: TableV2;
  readonly shredTable: TableV2;
  readonly evidenceBucket: Bucket;
  readonly headsBucket: Bucket;
  readonly checkpointKey: PurposeKey;
  readonly shredKey: Key;
  readonly appender: CurfewFunction;
  readonly sequencer: CurfewFunction;
  /** Reads evidence and nothing else: what `curfew evidence export` runs as. */
  readonly reader: Role;
  /** What the other stacks' functions may be granted here. */
  readonly targets: Targets;
  readonly config: DeploymentConfig;

  constructor(scope: Construct, id: string, props: EvidenceLogProps) {
    super(scope, id);
    const { stage, lambdas } = props;
    const days = retentionDays(props.retentionDays);
    this.config = { instance: props.instance, settings: props.settings, logOrigin: parseOrigin(props.origin) };

    this.logTable = curfewTable(this, 'log', { stage });
    // Not recoverable on purpose: to shred a person's key is to make it gone.
    this.shredTable = curfewTable(this, 'shred', { stage, recoverable: false });
    this.evidenceBucket = curfewBucket(this, 'evidence', { lock: { stage, days } });
    CurfewRules.of(this).guard(this.evidenceBucket.node.defaultChild as CfnBucket, stage);
    this.headsBucket = curfewBucket(this, 'heads');
    this.checkpointKey = new PurposeKey(this, 'CheckpointKey', { purpose: 'checkpoint', stage });
    this.shredKey = new Key(this, 'ShredKey', {
      description: 'curfew: wraps the per-person keys of sealed fields',
      enableKeyRotation: true,
      removalPolicy: statefulPolicy(stage),
    });
    pinLogicalId(this.shredKey, 'KeyShred');

    const own: Targets = {
      instance: props.instance,
      tables: { log: this.logTable, shred: this.shredTable },
      buckets: { evidence: this.evidenceBucket, heads: this.headsBucket },
      shredKey: this.shredKey,
      checkpointKey: this.checkpointKey,
    };
    const functions = new FunctionSet(this, { lambdas, stage, config: this.config, targets: own });
    this.appender = functions.add('appender');
    this.sequencer = functions.add('sequencer');
    this.checkpointKey.allowSigner(this.sequencer.role);
    new CurfewSchedule(this, 'Sequence', {
      target: this.sequencer,
      every: ScheduleExpression.rate(Duration.minutes(1)),
      input: {},
    });
    DeadLetters.of(this).notify(props.alarmActions ?? []);

    this.targets = { ...own, functions: functions.own };
    this.reader = this.evidenceReader();
  }

  private evidenceReader(): Role {
    const policy = new ManagedPolicy(this, 'ReaderPolicy', {
      description: `read the evidence of curfew ${this.config.instance}`,
      statements: statementsFor(this, 'auditor', ['evidence export'], this.targets),
    });
    pinLogicalId(policy, 'PolicyEvidenceReader');
    const reader = new Role(this, 'Reader', {
      description: `curfew ${this.config.instance}: exports evidence, changes nothing`,
      assumedBy: new AccountRootPrincipal(),
      managedPolicies: [policy],
    });
    // People and their tools were given its ARN.
    pinLogicalId(reader, 'RoleEvidenceReader');
    return reader;
  }
}

function retentionDays(given: number = RETENTION_DAYS.default): number {
  const { min, max } = RETENTION_DAYS;
  if (Number.isSafeInteger(given) && given >= min && given <= max) return given;
  throw new CurfewError('ERR_CONFIG_INVALID', `the lock of evidence is not ${min} to ${max} days`, {
    got: given,
    allowed: { min, max },
    fix: 'ask your auditor; a trial stage always locks for one day',
  });
}

/** C2SP signed-note: a key name has no spaces and no plus sign. */
function parseOrigin(origin: string): string {
  if (/^[^\s+]{3,200}$/.test(origin)) return origin;
  throw new CurfewError('ERR_CONFIG_INVALID', 'the log origin has a space or a plus sign', {
    got: origin,
    allowed: 'a schema-less URL you own, as example.com/curfew/prod',
  });
}
