/** Rings as a configuration has them; and stack `rings-2`, `rings-3` …: more rings than stack `signing` has room for. */
import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import type { Configuration } from '../config';
import { SigningKeyRing } from '../constructs/ring/signing-key-ring';
import type { SigningPlane } from '../constructs/ring/signing-plane';
import { VerifierCache } from '../constructs/ring/verifier-cache';
import type { SigningAlgorithm } from '../domain/jose/algorithm';
import type { LegacyKeyConfig } from '../domain/rings/configuration';

type Rings = Configuration['rings'];

export class RingStack extends Stack {
  constructor(
    scope: Construct,
    id: string,
    props: StackProps & { readonly plane: SigningPlane; readonly rings: Rings },
  ) {
    super(scope, id, props);
    addRings(this, props.plane, props.rings);
  }
}

export function addRings(stack: Stack, plane: SigningPlane, rings: Rings): void {
  for (const ring of rings)
    new SigningKeyRing(stack, `Ring-${ring.id}`, {
      plane,
      ringId: ring.id,
      issuer: ring.issuer,
      audience: ring.audience,
      algorithm: ring.algorithm as SigningAlgorithm,
      rotationSchedule: everyMinutes(ring.rotationCheckMinutes),
      period: Duration.days(ring.periodDays),
      maxTtl: seconds(ring.maxTtlSeconds),
      standbyAge: seconds(ring.standbyAgeSeconds),
      verifiers: ring.verifiers.map(({ name, cacheSeconds }) => ({
        name,
        cache:
          cacheSeconds === 'unbounded' ? VerifierCache.UNBOUNDED : VerifierCache.of(Duration.seconds(cacheSeconds)),
      })),
      legacyKeys: ring.legacyKeys as readonly LegacyKeyConfig[],
      closing: ring.closing,
    });
}

function seconds(amount: number | undefined): Duration | undefined {
  return amount === undefined ? undefined : Duration.seconds(amount);
}

/** CDK would throw for a rate of 0; the ring has it reported with whatever else is wrong. */
function everyMinutes(minutes: number | undefined): ScheduleExpression {
  const isRate = minutes !== undefined && Number.isSafeInteger(minutes) && minutes > 0;
  return isRate
    ? ScheduleExpression.rate(Duration.minutes(minutes))
    : ScheduleExpression.expression(minutes === undefined ? '' : `rate(${minutes} minutes)`);
}
