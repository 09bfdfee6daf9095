/** What KMS says about one key, and what may be taken for "it cannot sign any more". */

import { KMSClient } from '@aws-sdk/client-kms';
import { disableKey } from '../../lambdas/disabler';
import { KmsKeyDisabler } from '../../lib/aws/kms-key-disabler';
import { KmsRingKeys } from '../../lib/aws/kms-ring-keys';
import { KmsSigner } from '../../lib/aws/kms-signer';
import { cannotSign } from '../../lib/domain/rings/ending';
import { SettableClock } from '../../lib/local/clock';
import type { Deps } from '../../lib/ports';
import { type Answer, answering, inFrozenTime, timedOut } from './answering';

const ARN = 'arn:aws:kms:us-east-1:000000000000:key/1';
const ELSEWHERE = 'arn:aws:kms:eu-west-1:000000000000:key/1';
const REPLICA = 'arn:aws:kms:us-east-1:000000000000:key/mrk-1';
const PRIMARY = 'arn:aws:kms:eu-west-1:000000000000:key/mrk-1';

const refusal = (name: string, message = '', status = 400): Answer => ({ status, body: { __type: name, message } });
const described = (KeyState: string, more: object = {}): Answer => ({
  body: { KeyMetadata: { KeyId: '1', Arn: ARN, KeyState, Origin: 'AWS_KMS', ...more } },
});

function kmsThat(answer: (n: number) => Answer, as?: 'rotator') {
  const { asked, config } = answering((_, n) => answer(n), as);
  const kms = new KMSClient(config);
  const keyDisabler = new KmsKeyDisabler(kms);
  const deps = { keyDisabler, clock: new SettableClock(0) } as unknown as Deps<'disabler'>;
  return { asked, signer: new KmsSigner(kms), ringKeys: new KmsRingKeys('test', kms), keyDisabler, deps };
}

test.each([
  ['NotFoundException', 'ERR_NOT_FOUND'],
  ['DisabledException', 'ERR_KEY_DISABLED'],
  ['KMSInvalidStateException', 'ERR_KEY_DISABLED'],
  ['KeyUnavailableException', 'ERR_UNAVAILABLE'],
  ['AccessDeniedException', 'ERR_ACCESS_DENIED'],
])('kms.stale: %s right after a change is %s, and asked anew it is as KMS says then', async (name, code) => {
  const { signer } = kmsThat((n) => (n === 1 ? refusal(name) : { body: { Signature: 'AAAA' } }));
  await expect(signer.sign(ARN, 'ES256', Buffer.from('m'))).rejects.toMatchObject({
    code,
    message: `kms Sign was refused: ${name}`,
  });
  expect(await signer.sign(ARN, 'ES256', Buffer.from('m'))).toEqual(Buffer.alloc(3));
});

test('kms.stale: the state is the one that KMS shows at each look', async () => {
  const { ringKeys } = kmsThat((n) => described(n === 1 ? 'Enabled' : 'Disabled'));
  expect((await ringKeys.describe(ARN)).state).toBe('Enabled');
  expect((await ringKeys.describe(ARN)).state).toBe('Disabled');
});

test.each([
  ['kms.throttled', 'ThrottlingException', 400],
  ['kms.internal', 'KMSInternalException', 500],
  ['kms.internal', 'DependencyTimeoutException', 503],
] as const)('%s: %s is tried again, and is no answer when it stays', async (_, name, status) => {
  const passing = kmsThat((n) => (n < 4 ? refusal(name, '', status) : { body: {} }), 'rotator');
  expect((await inFrozenTime(() => passing.ringKeys.enable(ARN))).error).toBeUndefined();
  expect(passing.asked).toHaveLength(4);

  const lasting = kmsThat(() => refusal(name, '', status), 'rotator');
  const { error, seconds } = await inFrozenTime(() => lasting.ringKeys.enable(ARN));
  expect(error).toMatchObject({ code: 'ERR_UNAVAILABLE', message: `kms EnableKey was refused: ${name}` });
  expect(lasting.asked).toHaveLength(8);
  expect(seconds).toBeLessThan(90);
});

test('kms.lost-answer: a DisableKey whose answer was lost is asked again, which finds it disabled', async () => {
  const { asked, keyDisabler } = kmsThat((n) => (n === 1 ? timedOut() : { body: {} }), 'rotator');
  expect((await inFrozenTime(() => keyDisabler.disable(ARN))).error).toBeUndefined();
  expect(asked).toHaveLength(2);
});

describe('kms.other-region: a key that may sign elsewhere is never proved dead', () => {
  test.each(['sign', 'publicKey', 'describe', 'disable', 'enable', 'policy', 'grants'] as const)(
    '%s of an ARN of another Region is refused before the call',
    async (operation) => {
      const { asked, ringKeys, signer } = kmsThat(() => refusal('NotFoundException', 'Invalid arn eu-west-1'));
      const call =
        operation === 'sign' ? signer.sign(ELSEWHERE, 'ES256', Buffer.from('m')) : ringKeys[operation](ELSEWHERE);
      await expect(call).rejects.toMatchObject({
        code: 'ERR_CONFIG_INVALID',
        message: expect.stringMatching(/^kms \w+ was asked about a key of another Region$/),
        got: 'eu-west-1',
        allowed: 'us-east-1',
      });
      expect(asked).toEqual([]);
    },
  );

  test('"Invalid arn" is not "not found", whatever the ARN looks like', async () => {
    const { deps } = kmsThat(() => refusal('NotFoundException', 'Invalid arn us-west-2'));
    await expect(disableKey({ kmsKeyArn: '1' }, deps)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' });
  });

  test.each([ELSEWHERE, PRIMARY])('the disabler gives no state of %s', async (kmsKeyArn) => {
    const { deps } = kmsThat(() => refusal('NotFoundException', 'Invalid arn eu-west-1'));
    await expect(disableKey({ kmsKeyArn }, deps)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' });
  });

  test('a replica that is gone here may be there elsewhere', async () => {
    const { deps } = kmsThat(() => refusal('NotFoundException'));
    await expect(disableKey({ kmsKeyArn: REPLICA }, deps)).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      fix: expect.stringMatching(/every Region/),
    });
  });

  test.each(['Disabled', 'PendingDeletion'])('a replica that is %s here says nothing of the others', async (state) => {
    const MultiRegionConfiguration = { PrimaryKey: { Arn: PRIMARY }, ReplicaKeys: [{ Arn: REPLICA }] };
    const { deps } = kmsThat(() => described(state, { Arn: REPLICA, MultiRegionConfiguration }));
    const answer = await disableKey({ kmsKeyArn: REPLICA }, deps);
    expect(answer).toEqual({ state: 'Unavailable' });
    expect(cannotSign(answer.state)).toBe(false);
  });

  test('a primary that has no replica is as dead as any other key', async () => {
    const MultiRegionConfiguration = { PrimaryKey: { Arn: REPLICA }, ReplicaKeys: [] };
    const { ringKeys } = kmsThat(() => described('Disabled', { Arn: REPLICA, MultiRegionConfiguration }));
    expect((await ringKeys.describe(REPLICA)).state).toBe('Disabled');
  });

  test('and a key of this Region that is gone is gone', async () => {
    const { deps } = kmsThat(() => refusal('NotFoundException', `Key '${ARN}' does not exist`));
    expect(await disableKey({ kmsKeyArn: ARN }, deps)).toEqual({ state: 'NotFound' });
  });
});
