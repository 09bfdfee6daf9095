/** KeyEnabler on KMS: EnableKey and GetKeyPolicy, of personal keys whose own policy names our role, and nothing else. */
import { EnableKeyCommand, GetKeyPolicyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { KeyEnabler } from '../ports';
import { clientSettings } from './client-settings';
import { askKms } from './kms-answers';

export { KMSClient };

export class KmsKeyEnabler implements KeyEnabler {
  constructor(private readonly kms = new KMSClient(clientSettings())) {}

  async enable(KeyId: string): Promise<void> {
    await askKms('EnableKey', this.kms, KeyId, () => this.kms.send(new EnableKeyCommand({ KeyId })));
  }

  async policy(KeyId: string): Promise<string> {
    const call = () => this.kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }));
    return (await askKms('GetKeyPolicy', this.kms, KeyId, call)).Policy ?? '';
  }
}
