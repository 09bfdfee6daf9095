/** KeyDisabler on KMS: DisableKey and the read-back, and no way back. */
import { DescribeKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { KeyDisabler, KmsKeyDescription } from '../ports';
import { calling } from './errors';
import { description, KMS_CODES } from './kms-answers';

export class KmsKeyDisabler implements KeyDisabler {
  constructor(protected readonly kms = new KMSClient({})) {}

  async disable(kmsKeyArn: string): Promise<void> {
    await calling('kms DisableKey', () => this.kms.send(new DisableKeyCommand({ KeyId: kmsKeyArn })), KMS_CODES);
  }

  async describe(kmsKeyArn: string): Promise<KmsKeyDescription> {
    const request = new DescribeKeyCommand({ KeyId: kmsKeyArn });
    return description(await calling('kms DescribeKey', () => this.kms.send(request), KMS_CODES));
  }
}
