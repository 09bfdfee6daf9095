/**
 * The three stacks of one deployment, in their order: each is given what it asks of the one before. Rings that the
 * configuration puts into another stack than the first come after `signing`.
 */
import type { App } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { Configuration } from '../config';
import type { LambdaCode } from '../constructs/functions/lambda-bundle';
import type { Exemption } from '../domain/rings/exemption';
import { EvidenceStack } from './evidence';
import { OffboardingStack } from './offboarding';
import { RingStack } from './rings';
import { SigningStack } from './signing';

export function curfewStacks(app: App, configuration: Configuration, lambdas: LambdaCode) {
  const { instance, region, stage, settings, alarmTopicArn } = configuration;
  const alarmActions: IAlarmAction[] = alarmTopicArn ? [{ bind: () => ({ alarmActionArn: alarmTopicArn }) }] : [];
  const common = { env: { region }, stage, lambdas, alarmActions, terminationProtection: stage === 'production' };
  const named = (stack: string) => `curfew-${instance}-${stack}`;

  const evidence = new EvidenceStack(app, named('evidence'), {
    ...common,
    instance,
    settings,
    origin: configuration.logOrigin,
    retentionDays: configuration.evidenceRetentionDays,
  });
  const signing = new SigningStack(app, named('signing'), {
    ...common,
    evidence: evidence.log,
    publicBaseUrl: configuration.publicBaseUrl,
    cdn: configuration.cdn,
    publicConcurrency: configuration.publicConcurrency,
    rings: ringsIn(configuration, 1),
    // As given: they are judged with the rest of the app (constructs/rules).
    exemptions: configuration.exemptions as unknown as readonly Exemption[],
  });
  const others = new Set(configuration.rings.map(({ stack }) => stack).filter((stack) => stack > 1));
  for (const stack of others)
    new RingStack(app, named(`rings-${stack}`), {
      ...common,
      plane: signing.plane,
      rings: ringsIn(configuration, stack),
    });
  const offboarding = new OffboardingStack(app, named('offboarding'), {
    ...common,
    signing: signing.plane,
    sources: configuration.sources,
    breakGlassArns: configuration.breakGlassArns,
    approversTopicArn: configuration.approversTopicArn,
    approvers: configuration.approvers === 'none' ? undefined : configuration.approvers,
  });
  return { evidence, signing, offboarding };
}

function ringsIn({ rings }: Configuration, stack: number): Configuration['rings'] {
  return rings.filter((ring) => ring.stack === stack);
}
