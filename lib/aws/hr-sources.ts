/**
 * HrSources on Secrets Manager: one document for all of them, because the environment of a Lambda holds 4 KB and thirty
 * sources are more. There is nothing secret in it; it stands there for its 64 KB, for a client that its reader has anyway,
 * and because CloudFormation can write it with the ARNs of the secrets that it has just made.
 *
 * All sources are kept together for a minute, so a request for an unknown name costs no call of its own.
 */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type HrSource, parseHrSources } from '../domain/store/hr-sources';
import type { Clock, HrSources } from '../ports';
import { clientSettings } from './client-settings';
import { calling } from './errors';

export { SecretsManagerClient };

const CACHE_SECONDS = 60;

export class AwsHrSources implements HrSources {
  private cached: { readonly at: number; readonly sources: Readonly<Record<string, HrSource>> } | undefined;

  constructor(
    private readonly arn: string,
    private readonly clock: Clock,
    private readonly secretsManager = new SecretsManagerClient(clientSettings()),
  ) {}

  async find(name: string): Promise<HrSource | undefined> {
    const sources = await this.all();
    return Object.hasOwn(sources, name) ? sources[name] : undefined;
  }

  private async all(): Promise<Readonly<Record<string, HrSource>>> {
    const at = this.clock.now();
    if (this.cached && at - this.cached.at < CACHE_SECONDS) return this.cached.sources;
    const request = new GetSecretValueCommand({ SecretId: this.arn });
    const { SecretString = '' } = await calling('read the HR sources', () => this.secretsManager.send(request), {
      ResourceNotFoundException: 'ERR_NOT_FOUND',
    });
    const sources = parseHrSources(SecretString);
    this.cached = { at, sources };
    return sources;
  }
}
