import { KMSClient } from '@aws-sdk/client-kms';
import { KmsRingKeys } from '../../lib/aws/kms-ring-keys';
import { type Asked, answering } from './answering';

const ARN = 'arn:aws:kms:us-east-1:000000000000:key/1';
const BIRTH = { algorithm: 'ES256', slotTag: 'test/customer-api/1', policy: '{}' } as const;

function ringKeysThat(answer: (asked: Asked, n: number) => { status?: number; body: unknown }) {
  let n = 0;
  const { asked, config } = answering((one) => answer(one, ++n));
  return { asked, ringKeys: new KmsRingKeys('test', new KMSClient(config), 0) };
}

const malformed = { status: 400, body: { __type: 'MalformedPolicyDocumentException' } };

test('a key is single-Region, signs only, and carries its slot and its final policy from birth', async () => {
  const { asked, ringKeys } = ringKeysThat(() => ({ body: { KeyMetadata: { KeyId: '1', Arn: ARN } } }));
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

test('a policy whose principals KMS cannot see yet is tried again', async () => {
  const { asked, ringKeys } = ringKeysThat((_, n) =>
    n < 3 ? malformed : { body: { KeyMetadata: { KeyId: '1', Arn: ARN } } },
  );
  expect(await ringKeys.create(BIRTH)).toBe(ARN);
  expect(asked).toHaveLength(3);
});

test('a policy that stays malformed is a configuration error', async () => {
  const { asked, ringKeys } = ringKeysThat(() => malformed);
  await expect(ringKeys.create(BIRTH)).rejects.toMatchObject({
    code: 'ERR_CONFIG_INVALID',
    message: 'kms CreateKey was refused: MalformedPolicyDocumentException',
  });
  expect(asked).toHaveLength(5);
});

test('keys whose tags may not be read are passed over, on every page; another instance of Curfew is not ours', async () => {
  const tagged = (instance: string) => ({
    body: {
      Tags: [
        { TagKey: 'curfew:slot', TagValue: BIRTH.slotTag },
        { TagKey: 'curfew:instance', TagValue: instance },
      ],
    },
  });
  const { ringKeys } = ringKeysThat(({ operation, input }) => {
    if (operation === 'ListKeys')
      return input.Marker
        ? { body: { Keys: [{ KeyArn: ARN }], Truncated: false } }
        : { body: { Keys: [{ KeyArn: `${ARN}-a` }, { KeyArn: `${ARN}-b` }], Truncated: true, NextMarker: 'm' } };
    if (input.KeyId === `${ARN}-a`) return { status: 400, body: { __type: 'AccessDeniedException' } };
    return tagged(input.KeyId === ARN ? 'test' : 'other');
  });
  expect(await ringKeys.find(BIRTH.slotTag)).toEqual([ARN]);
});

test('an answer without its result is no answer', async () => {
  const { ringKeys } = ringKeysThat(() => ({ body: {} }));
  const noAnswer = { code: 'ERR_UNAVAILABLE' };
  await expect(ringKeys.publicKey(ARN)).rejects.toMatchObject(noAnswer);
  await expect(ringKeys.describe(ARN)).rejects.toMatchObject(noAnswer);
  await expect(ringKeys.policy(ARN)).rejects.toMatchObject(noAnswer);
});
