/** KeyDisabler on KMS: DisableKey and the read-back, and no way back. */
import { DescribeKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { KeyDisabler, KmsKeyDescription } from '../ports';
import { clientSettings } from './client-settings';
import { askKms, description } from './kms-answers';

export { KMSClient };

export class KmsKeyDisabler implements KeyDisabler {
  constructor(protected readonly kms = new KMSClient(clientSettings())) {}

  async disable(KeyId: string): Promise<void> {
    await askKms('DisableKey', this.kms, KeyId, () => this.kms.send(new DisableKeyCommand({ KeyId })));
  }

  async describe(KeyId: string): Promise<KmsKeyDescription> {
    const call = () => this.kms.send(new DescribeKeyCommand({ KeyId }));
    return description(await askKms('DescribeKey', this.kms, KeyId, call));
  }
}
