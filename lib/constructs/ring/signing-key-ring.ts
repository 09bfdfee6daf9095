/**
 * One key ring. It cannot be without a rotation schedule, nor outside the limits of `RING_LIMITS`.
 *
 * A ring that is refused is drawn all the same, as given: the synth fails with everything that is wrong in the app, and
 * whoever builds on the ring comes that far. Should such a template be deployed by other ways, the rotator parses the
 * ring once more and refuses its birth.
 */
import { CustomResource, Duration, Stack } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import { CurfewError, isCurfewError } from '../../domain/base/errors';
import type { SigningAlgorithm } from '../../domain/jose/algorithm';
import {
  type LegacyKeyConfig,
  parseRingConfig,
  RING_ID_PATTERN,
  RING_LIMITS,
  type RingConfig,
  ringSettings,
} from '../../domain/rings/configuration';
import { CurfewSchedule } from '../functions/schedule';
import { pascal } from '../parts/names';
import { pinLogicalId, statefulPolicy } from '../parts/stage';
import { CurfewRules } from '../rules/curfew-rules';
import { ImportedRing, type SigningKeyRingAttributes } from './imported-ring';
import { RingAlarms } from './ring-alarms';
import { RingsOfStack } from './rings-of-stack';
import {
  ADMINISTRATION,
  type Administration,
  type ISigningKeyRing,
  SigningKeyRingBase,
  TICK_MINUTES_MAX,
} from './signing-key-ring-base';
import type { SigningPlane } from './signing-plane';
import type { VerifierProps } from './verifier-cache';

/** Stand in for what was refused: dimensions, routes and names cannot be made of just anything. */
const TICK = Duration.minutes(5);
const UNNAMED = 'unnamed';

export interface SigningKeyRingProps {
  readonly plane: SigningPlane;
  /** Short and lower case, by what its tokens are for: `customer-api`. It never changes. */
  readonly ringId: string;
  /** `iss`: an https URL you own, one path a ring. It stands in every token and never changes. */
  readonly issuer: string;
  /** `aud`. It never changes. */
  readonly audience: string;
  /** How often the rotator asks what is due: a rate of at most an hour. Required: a ring without it would never rotate. */
  readonly rotationSchedule: ScheduleExpression;
  /**
   * How long a key signs.
   * @default Duration.days(30); at most 90 days
   */
  readonly period?: Duration;
  /**
   * It never changes: another algorithm is another ring.
   * @default 'ES256'
   */
  readonly algorithm?: SigningAlgorithm;
  /**
   * Longest life of a token.
   * @default Duration.hours(1); at most a day
   */
  readonly maxTtl?: Duration;
  /**
   * How long a key is published before it may sign.
   * @default - the propagation and the largest declared verifier cache, which it may not be below
   */
  readonly standbyAge?: Duration;
  /**
   * Verifiers that are not ours, each with how long it caches a JWKS.
   * @default - none: the setting `verifierCacheSeconds` stands for them
   */
  readonly verifiers?: readonly VerifierProps[];
  /**
   * Public keys of the issuer that this ring replaces, each with its end and who accepted it.
   * @default - none
   */
  readonly legacyKeys?: readonly LegacyKeyConfig[];
  /**
   * First step of a removal: the ring issues no more, and is RETIRED when its last token is over. Deploy it, wait for
   * `curfew ring list` to say closed, then take the construct out. One that is taken out before keeps its keys, and nobody
   * rotates them: the alarms on the worst of all rings tell.
   * @default false
   */
  readonly closing?: boolean;
  /**
   * Whom its alarms tell.
   * @default - those of the plane
   */
  readonly alarmActions?: readonly IAlarmAction[];
}

export class SigningKeyRing extends SigningKeyRingBase {
  /** A ring of another app, or one that this app does not make itself. */
  static fromSigningKeyRingAttributes(
    scope: Construct,
    id: string,
    attributes: SigningKeyRingAttributes,
  ): ISigningKeyRing {
    return new ImportedRing(scope, id, attributes);
  }

  readonly ringId: string;
  readonly url: string;
  readonly config: RingConfig;
  /** `Custom::CurfewRing`: its birth, and each change of its configuration. */
  readonly resource: CustomResource;
  readonly rotation: CurfewSchedule;
  readonly heartbeat: CurfewSchedule;
  readonly alarms: RingAlarms;
  protected readonly instance: string;
  protected readonly apiId: string;
  private readonly plane: SigningPlane;

