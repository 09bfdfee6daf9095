/** Signer on KMS. Digest algorithms hash here and send the digest; Ed25519 has no digest form and is sent whole. */
import { createHash } from 'node:crypto';
import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { CurfewError } from '../domain/base/errors';
import { ALGORITHMS, RAW_MESSAGE_BYTES_MAX, type SigningAlgorithm } from '../domain/jose/algorithm';
import type { Signer } from '../ports';
import { clientSettings } from './client-settings';
import { askKms, present } from './kms-answers';

export { KMSClient };

export class KmsSigner implements Signer {
  constructor(private readonly kms = new KMSClient(clientSettings())) {}

  async sign(kmsKeyArn: string, algorithm: SigningAlgorithm, message: Uint8Array): Promise<Buffer> {
    const { kms, hash } = ALGORITHMS[algorithm];
    if (!hash && message.length > RAW_MESSAGE_BYTES_MAX)
      throw new CurfewError('ERR_INPUT_INVALID', `kms signs at most ${RAW_MESSAGE_BYTES_MAX} bytes raw`, {
        got: message.length,
      });
    const request = new SignCommand({
      KeyId: kmsKeyArn,
      SigningAlgorithm: kms,
      MessageType: hash ? 'DIGEST' : 'RAW',
      Message: hash ? createHash(hash).update(message).digest() : message,
    });
    const { Signature } = await askKms('Sign', this.kms, kmsKeyArn, () => this.kms.send(request));
    return Buffer.from(present('Sign', Signature));
  }

  async publicKey(kmsKeyArn: string): Promise<Buffer> {
    const request = new GetPublicKeyCommand({ KeyId: kmsKeyArn });
    const { PublicKey } = await askKms('GetPublicKey', this.kms, kmsKeyArn, () => this.kms.send(request));
    return Buffer.from(present('GetPublicKey', PublicKey));
  }
}
