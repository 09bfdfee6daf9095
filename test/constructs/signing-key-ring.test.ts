import { Aspects, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { SigningKeysBelongInRings } from '../../lib/constructs/purpose-key';
import { SigningKeyRing, type SigningKeyRingProps } from '../../lib/constructs/signing-key-ring';
import { newApp, ofType, synthesise } from './synthesised';

function ring(props: Partial<Record<keyof SigningKeyRingProps, unknown>>) {
  const { signing } = synthesise('trial').stacks;
  return new SigningKeyRing(signing, 'Another', {
    plane: signing.plane,
    ringId: 'another',
    issuer: 'https://login.example.com/another',
    audience: 'https://api.example.com',
    rotationSchedule: ScheduleExpression.rate(Duration.minutes(5)),
    ...props,
  } as SigningKeyRingProps);
}

test('a ring without a rotation schedule cannot be constructed', () => {
  expect(() => ring({ rotationSchedule: undefined })).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFIG_INVALID',
      message: 'ring another has no rotation schedule',
      got: undefined,
      allowed: 'rate(1 minute) to rate(60 minutes)',
      fix: 'set rotationSchedule: ScheduleExpression.rate(Duration.minutes(5))',
    }),
  );
});

test.each([
  ScheduleExpression.rate(Duration.hours(2)),
  ScheduleExpression.rate(Duration.days(1)),
  ScheduleExpression.expression('cron(0 3 * * ? *)'),
  ScheduleExpression.expression('rate(0 minutes)'),
  ScheduleExpression.expression(''),
])('a schedule that asks too seldom, or not at a rate, is refused: %j', (rotationSchedule) => {
  expect(() => ring({ rotationSchedule })).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFIG_INVALID',
      message: 'the rotation schedule of ring another is a rate of 1 to 60 minutes',
      got: rotationSchedule.expressionString,
    }),
  );
});

test.each([
  [
    { period: Duration.days(91) },
    'the rotation period of ring another is a whole number of seconds from 3600 to 7776000',
    { min: 3600, max: 7_776_000 },
  ],
  [
    { period: Duration.minutes(59) },
    'the rotation period of ring another is a whole number of seconds from 3600 to 7776000',
    { min: 3600, max: 7_776_000 },
  ],
  [
    { maxTtl: Duration.days(2) },
    'the longest token life of ring another is a whole number of seconds from 60 to 86400',
    { min: 60, max: 86_400 },
  ],
  [{ algorithm: 'HS256' }, 'the algorithm is not one a ring may use', ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA']],
])('a ring outside the limits does not synthesise: %j', (props, message, allowed) => {
  expect(() => ring(props)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message, allowed }));
});

test('a ring is born by a custom resource that waits for every role and route, and is asked on schedule', () => {
  const { signing } = synthesise('trial');
  const [, born] = ofType(signing, 'Custom::CurfewRing')[0] ?? [];
  expect(JSON.parse(born?.Properties.ring)).toEqual({
    id: 'customer-api',
    issuer: 'https://login.example.com/customer-api',
    audience: 'https://api.example.com',
    algorithm: 'ES256',
    periodSeconds: 2_592_000,
    maxTtlSeconds: 3600,
    legacyKeys: [],
  });
  expect(JSON.parse(born?.Properties.settings)).toMatchObject({ verifierCacheSeconds: 600 });
  expect(born?.Properties.ServiceTimeout).toBe('300');
  for (const role of ['Issuer', 'Resigner', 'Rotator', 'Disabler'])
    expect(born?.DependsOn).toContainEqual(expect.stringMatching(new RegExp(`^Plane${role}Role`)));

  const inputs = ofType(signing, 'AWS::Scheduler::Schedule').map(([, { Properties }]) => [
    Properties.ScheduleExpression,
    Properties.Target.Input,
  ]);
  expect(inputs).toContainEqual(['rate(5 minutes)', '{"op":"tick","ring":"customer-api"}']);
  expect(inputs).toContainEqual(['rate(1 minute)', '{"ring":"customer-api"}']);
});

describe('a signing key outside a ring', () => {
  test.each([
    [KeySpec.ECC_NIST_P256, KeyUsage.SIGN_VERIFY],
    [KeySpec.RSA_2048, KeyUsage.SIGN_VERIFY],
    [KeySpec.HMAC_256, KeyUsage.GENERATE_VERIFY_MAC],
  ])('does not synthesise: %s for %s', (keySpec, keyUsage) => {
    const app = newApp();
    const stack = new Stack(app, 'Somebody');
    new Key(stack, 'Key', { keySpec, keyUsage });
    Aspects.of(app).add(new SigningKeysBelongInRings());
    expect(() => app.synth()).toThrow(
      new RegExp(`a ${keySpec} key for ${keyUsage} stands outside a ring and nothing rotates it`),
    );
  });

  test('is fine where it cannot sign', () => {
    const app = newApp();
    const stack = new Stack(app, 'Somebody');
    new Key(stack, 'Key');
    Aspects.of(app).add(new SigningKeysBelongInRings());
    Template.fromStack(stack).resourceCountIs('AWS::KMS::Key', 1);
  });

  test('is none of ours', () => {
    const { app } = synthesise('trial');
    Aspects.of(app).add(new SigningKeysBelongInRings());
    expect(() => app.synth()).not.toThrow();
  });
});
