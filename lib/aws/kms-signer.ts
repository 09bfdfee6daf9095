/** Signer on KMS. Digest algorithms hash here and send the digest; Ed25519 has no digest form and is sent whole. */
import { createHash } from 'node:crypto';
import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { CurfewError } from '../domain/base/errors';
import { ALGORITHMS, RAW_MESSAGE_BYTES_MAX, type SigningAlgorithm } from '../domain/jose/algorithm';
import type { Signer } from '../ports';
import { calling } from './errors';
import { KMS_CODES, present } from './kms-answers';

export class KmsSigner implements Signer {
  constructor(private readonly kms = new KMSClient({})) {}

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
    const { Signature } = await calling('kms Sign', () => this.kms.send(request), KMS_CODES);
    return Buffer.from(present('Sign', Signature));
  }

  async publicKey(kmsKeyArn: string): Promise<Buffer> {
    const request = new GetPublicKeyCommand({ KeyId: kmsKeyArn });
    const { PublicKey } = await calling('kms GetPublicKey', () => this.kms.send(request), KMS_CODES);
    return Buffer.from(present('GetPublicKey', PublicKey));
  }
}
