/** KeyEnabler on KMS: EnableKey, of personal keys whose own policy names our role, and nothing else. */
import { EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { KeyEnabler } from '../ports';
import { clientSettings } from './client-settings';
import { askKms } from './kms-answers';

export { KMSClient };

export class KmsKeyEnabler implements KeyEnabler {
  constructor(private readonly kms = new KMSClient(clientSettings())) {}

  async enable(KeyId: string): Promise<void> {
    await askKms('EnableKey', this.kms, KeyId, () => this.kms.send(new EnableKeyCommand({ KeyId })));
  }
}
