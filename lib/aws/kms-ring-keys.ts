/** RingKeys on KMS: single-Region keys, each born with its slot's tag and its final policy. Nothing here signs. */
import { setTimeout } from 'node:timers/promises';
import {
  CreateKeyCommand,
  EnableKeyCommand,
  GetKeyPolicyCommand,
  GetPublicKeyCommand,
  KMSClient,
  ListGrantsCommand,
  ListResourceTagsCommand,
  paginateListKeys,
} from '@aws-sdk/client-kms';
import { isCurfewError } from '../domain/base/errors';
import { ALGORITHMS } from '../domain/jose/algorithm';
import type { RingKeys } from '../ports';
import { awsError, calling, errorName } from './errors';
import { KMS_CODES, present } from './kms-answers';
import { KmsKeyDisabler } from './kms-key-disabler';

const SLOT_TAG = 'curfew:slot';
const INSTANCE_TAG = 'curfew:instance';
/** IAM shows a new role to KMS only after a while; until then its policy counts as malformed. */
const CREATE_ATTEMPTS = 5;

/** All that the disabler may do, and birth and enabling besides. */
export class KmsRingKeys extends KmsKeyDisabler implements RingKeys {
  constructor(
    private readonly instance: string,
    kms = new KMSClient({}),
    private readonly retryMilliseconds = 2000,
  ) {
    super(kms);
  }

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
    const { KeyMetadata } = await this.retried(() => this.kms.send(request));
    return present('CreateKey', KeyMetadata?.Arn);
  }

  /** Every key of the account, one by one: KMS has no search by tag. Births are rare. */
  async find(slotTag: string): Promise<readonly string[]> {
    const found: string[] = [];
    try {
      for await (const { Keys } of paginateListKeys({ client: this.kms }, {})) {
        for (const { KeyArn } of Keys ?? []) {
          const tags = KeyArn === undefined ? {} : await this.tags(KeyArn);
          if (tags[SLOT_TAG] === slotTag && tags[INSTANCE_TAG] === this.instance) found.push(KeyArn as string);
        }
      }
      return found;
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

  async policy(kmsKeyArn: string): Promise<string> {
    const request = new GetKeyPolicyCommand({ KeyId: kmsKeyArn, PolicyName: 'default' });
    const { Policy } = await calling('kms GetKeyPolicy', () => this.kms.send(request), KMS_CODES);
    return present('GetKeyPolicy', Policy);
  }

  async grants(kmsKeyArn: string): Promise<readonly string[]> {
    const request = new ListGrantsCommand({ KeyId: kmsKeyArn });
    const { Grants } = await calling('kms ListGrants', () => this.kms.send(request), KMS_CODES);
    return (Grants ?? []).map(({ GrantId }) => present('ListGrants', GrantId));
  }

  private async retried<T>(create: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await create();
      } catch (error) {
        const tooEarly = errorName(error) === 'MalformedPolicyDocumentException' && attempt < CREATE_ATTEMPTS;
        if (!tooEarly)
          throw awsError('kms CreateKey', error, { MalformedPolicyDocumentException: 'ERR_CONFIG_INVALID' });
        await setTimeout(this.retryMilliseconds);
      }
    }
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
