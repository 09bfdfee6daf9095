import { SFNClient } from '@aws-sdk/client-sfn';
import { SfnWorkflow } from '../../lib/aws/sfn-workflow';
import { type Answer, answering, inFrozenTime, timedOut } from './answering';

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:curfew';
const INPUT = { caseId: 'c-1', attempt: 1 };

function workflowThat(answer: (n: number) => Answer, as?: 'ticker') {
  const { asked, config } = answering((_, n) => answer(n), as);
  return { asked, workflow: new SfnWorkflow(MACHINE, new SFNClient(config)) };
}
const refusal = (__type: string): Answer => ({ status: 400, body: { __type } });

test('an execution of this name that exists is a success: it was started before', async () => {
  await workflowThat(() => refusal('ExecutionAlreadyExists')).workflow.start('c-1-1', INPUT);
});

test('a start whose answer was lost is repeated under the same name', async () => {
  const { asked, workflow } = workflowThat((n) => (n === 1 ? timedOut() : refusal('ExecutionAlreadyExists')), 'ticker');
  expect((await inFrozenTime(() => workflow.start('c-1-1', INPUT))).error).toBeUndefined();
  expect(asked[1]?.input).toEqual(asked[0]?.input);
});

test.each(['StateMachineDoesNotExist', 'StateMachineDeleting', 'ExecutionLimitExceeded'])(
  '%s is no start',
  async (name) => {
    const { workflow } = workflowThat(() => refusal(name));
    await expect(workflow.start('c-1-1', INPUT)).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  },
);

test.each([
  ['RUNNING', true],
  ['PENDING_REDRIVE', true],
  ['SUCCEEDED', false],
  ['FAILED', false],
  ['TIMED_OUT', false],
  ['ABORTED', false],
])('workflow.killed: an execution that is %s is running: %s', async (status, running) => {
  const { workflow } = workflowThat(() => ({ body: { status } }));
  expect(await workflow.isRunning('c-1-1')).toBe(running);
});

test('workflow.killed: one that was never started does not run; one that cannot be looked at is not known', async () => {
  expect(await workflowThat(() => refusal('ExecutionDoesNotExist')).workflow.isRunning('c-1-1')).toBe(false);
  await expect(workflowThat(() => refusal('AccessDeniedException')).workflow.isRunning('x')).rejects.toMatchObject({
    code: 'ERR_ACCESS_DENIED',
  });
});
