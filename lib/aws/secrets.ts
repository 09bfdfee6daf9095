/**
 * Secrets on Secrets Manager: the current value, then the one before it while that is still held.
 * Kept for a minute, so that a rotated secret is known everywhere within that minute.
 */
import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CurfewError } from '../domain/base/errors';
import type { DeploymentConfig } from '../domain/deployment/deployment-config';
import type { Clock, Secrets } from '../ports';
import { clientSettings } from './client-settings';
import { awsError } from './errors';

export { SecretsManagerClient };

const CACHE_SECONDS = 60;

export class SecretsManagerSecrets implements Secrets {
  private readonly cached = new Map<string, { readonly at: number; readonly values: readonly string[] }>();

  constructor(
    private readonly secretArn: (name: string) => string,
    private readonly clock: Clock,
    private readonly secretsManager = new SecretsManagerClient(clientSettings()),
  ) {}

  async values(name: string): Promise<readonly string[]> {
    const at = this.clock.now();
    const cached = this.cached.get(name);
    if (cached && at - cached.at < CACHE_SECONDS) return cached.values;

    const stages = await Promise.all([this.value(name, 'AWSCURRENT'), this.value(name, 'AWSPREVIOUS')]);
    const values = stages.filter((value) => value !== undefined);
    if (stages[0] === undefined)
      throw new CurfewError('ERR_NOT_FOUND', 'the secret has no current value', { got: name });
    this.cached.set(name, { at, values });
    return values;
  }

  /** Undefined: no version of the secret carries this stage. */
  private async value(name: string, VersionStage: string): Promise<string | undefined> {
    const request = new GetSecretValueCommand({ SecretId: this.secretArn(name), VersionStage });
    try {
      return (await this.secretsManager.send(request)).SecretString;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw awsError('read a secret', error);
    }
  }
}

/** Where a configured name points: `pepper`, or the name of an HR source. */
export function secretArnIn(config: DeploymentConfig): (name: string) => string {
  return (name) => {
    const arn = name === 'pepper' ? config.pepperSecretArn : config.sources?.[name]?.secretArn;
    if (arn !== undefined) return arn;
    throw new CurfewError('ERR_NOT_FOUND', 'unknown secret', { got: name });
  };
}
