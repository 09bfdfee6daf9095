/**
 * What the package exports to a CDK app: the three constructs, the plane that rings stand on, the stacks as a whole.
 * Services install `curfew/verifier`, which knows nothing of CDK or AWS.
 *
 * @example
 * const { evidence, signing } = curfewStacks(app, parseConfiguration(json), new LambdaBundle());
 * Aspects.of(app).add(new SigningKeysBelongInRings());
 */
export { type Configuration, parseConfiguration } from './config';
export { EvidenceLog, type EvidenceLogProps } from './constructs/evidence-log';
export { LambdaBundle, type LambdaCode } from './constructs/lambda-bundle';
export { Offboarding, type OffboardingProps } from './constructs/offboarding';
export { SigningKeysBelongInRings } from './constructs/purpose-key';
export { SigningKeyRing, type SigningKeyRingProps } from './constructs/signing-key-ring';
export { SigningPlane, type SigningPlaneProps } from './constructs/signing-plane';
export { CurfewError, type ErrorCode, isCurfewError } from './domain/errors';
export { parseSettings, SETTINGS, type Settings } from './domain/settings';
export { curfewStacks } from './stacks/curfew-stacks';