  constructor(scope: Construct, id: string, props: SigningKeyRingProps) {
    super(scope, id);
    const { plane } = props;
    const ringId = RING_ID_PATTERN.test(props.ringId ?? '') ? props.ringId : UNNAMED;
    this.plane = plane;
    this.ringId = ringId;
    this.url = `${plane.publicBaseUrl}/r/${ringId}`;
    this.instance = plane.config.instance;
    this.apiId = plane.http.api.apiId;

    const given = configOf(props);
    const config = this.accepted(() => parseRingConfig(given));
    if (config) this.accepted(() => ringSettings(config, plane.config.settings));
    this.config = config ?? (given as unknown as RingConfig);
    const tick = this.accepted(() => parseSchedule(props.ringId, props.rotationSchedule)) ?? TICK;
    const isNamed = ringId !== UNNAMED && this.accepted(() => plane.enrol(ringId)) !== undefined;
    if (config) this.useExemption(config);

    this.resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::CurfewRing',
      serviceToken: plane.ringProvider.serviceToken,
      serviceTimeout: Duration.minutes(5),
      removalPolicy: statefulPolicy(plane.stage),
      // As text: CloudFormation turns the numbers of a property object into strings. The settings stand here as well,
      // because activation times are computed from them: a change of one is an update of the ring.
      properties: {
        ring: Stack.of(this).toJsonString(this.config),
        settings: Stack.of(this).toJsonString(plane.config.settings),
      },
    });
    if (isNamed) pinLogicalId(this.resource, `Ring${pascal(ringId)}`);
    // The first key's policy names roles, and its publication is read back through the API: all of that comes first.
    this.resource.node.addDependency(plane);
    RingsOfStack.of(this, plane).add(this, this.resource);

    this.rotation = new CurfewSchedule(this, 'Rotation', {
      target: plane.rotator,
      every: ScheduleExpression.rate(tick),
      input: { op: 'tick', ring: ringId },
    });
    this.heartbeat = new CurfewSchedule(this, 'Heartbeat', {
      target: plane.publisher,
      every: ScheduleExpression.rate(Duration.minutes(1)),
      input: { ring: ringId },
    });
    for (const schedule of [this.rotation, this.heartbeat]) schedule.node.addDependency(this.resource);

    this.alarms = new RingAlarms(this, 'Alarms', {
      ring: this,
      instance: this.instance,
      born: this.resource,
      times: {
        periodSeconds: config?.periodSeconds ?? RING_LIMITS.periodSeconds.default,
        tickSeconds: tick.toSeconds(),
      },
      closing: config?.closing ?? false,
      actions: props.alarmActions ?? plane.alarmActions,
      logicalId: isNamed ? `Alarm${pascal(ringId)}` : undefined,
    });
    plane.dashboard.addRing(this, this.alarms);
    // A stack of its own is deployed later: the alarm cannot wait for it, and need not, for the plane is older then.
    if (Stack.of(this) === Stack.of(plane)) plane.watchSilent.node.addDependency(this.resource);
  }

  protected administration(): Administration {
    const { functions, ownTables } = this.plane;
    return {
      functionArns: ADMINISTRATION.flatMap((name) => functions[name]?.functionArn ?? []),
      keysTableArn: ownTables.keys.tableArn,
    };
  }

  /** Invalid input goes into the report; undefined then. */
  private accepted<T>(parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      if (!isCurfewError(error)) throw error;
      // The exemptions are the plane's, and the plane says what is wrong with them: one fault, one error.
      if (error.code !== 'ERR_EXEMPTION') CurfewRules.of(this).refuse(this, error);
      return undefined;
    }
  }

  private useExemption({ id, periodSeconds, exemptions }: RingConfig): void {
    if (periodSeconds <= RING_LIMITS.periodSeconds.max) return;
    const used = exemptions.find(({ rule, subject }) => rule === 'ERR_RING_LIMIT' && subject === id);
    if (used) CurfewRules.of(this).use(used);
  }
}

/** As the custom resource hands it to the rotator; still unparsed. */
function configOf(props: SigningKeyRingProps): { readonly [name in keyof Required<RingConfig>]: unknown } {
  return {
    id: props.ringId,
    issuer: props.issuer,
    audience: props.audience,
    algorithm: props.algorithm ?? 'ES256',
    periodSeconds: secondsOf(props.period) ?? RING_LIMITS.periodSeconds.default,
    maxTtlSeconds: secondsOf(props.maxTtl) ?? RING_LIMITS.maxTtlSeconds.default,
    standbyAgeSeconds: secondsOf(props.standbyAge),
    verifiers: (props.verifiers ?? []).map(({ name, cache }) => ({
      name,
      cacheSeconds: secondsOf(cache.age) ?? 'unbounded',
    })),
    legacyKeys: props.legacyKeys ?? [],
    closing: props.closing ?? false,
    exemptions: props.plane.exemptions,
  };
}

/** Fractions too, for the parser to refuse; of what is known only at deployment, words that it refuses. */
function secondsOf(duration: Duration | undefined): number | string | undefined {
  return duration?.isUnresolved() ? 'known only at deployment' : duration?.toSeconds({ integral: false });
}

function parseSchedule(ringId: string, schedule: ScheduleExpression | undefined): Duration {
  const given = schedule?.expressionString;
  const [, count, unit] = /^rate\((\d+) (minute|hour)s?\)$/.exec(given ?? '') ?? [];
  const minutes = Number(count) * (unit === 'hour' ? 60 : 1);
  if (minutes >= 1 && minutes <= TICK_MINUTES_MAX) return Duration.minutes(minutes);
  throw new CurfewError(
    'ERR_RING_SCHEDULE',
    given
      ? `the rotation schedule of ring ${ringId} is a rate of 1 to ${TICK_MINUTES_MAX} minutes`
      : `ring ${ringId} has no rotation schedule`,
    {
      got: given,
      allowed: `rate(1 minute) to rate(${TICK_MINUTES_MAX} minutes)`,
      fix: 'set rotationSchedule: ScheduleExpression.rate(Duration.minutes(5))',
    },
  );
}
