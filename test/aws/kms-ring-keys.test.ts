import { KMSClient } from '@aws-sdk/client-kms';
import { ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { KmsRingKeys } from '../../lib/aws/kms-ring-keys';
import { type Answer, type Asked, answering, inFrozenTime, notedPauses, timedOut } from './answering';

const ARN = 'arn:aws:kms:us-east-1:000000000000:key/1';
const BIRTH = {
  algorithm: 'ES256',
  slotTag: 'test/customer-api/1',
  policy: '{}',
  bypassPolicyLockoutSafetyCheck: true,
} as const;
const BORN = { body: { KeyMetadata: { KeyId: '1', Arn: ARN } } };

function ringKeysThat(answer: (asked: Asked, n: number) => Answer, as?: 'rotator') {
  const { asked, config } = answering(answer, as);
  const { pauses, pause } = notedPauses();
  const clients = [new KMSClient(config), new ResourceGroupsTaggingAPIClient(config)] as const;
  return { asked, pauses, ringKeys: new KmsRingKeys('test', ...clients, pause) };
}

function malformed(message?: string): Answer {
  return { status: 400, body: { __type: 'MalformedPolicyDocumentException', message } };
}
const UNSEEN = malformed('Policy contains a statement with one or more invalid principals.');

test('a key is single-Region, signs only, and carries its slot and its final policy from birth', async () => {
  const { asked, ringKeys } = ringKeysThat(() => BORN);
  expect(await ringKeys.create(BIRTH)).toBe(ARN);
  expect(asked[0]?.input).toMatchObject({
    KeySpec: 'ECC_NIST_P256',
    KeyUsage: 'SIGN_VERIFY',
    MultiRegion: false,
    Policy: '{}',
    Tags: [
      { TagKey: 'curfew:slot', TagValue: BIRTH.slotTag },
      { TagKey: 'curfew:instance', TagValue: 'test' },
    ],
  });
});

test('kms.lockout: the check that our policies cannot pass is skipped, and asked to be skipped by the caller', async () => {
  const { asked, ringKeys } = ringKeysThat(({ input }) =>
    input.BypassPolicyLockoutSafetyCheck === true
      ? BORN
      : malformed('The new key policy will not allow you to update the key policy in the future.'),
  );
  expect(await ringKeys.create(BIRTH)).toBe(ARN);
  expect(asked).toHaveLength(1);
});

test('kms.lockout: a refusal by it is final at once, and says what to deploy', async () => {
  const { asked, ringKeys } = ringKeysThat(() =>
    malformed('The new key policy will not allow you to update the key policy in the future.'),
  );
  await expect(ringKeys.create(BIRTH)).rejects.toMatchObject({
    code: 'ERR_CONFIG_INVALID',
    message: 'kms CreateKey was refused by the lock-out check of key policies',
    allowed: 'BypassPolicyLockoutSafetyCheck: true',
  });
  expect(asked).toHaveLength(1);
});

test('kms.lockout: where an organisation denies the bypass, the error names the control and who to exempt', async () => {
  const { ringKeys } = ringKeysThat(() => ({ status: 400, body: { __type: 'AccessDeniedException' } }));
  await expect(ringKeys.create(BIRTH)).rejects.toMatchObject({
    code: 'ERR_ACCESS_DENIED',
    fix: expect.stringMatching(/CT\.KMS\.PV\.3.*exempt the role curfew-INSTANCE-rotator/),
  });
});

test.each([UNSEEN, malformed()])(
  'kms.principal-unseen: a policy whose principals KMS cannot see yet is tried again',
  async (refusal) => {
    const { asked, pauses, ringKeys } = ringKeysThat((_, n) => (n < 3 ? refusal : BORN));
    expect(await ringKeys.create(BIRTH)).toBe(ARN);
    expect(asked).toHaveLength(3);
    expect(new Set(pauses).size).toBe(2);
  },
);

test('kms.principal-unseen: a policy that stays malformed for more than a minute is a configuration error', async () => {
  const { pauses, ringKeys } = ringKeysThat(() => UNSEEN);
  await expect(ringKeys.create(BIRTH)).rejects.toMatchObject({
    code: 'ERR_CONFIG_INVALID',
    message: 'kms CreateKey was refused: MalformedPolicyDocumentException',
    fix: expect.stringMatching(/^check that the four roles/),
  });
  const waited = pauses.reduce((sum, one) => sum + one, 0);
  expect(waited).toBeGreaterThanOrEqual(60_000);
  expect(waited).toBeLessThan(90_000);
});

test('kms.lost-answer: what the lost answer left is found by its tag, beside the key of the second try', async () => {
  const { asked, ringKeys } = ringKeysThat(({ operation }, n) => {
    if (operation === 'CreateKey') return n === 1 ? timedOut() : BORN;
    return { body: { ResourceTagMappingList: [tagged(`${ARN}-lost`), tagged(ARN)], PaginationToken: '' } };
  }, 'rotator');
  expect((await inFrozenTime(() => ringKeys.create(BIRTH))).value).toBe(ARN);
  expect(asked.map(({ operation }) => operation)).toEqual(['CreateKey', 'CreateKey']);
  expect(asked[1]?.input).toEqual(asked[0]?.input);
  expect(await ringKeys.find(BIRTH.slotTag)).toEqual([`${ARN}-lost`, ARN]);
});

test('a quota of keys that is used up is said so, and not waited for', async () => {
  const { asked, ringKeys } = ringKeysThat(
    () => ({ status: 400, body: { __type: 'LimitExceededException' } }),
    'rotator',
  );
  const { error } = await inFrozenTime(() => ringKeys.create(BIRTH));
  expect(error).toMatchObject({ code: 'ERR_UNAVAILABLE', fix: expect.stringMatching(/^ask Service Quotas/) });
  expect(asked).toHaveLength(1);
});

function tagged(ResourceARN: string, instance = 'test', slot: string = BIRTH.slotTag) {
  const Tags = [
    { Key: 'curfew:slot', Value: slot },
    { Key: 'curfew:instance', Value: instance },
  ];
  return { ResourceARN, Tags };
}

test('keys are searched for by both tags, on every page; one of another instance or slot is not ours', async () => {
  const { asked, ringKeys } = ringKeysThat((_, n) => {
    if (n === 1) return { body: { ResourceTagMappingList: [], PaginationToken: 'one' } };
    if (n === 2)
      return { body: { ResourceTagMappingList: [tagged(`${ARN}-a`, 'other'), tagged(ARN)], PaginationToken: 'two' } };
    return { body: { ResourceTagMappingList: [tagged(`${ARN}-b`, 'test', 'else'), tagged(`${ARN}-c`)] } };
  });
  expect(await ringKeys.find(BIRTH.slotTag)).toEqual([ARN, `${ARN}-c`]);
  expect(asked.map(({ operation, input }) => [operation, input.PaginationToken])).toEqual([
    ['GetResources', undefined],
    ['GetResources', 'one'],
    ['GetResources', 'two'],
  ]);
  expect(asked[0]?.input).toEqual({
    ResourceTypeFilters: ['kms:key'],
    TagFilters: [
      { Key: 'curfew:slot', Values: [BIRTH.slotTag] },
      { Key: 'curfew:instance', Values: ['test'] },
    ],
  });
});

test('tags.stale: a key that the search does not show yet is not found, and found when it is asked anew', async () => {
  const { ringKeys } = ringKeysThat((_, n) => ({ body: { ResourceTagMappingList: n === 1 ? [] : [tagged(ARN)] } }));
  expect(await ringKeys.find(BIRTH.slotTag)).toEqual([]);
  expect(await ringKeys.find(BIRTH.slotTag)).toEqual([ARN]);
});

test('tags.stale: a search that was refused is no answer', async () => {
  const { ringKeys } = ringKeysThat(() => ({ status: 400, body: { __type: 'PaginationTokenExpiredException' } }));
  await expect(ringKeys.find(BIRTH.slotTag)).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
});

test('grants are counted on every page: an empty one is not the last', async () => {
  const { ringKeys } = ringKeysThat(({ input }) => ({
    body: input.Marker ? { Grants: [{ GrantId: 'g' }], Truncated: false } : { Truncated: true, NextMarker: 'm' },
  }));
  expect(await ringKeys.grants(ARN)).toEqual(['g']);
});

test('an answer without its result is no answer', async () => {
  const { ringKeys } = ringKeysThat(() => ({ body: {} }));
  const noAnswer = { code: 'ERR_UNAVAILABLE' };
  await expect(ringKeys.create(BIRTH)).rejects.toMatchObject(noAnswer);
  await expect(ringKeys.publicKey(ARN)).rejects.toMatchObject(noAnswer);
  await expect(ringKeys.describe(ARN)).rejects.toMatchObject(noAnswer);
  await expect(ringKeys.policy(ARN)).rejects.toMatchObject(noAnswer);
});
