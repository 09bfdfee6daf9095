import { IAMClient } from '@aws-sdk/client-iam';
import { applyLatch } from '../../lambdas/latch';
import { AwsIamDisabler, AwsIamLatch, AwsIamReader } from '../../lib/aws/iam';
import type { Deps } from '../../lib/ports';
import { type Answer, type Asked, answering, inFrozenTime, xmlError } from './answering';

const DENY = 'arn:aws:iam::000000000000:policy/deny';

function iamThat(answer: (asked: Asked, n: number) => Answer, as?: 'latch') {
  const { asked, config } = answering(answer, as);
  const client = new IAMClient(config);
  const latch = new AwsIamLatch(DENY, client);
  return { asked, latch, reader: new AwsIamReader(client), disabler: new AwsIamDisabler(client) };
}

function answer(operation: string, inner = ''): Answer {
  return { body: `<${operation}Response><${operation}Result>${inner}</${operation}Result></${operation}Response>` };
}
const attached = (...arns: string[]) =>
  `<AttachedPolicies>${arns.map((arn) => `<member><PolicyArn>${arn}</PolicyArn></member>`).join('')}</AttachedPolicies>`;

test.each(['Throttling', 'ThrottlingException'])('iam.throttled: %s is tried again', async (code) => {
  const { asked, latch } = iamThat(
    ({ operation }, n) => (n < 3 ? xmlError(400, code, 'Query') : answer(operation)),
    'latch',
  );
  expect((await inFrozenTime(() => latch.attachDenyPolicy('ann'))).error).toBeUndefined();
  expect(asked.map(({ operation }) => operation)).toEqual(Array(3).fill('AttachUserPolicy'));
});

test('iam.throttled: one that stays is no answer, and says so before the Lambda is stopped', async () => {
  const { latch } = iamThat(() => xmlError(400, 'Throttling', 'Query'), 'latch');
  const { error, seconds } = await inFrozenTime(() => latch.tagLeaver('ann', 'c-1'));
  expect(error).toMatchObject({ code: 'ERR_UNAVAILABLE' });
  expect(seconds).toBeLessThan(30);
});

test.each([
  ['AttachUserPolicy', 'the policy'],
  ['TagUser', 'the tag'],
])('iam.limit: where %s finds no place for %s, the error says what to make room for, at once', async (refused) => {
  const { asked, latch } = iamThat(
    ({ operation }) => (operation === refused ? xmlError(409, 'LimitExceeded', 'Query') : answer(operation)),
    'latch',
  );
  const run = () => applyLatch({ userName: 'ann', caseId: 'c-1' }, { latch } as unknown as Deps<'latch'>);
  const { error, seconds } = await inFrozenTime(run);
  expect(error).toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: `iam ${refused} was refused: LimitExceededException`,
    fix: expect.stringMatching(/detach one or delete one, then let the case go on/),
  });
  expect(seconds).toBeLessThan(1);
  // Attach comes first, so a tag that found no place leaves a policy that denies nothing yet.
  expect(asked.map(({ operation }) => operation)).toEqual(
    refused === 'TagUser' ? ['AttachUserPolicy', 'TagUser'] : ['AttachUserPolicy'],
  );
});

test('iam.stale: a read-back asks IAM each time, and says what IAM says then', async () => {
  const { reader } = iamThat(({ operation }, n) => answer(operation, attached(...(n < 2 ? [] : [DENY]))));
  expect(await reader.attachedPolicyArns('ann')).toEqual([]);
  expect(await reader.attachedPolicyArns('ann')).toEqual([DENY]);
});

test('iam.stale: a user that IAM does not show is none; keys that cannot be listed are not "no keys"', async () => {
  const { reader } = iamThat(() => xmlError(404, 'NoSuchEntity', 'Query'));
  expect(await reader.user('ann')).toBeUndefined();
  await expect(reader.accessKeys('ann')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
});

test('a key in any state but Inactive counts as one that works, on every page', async () => {
  const { reader } = iamThat(({ operation, input }) => {
    const key = (id: string, status: string) =>
      `<member><AccessKeyId>${id}</AccessKeyId><Status>${status}</Status></member>`;
    if (input.Marker === undefined)
      return answer(
        operation,
        `<AccessKeyMetadata>${key('A', 'Inactive')}</AccessKeyMetadata><IsTruncated>true</IsTruncated><Marker>m</Marker>`,
      );
    return answer(
      operation,
      `<AccessKeyMetadata>${key('B', 'Expired')}</AccessKeyMetadata><IsTruncated>false</IsTruncated>`,
    );
  });
  expect(await reader.accessKeys('ann')).toEqual([
    { accessKeyId: 'A', status: 'Inactive' },
    { accessKeyId: 'B', status: 'Active' },
  ]);
});

test('what is gone stays gone; a profile that cannot be changed yet is an error', async () => {
  const gone = iamThat(() => xmlError(404, 'NoSuchEntity', 'Query')).disabler;
  await gone.deactivateAccessKey('ann', 'A');
  await gone.deleteLoginProfile('ann');
  const busy = iamThat(() => xmlError(409, 'EntityTemporarilyUnmodifiable', 'Query')).disabler;
  await expect(busy.deleteLoginProfile('ann')).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
});
