/** RingKeys on KMS: single-Region keys, each born with its slot's tag and its final policy. Nothing here signs. */
import { setTimeout } from 'node:timers/promises';
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GetKeyPolicyCommand,
  GetPublicKeyCommand,
  KMSClient,
  ListResourceTagsCommand,
  paginateListKeys,
} from '@aws-sdk/client-kms';
import { isCurfewError } from '../domain/errors';
import { ALGORITHMS } from '../domain/keys/algorithm';
import type { KmsKeyDescription, RingKeys } from '../ports';
import { awsError, calling, errorName } from './errors';
import { description, KMS_CODES, present } from './kms-answers';

const SLOT_TAG = 'curfew:slot';
const INSTANCE_TAG = 'curfew:instance';
/** IAM shows a new role to KMS only after a while; until then its policy counts as malformed. */
const CREATE_ATTEMPTS = 5;

export class KmsRingKeys implements RingKeys {
  constructor(
    private readonly instance: string,
    private readonly kms = new KMSClient({}),
    private readonly retryMilliseconds = 2000,
  ) {}

  async create({ algorithm, slotTag, policy }: Parameters<RingKeys['create']>[0]): Promise<string> {
    const request = new CreateKeyCommand({
      KeySpec: ALGORITHMS[algorithm].keySpec,
      KeyUsage: 'SIGN_VERIFY',
      Origin: 'AWS_KMS',
      MultiRegion: false,
      Policy: policy,
      Description: `curfew ${this.instance} ${slotTag}`,
      Tags: [
        { TagKey: SLOT_TAG, TagValue: slotTag },
        { TagKey: INSTANCE_TAG, TagValue: this.instance },
      ],
    });
    for (let attempt = 1; ; attempt++) {
      try {
        const { KeyMetadata } = await this.kms.send(request);
        return present('CreateKey', KeyMetadata?.Arn);
      } catch (error) {
        const tooEarly = errorName(error) === 'MalformedPolicyDocumentException' && attempt < CREATE_ATTEMPTS;
        if (!tooEarly)
          throw awsError('kms CreateKey', error, { MalformedPolicyDocumentException: 'ERR_CONFIG_INVALID' });
        await setTimeout(this.retryMilliseconds);
      }
    }
  }

  /** Every key of the account, one by one: KMS has no search by tag. Asked only when a slot was left half born. */
  async find(slotTag: string): Promise<string | undefined> {
    try {
      for await (const { Keys } of paginateListKeys({ client: this.kms }, {})) {
        for (const { KeyArn } of Keys ?? []) {
          const tags = KeyArn === undefined ? {} : await this.tags(KeyArn);
          if (tags[SLOT_TAG] === slotTag && tags[INSTANCE_TAG] === this.instance) return KeyArn;
        }
      }
      return undefined;
    } catch (error) {
      throw isCurfewError(error) ? error : awsError('kms ListKeys', error);
    }
  }

  async publicKey(kmsKeyArn: string): Promise<Buffer> {
    const request = new GetPublicKeyCommand({ KeyId: kmsKeyArn });
    const { PublicKey } = await calling('kms GetPublicKey', () => this.kms.send(request), KMS_CODES);
    return Buffer.from(present('GetPublicKey', PublicKey));
  }

  async enable(kmsKeyArn: string): Promise<void> {
    await calling('kms EnableKey', () => this.kms.send(new EnableKeyCommand({ KeyId: kmsKeyArn })), KMS_CODES);
  }

  async disable(kmsKeyArn: string): Promise<void> {
    await calling('kms DisableKey', () => this.kms.send(new DisableKeyCommand({ KeyId: kmsKeyArn })), KMS_CODES);
  }

  async describe(kmsKeyArn: string): Promise<KmsKeyDescription> {
    const request = new DescribeKeyCommand({ KeyId: kmsKeyArn });
    return description(await calling('kms DescribeKey', () => this.kms.send(request), KMS_CODES));
  }

  async policy(kmsKeyArn: string): Promise<string> {
    const request = new GetKeyPolicyCommand({ KeyId: kmsKeyArn, PolicyName: 'default' });
    const { Policy } = await calling('kms GetKeyPolicy', () => this.kms.send(request), KMS_CODES);
    return present('GetKeyPolicy', Policy);
  }

  /** A key whose tags we may not read is not ours. */
  private async tags(kmsKeyArn: string): Promise<Record<string, string>> {
    const request = new ListResourceTagsCommand({ KeyId: kmsKeyArn });
    try {
      const { Tags } = await calling('kms ListResourceTags', () => this.kms.send(request), KMS_CODES);
      return Object.fromEntries((Tags ?? []).map(({ TagKey, TagValue }) => [TagKey, TagValue]));
    } catch (error) {
      if (isCurfewError(error, 'ERR_ACCESS_DENIED') || isCurfewError(error, 'ERR_NOT_FOUND')) return {};
      throw error;
    }
  }
}
