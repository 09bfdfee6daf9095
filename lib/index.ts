/**
 * What the package exports to a CDK app: the three constructs, the plane that rings stand on, the stacks as a whole.
 * Services install `curfew/verifier`, which knows nothing of CDK or AWS.
 *
 * @example
 * const { evidence, signing } = curfewStacks(app, parseConfiguration(json), new LambdaBundle());
 * new SigningKeyRing(signing, 'Partners', {
 *   plane: signing.plane,
 *   ringId: 'partners',
 *   issuer: 'https://login.example.com/partners',
 *   audience: 'https://partners.example.com',
 *   rotationSchedule: ScheduleExpression.rate(Duration.minutes(5)),
 * }).grantIssue(backEnd);
 */
export { type Configuration, parseConfiguration } from './config';
export { EvidenceLog, type EvidenceLogProps } from './constructs/evidence/evidence-log';
export { LambdaBundle, type LambdaCode } from './constructs/functions/lambda-bundle';
export { Offboarding, type OffboardingProps } from './constructs/offboarding/offboarding';
export type { SigningKeyRingAttributes } from './constructs/ring/imported-ring';
export { SigningKeyRing, type SigningKeyRingProps } from './constructs/ring/signing-key-ring';
export type { ISigningKeyRing } from './constructs/ring/signing-key-ring-base';
export { SigningPlane, type SigningPlaneProps } from './constructs/ring/signing-plane';
export { VerifierCache, type VerifierProps } from './constructs/ring/verifier-cache';
export { CurfewError, type ErrorCode, isCurfewError } from './domain/base/errors';
export { parseSettings, SETTINGS, type Settings } from './domain/deployment/settings';
export type { LegacyKeyConfig } from './domain/rings/configuration';
export type { Exemption } from './domain/rings/exemption';
export { curfewStacks } from './stacks/curfew-stacks';
