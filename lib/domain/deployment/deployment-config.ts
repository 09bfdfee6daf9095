/** What one deployment of Curfew knows of itself. */
import type { HrSourceConfig } from '../intake/schemes';
import type { Settings } from './settings';

/** What a deployment knows of itself; serialised into CURFEW_CONFIG. Members a function does not need are absent. */
export interface DeploymentConfig {
  readonly instance: string;
  readonly settings: Settings;
  /** Where the public documents are served, without a trailing slash. */
  readonly publicBaseUrl?: string;
  readonly feedKeyArn?: string;
  readonly checkpointKeyArn?: string;
  /** Name on the checkpoint and its signature, as C2SP signed-note has it. */
  readonly logOrigin?: string;
  /** KMS key that wraps the per-person keys. */
  readonly shredKeyArn?: string;
  readonly pepperSecretArn?: string;
  readonly denyPolicyArn?: string;
  readonly stateMachineArn?: string;
  readonly eventBusName?: string;
  /** Role names are fixed: key policies name them. */
  readonly roleArns?: Readonly<Record<'issuer' | 'resigner' | 'rotator' | 'disabler', string>>;
  readonly accountId?: string;
  /** HR sources by name; the secret of each by ARN. */
  readonly sources?: Readonly<Record<string, HrSourceConfig>>;
}
