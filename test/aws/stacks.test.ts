import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudformationStacks } from '../../lib/aws/stacks';
import { type Answer, answering, inFrozenTime, timedOut, xmlError } from './answering';

const STACK = 'arn:aws:cloudformation:us-east-1:000000000000:stack/curfew-test-signing/1';

function stacksThat(answer: (n: number) => Answer, as?: 'ring-deployer') {
  const { asked, config } = answering((_, n) => answer(n), as);
  return { asked, stacks: new CloudformationStacks(new CloudFormationClient(config)) };
}
const inState = (status: string): Answer => ({
  body: `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>s</StackName><CreationTime>2026-11-27T00:00:00Z</CreationTime><StackStatus>${status}</StackStatus></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
});

test.each([
  ['UPDATE_ROLLBACK_IN_PROGRESS', true],
  ['UPDATE_IN_PROGRESS', false],
  ['CREATE_IN_PROGRESS', false],
  ['ROLLBACK_IN_PROGRESS', false],
  ['UPDATE_ROLLBACK_COMPLETE', false],
  ['UPDATE_ROLLBACK_FAILED', false],
])('cloudformation.roll-back: a stack that is %s is rolled back: %s', async (status, isRollingBack) => {
  const { asked, stacks } = stacksThat(() => inState(status));
  expect(await stacks.isRollingBack(STACK)).toBe(isRollingBack);
  expect(asked).toMatchObject([{ operation: 'DescribeStacks', input: { StackName: STACK } }]);
});

test('cloudformation.roll-back: a stack that we may not see is none', async () => {
  const { stacks } = stacksThat(() => xmlError(403, 'AccessDenied', 'Query'));
  expect(await stacks.isRollingBack(STACK)).toBe(false);
});

test('a silence of CloudFormation is asked again, and is no answer', async () => {
  const once = stacksThat((n) => (n === 1 ? timedOut() : inState('UPDATE_ROLLBACK_IN_PROGRESS')), 'ring-deployer');
  expect((await inFrozenTime(() => once.stacks.isRollingBack(STACK))).value).toBe(true);
  const never = stacksThat(() => ({ status: 500, body: '' }));
  await expect(never.stacks.isRollingBack(STACK)).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
});
