/** One key ring. It cannot be constructed without a rotation schedule, nor outside the limits of `RING_LIMITS`. */
import { CustomResource, Duration, Stack } from 'aws-cdk-lib';
import type { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { ScheduleExpression as Every } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { CurfewError } from '../domain/errors';
import type { SigningAlgorithm } from '../domain/keys/algorithm';
import { type LegacyKeyConfig, parseRingConfig, RING_LIMITS, type RingConfig } from '../domain/keys/ring';
import { CurfewSchedule } from './schedule';
import type { SigningPlane } from './signing-plane';

/** A ring that nobody asks for longer than this could be late by as much, with a key that must go. */
const TICK_MINUTES_MAX = 60;

export interface SigningKeyRingProps {
  readonly plane: SigningPlane;
  readonly ringId: string;
  /** `iss`: an https URL you own, one path a ring. It stands in every token and never changes. */
  readonly issuer: string;
  readonly audience: string;
  /** How often the rotator asks what is due, `rate(…)`, at most an hour. Required: a ring without it would never rotate. */
  readonly rotationSchedule: ScheduleExpression;
  /**
   * How long a key signs.
   * @default Duration.days(30); at most 90 days
   */
  readonly period?: Duration;
  /**
   * @default 'ES256'
   */
  readonly algorithm?: SigningAlgorithm;
  /**
   * Longest life of a token.
   * @default Duration.hours(1); at most a day
   */
  readonly maxTtl?: Duration;
  /**
   * Public keys of the issuer that this ring replaces, each with its end and who accepted it.
   * @default - none
   */
  readonly legacyKeys?: readonly LegacyKeyConfig[];
}

export class SigningKeyRing extends Construct {
  readonly config: RingConfig;
  /** Base of the ring's public documents. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: SigningKeyRingProps) {
    super(scope, id);
    const { plane } = props;
    const every = parseSchedule(props.ringId, props.rotationSchedule);
    this.config = parseRingConfig({
      id: props.ringId,
      issuer: props.issuer,
      audience: props.audience,
      algorithm: props.algorithm ?? 'ES256',
      periodSeconds: props.period?.toSeconds() ?? RING_LIMITS.periodSeconds.default,
      maxTtlSeconds: props.maxTtl?.toSeconds(),
      legacyKeys: props.legacyKeys,
    });
    this.url = `${plane.publicBaseUrl}/r/${this.config.id}`;

    const born = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::CurfewRing',
      serviceToken: plane.ringProvider.serviceToken,
      serviceTimeout: Duration.minutes(5),
      // As text: CloudFormation turns the numbers of a property object into strings. The settings stand here as well,
      // because activation times are computed from them: a change of one is an update of the ring.
      properties: {
        ring: Stack.of(this).toJsonString(this.config),
        settings: Stack.of(this).toJsonString(plane.config.settings),
      },
    });
    // The first key's policy names roles, and its publication is read back through the API: all of that comes first.
    born.node.addDependency(plane);

    const tick = new CurfewSchedule(this, 'Rotation', {
      target: plane.rotator.function,
      every,
      input: { op: 'tick', ring: this.config.id },
    });
    const heartbeat = new CurfewSchedule(this, 'Heartbeat', {
      target: plane.publisher.function,
      every: Every.rate(Duration.minutes(1)),
      input: { ring: this.config.id },
    });
    for (const schedule of [tick, heartbeat]) schedule.node.addDependency(born);
  }
}

function parseSchedule(ringId: string, schedule: ScheduleExpression | undefined): ScheduleExpression {
  const [, count, unit] = /^rate\((\d+) (minute|hour)s?\)$/.exec(schedule?.expressionString ?? '') ?? [];
  const minutes = Number(count) * (unit === 'hour' ? 60 : 1);
  if (schedule !== undefined && minutes >= 1 && minutes <= TICK_MINUTES_MAX) return schedule;
  throw new CurfewError(
    'ERR_CONFIG_INVALID',
    schedule === undefined
      ? `ring ${ringId} has no rotation schedule`
      : `the rotation schedule of ring ${ringId} is a rate of 1 to ${TICK_MINUTES_MAX} minutes`,
    {
      got: schedule?.expressionString,
      allowed: `rate(1 minute) to rate(${TICK_MINUTES_MAX} minutes)`,
      fix: 'set rotationSchedule: ScheduleExpression.rate(Duration.minutes(5))',
    },
  );
}
