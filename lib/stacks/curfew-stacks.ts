/** The three stacks of one deployment, in their order: each is given what it asks of the one before. */
import type { App } from 'aws-cdk-lib';
import type { Configuration } from '../config';
import type { LambdaCode } from '../constructs/lambda-bundle';
import { EvidenceStack } from './evidence';
import { OffboardingStack } from './offboarding';
import { SigningStack } from './signing';

export function curfewStacks(app: App, configuration: Configuration, lambdas: LambdaCode) {
  const { instance, region, stage, settings } = configuration;
  const common = { env: { region }, stage, lambdas, terminationProtection: stage === 'production' };
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
    rings: configuration.rings,
  });
  const offboarding = new OffboardingStack(app, named('offboarding'), {
    ...common,
    signing: signing.plane,
    sources: configuration.sources,
  });
  return { evidence, signing, offboarding };
}
