/** RingKeys on KMS: single-Region keys, each born with its slot's tag and its final policy. Nothing here signs. */
import {
  EnableKeyCommand,
  GetKeyPolicyCommand,
  GetPublicKeyCommand,
  KMSClient,
  paginateListGrants,
} from '@aws-sdk/client-kms';
import { paginateGetResources, ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import type { RingKeys } from '../ports';
import { clientSettings } from './client-settings';
import { calling } from './errors';
import { askKms, present } from './kms-answers';
import { createRingKey, INSTANCE_TAG, SLOT_TAG } from './kms-create-key';
import { KmsKeyDisabler } from './kms-key-disabler';
import { type Pause, pause } from './pause';

export { KMSClient, ResourceGroupsTaggingAPIClient };

/** All that the disabler may do, and birth and enabling besides. */
export class KmsRingKeys extends KmsKeyDisabler implements RingKeys {
  constructor(
    private readonly instance: string,
    kms = new KMSClient(clientSettings()),
    private readonly tagging = new ResourceGroupsTaggingAPIClient(clientSettings()),
    private readonly wait: Pause = pause,
  ) {
    super(kms);
  }

  create(request: Parameters<RingKeys['create']>[0]): Promise<string> {
    return createRingKey(this.kms, this.instance, request, this.wait);
  }

  /** By tag and not key by key: an account may hold thousands, and each would cost a call. */
  async find(slotTag: string): Promise<readonly string[]> {
    const tags = { [SLOT_TAG]: slotTag, [INSTANCE_TAG]: this.instance };
    const search = {
      ResourceTypeFilters: ['kms:key'],
      TagFilters: Object.entries(tags).map(([Key, value]) => ({ Key, Values: [value] })),
    };
    return calling('tag GetResources', async () => {
      const found: string[] = [];
      for await (const { ResourceTagMappingList } of paginateGetResources({ client: this.tagging }, search))
        for (const { ResourceARN, Tags } of ResourceTagMappingList ?? []) {
          const has = Object.fromEntries((Tags ?? []).map(({ Key, Value }) => [Key, Value]));
          const isOurs = Object.entries(tags).every(([name, value]) => has[name] === value);
          if (ResourceARN !== undefined && isOurs) found.push(ResourceARN);
        }
      return found;
    });
  }

  async publicKey(KeyId: string): Promise<Buffer> {
    const call = () => this.kms.send(new GetPublicKeyCommand({ KeyId }));
    const { PublicKey } = await askKms('GetPublicKey', this.kms, KeyId, call);
    return Buffer.from(present('GetPublicKey', PublicKey));
  }

  async enable(KeyId: string): Promise<void> {
    await askKms('EnableKey', this.kms, KeyId, () => this.kms.send(new EnableKeyCommand({ KeyId })));
  }

  async policy(KeyId: string): Promise<string> {
    const call = () => this.kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }));
    const { Policy } = await askKms('GetKeyPolicy', this.kms, KeyId, call);
    return present('GetKeyPolicy', Policy);
  }

  /** All pages: one that is empty may still have a next one, and one grant overlooked is a right that nobody sees. */
  grants(KeyId: string): Promise<readonly string[]> {
    return askKms('ListGrants', this.kms, KeyId, async () => {
      const ids: string[] = [];
      for await (const { Grants } of paginateListGrants({ client: this.kms }, { KeyId }))
        ids.push(...(Grants ?? []).map(({ GrantId }) => present('ListGrants', GrantId)));
      return ids;
    });
  }
}
