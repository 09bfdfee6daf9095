/**
 * How a construct tells a Lambda where things are: the names of its environment variables, in one place.
 * Constructs write them with `environmentFor`; `lib/aws/entry.ts` reads them. Nothing else reads the environment.
 */
import type { Settings } from './domain/settings';

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

export interface HrSourceConfig {
  readonly scheme: 'standard-webhooks' | 'bamboohr';
  /** `signed-fact` is an explicit choice, recorded in every case. */
  readonly corroboration: 'read-back' | 'signed-fact';
  readonly secretArn: string;
}

const slug = (name: string) => name.toUpperCase().replace(/[^A-Z0-9]/g, '_');

export const ENV = {
  config: 'CURFEW_CONFIG',
  functionName: 'CURFEW_FUNCTION',
  table: (name: string) => `CURFEW_TABLE_${slug(name)}`,
  bucket: (name: string) => `CURFEW_BUCKET_${slug(name)}`,
  function: (name: string) => `CURFEW_INVOKE_${slug(name)}`,
} as const;
