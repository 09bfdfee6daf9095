/**
 * Sealer on KMS: one data key per person, wrapped under the shred key, kept in the Shred table (which has no backups).
 * The data key is unwrapped at each use and never cached: a person is erased the moment the item is deleted.
 *
 * Who can write the Shred table can make fields unreadable, not readable: the pseudonym is KMS encryption context.
 */
import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { CurfewError } from '../domain/base/errors';
import { DEK_BYTES, IV_BYTES, openField, sealField } from '../domain/evidence/sealed';
import { WRAPPED_KEY } from '../domain/store/shred';
import type { Row } from '../domain/store/table';
import type { Random, Sealer } from '../ports';
import { clientSettings } from './client-settings';
import { awsError, calling } from './errors';
import { KMS_CODES, present } from './kms-answers';

export { DynamoDBClient, KMSClient };

interface SealerPlaces {
  readonly shredKeyArn: string;
  readonly shredTable: string;
}

export class KmsSealer implements Sealer {
  private readonly documents: DynamoDBDocumentClient;

  constructor(
    private readonly places: SealerPlaces,
    private readonly random: Random,
    private readonly kms = new KMSClient(clientSettings()),
    client = new DynamoDBClient(clientSettings()),
  ) {
    this.documents = DynamoDBDocumentClient.from(client);
  }

  async seal(pseudonym: string, context: string, clear: string): Promise<string> {
    const wrapped = (await this.wrappedDek(pseudonym)) ?? (await this.createDek(pseudonym));
    const dek = await this.unwrap(pseudonym, wrapped);
    return sealField(dek, this.random.bytes(IV_BYTES), { pseudonym, context }, clear);
  }

  async open(pseudonym: string, context: string, sealed: string): Promise<string> {
    const wrapped = await this.wrappedDek(pseudonym);
    if (!wrapped) throw new CurfewError('ERR_NOT_FOUND', 'the key of this person is gone; the fields are erased');
    return openField(await this.unwrap(pseudonym, wrapped), { pseudonym, context }, sealed);
  }

  private async wrappedDek(pseudonym: string): Promise<Uint8Array | undefined> {
    const request = new GetCommand({
      TableName: this.places.shredTable,
      Key: WRAPPED_KEY.key(pseudonym),
      ConsistentRead: true,
    });
    const { Item } = await calling('get shred', () => this.documents.send(request));
    return Item && Buffer.from(WRAPPED_KEY.parse(Item as Row).wrappedDek, 'base64url');
  }

  /** Two first seals at once: the loser of the conditional put reads the winner's key, so a person never has two. */
  private async createDek(pseudonym: string): Promise<Uint8Array> {
    const request = new GenerateDataKeyCommand({
      KeyId: this.places.shredKeyArn,
      NumberOfBytes: DEK_BYTES,
      EncryptionContext: { pseudonym },
    });
    const { CiphertextBlob } = await calling('kms GenerateDataKey', () => this.kms.send(request), KMS_CODES);
    const wrapped = present('GenerateDataKey', CiphertextBlob);
    const put = new PutCommand({
      TableName: this.places.shredTable,
      Item: WRAPPED_KEY.row([pseudonym], { wrappedDek: Buffer.from(wrapped).toString('base64url') }),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    try {
      await this.documents.send(put);
      return wrapped;
    } catch (error) {
      const winner = error instanceof ConditionalCheckFailedException ? await this.wrappedDek(pseudonym) : undefined;
      if (winner) return winner;
      throw awsError('put shred', error);
    }
  }

  private async unwrap(pseudonym: string, CiphertextBlob: Uint8Array): Promise<Uint8Array> {
    const request = new DecryptCommand({
      KeyId: this.places.shredKeyArn,
      CiphertextBlob,
      EncryptionContext: { pseudonym },
    });
    const { Plaintext } = await calling('kms Decrypt', () => this.kms.send(request), KMS_CODES);
    return present('Decrypt', Plaintext);
  }
}
