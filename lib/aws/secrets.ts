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
import type { Clock, HrSources, Secrets } from '../ports';
import { clientSettings } from './client-settings';
import { awsError } from './errors';

export { SecretsManagerClient };

const CACHE_SECONDS = 60;

export class SecretsManagerSecrets implements Secrets {
  private readonly cached = new Map<string, { readonly at: number; readonly values: readonly string[] }>();

  constructor(
    private readonly secretArn: (name: string) => string | Promise<string>,
    private readonly clock: Clock,
    private readonly secretsManager = new SecretsManagerClient(clientSettings()),
  ) {}

  async values(name: string): Promise<readonly string[]> {
    const at = this.clock.now();
    const cached = this.cached.get(name);
    if (cached && at - cached.at < CACHE_SECONDS) return cached.values;

    const arn = await this.secretArn(name);
    const stages = await Promise.all([this.value(arn, 'AWSCURRENT'), this.value(arn, 'AWSPREVIOUS')]);
    const values = stages.filter((value) => value !== undefined);
    if (stages[0] === undefined)
      throw new CurfewError('ERR_NOT_FOUND', 'the secret has no current value', { got: name });
    this.cached.set(name, { at, values });
    return values;
  }

  /** Undefined: no version of the secret carries this stage. */
  private async value(SecretId: string, VersionStage: string): Promise<string | undefined> {
    const request = new GetSecretValueCommand({ SecretId, VersionStage });
    try {
      return (await this.secretsManager.send(request)).SecretString;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw awsError('read a secret', error);
    }
  }
}

/** Where a configured name points: `pepper`, or the name of an HR source. Whoever reads the pepper alone has no sources. */
export function secretArnIn(
  pepperSecretArn: string | undefined,
  sources: HrSources | undefined,
): (name: string) => Promise<string> {
  return async (name) => {
    const arn = name === 'pepper' ? pepperSecretArn : (await sources?.find(name))?.secretArn;
    if (arn !== undefined) return arn;
    throw new CurfewError('ERR_NOT_FOUND', 'unknown secret', { got: name });
  };
}
