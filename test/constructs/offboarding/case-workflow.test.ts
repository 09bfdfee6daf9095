import { STEPS } from '../../../lib/domain/cases/steps';
import { ofType, templatesOf } from '../templates';

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Parameters?: Readonly<Record<string, unknown>>;
  readonly ItemProcessor?: { readonly States: Readonly<Record<string, State>> };
  readonly [field: string]: unknown;
}

const { offboarding } = templatesOf('trial');
const [[, machine]] = ofType(offboarding, 'AWS::StepFunctions::StateMachine') as [ReturnType<typeof ofType>[number]];
const definition = JSON.parse(
  (machine.Properties.DefinitionString['Fn::Join'][1] as unknown[])
    .map((part) => (typeof part === 'string' ? part : 'ref'))
    .join(''),
) as { readonly StartAt: string; readonly States: Readonly<Record<string, State>> };

const named = new Set(STEPS.map(({ name }) => name as string));
const inner = Object.values(definition.States).flatMap(({ ItemProcessor }) =>
  Object.values(ItemProcessor?.States ?? {}),
);
const tasks = [...Object.values(definition.States), ...inner].filter(({ Type }) => Type === 'Task');

/** The steps in the order in which a walk meets them: through the choice where `tainted`, or around it where not. */
function walk(tainted: boolean): string[] {
  const steps: string[] = [];
  const visited = new Set<string>();
  for (let at: string | undefined = definition.StartAt; at !== undefined && !visited.has(at); ) {
    visited.add(at);
    const state: State | undefined = definition.States[at];
    if (named.has(at)) steps.push(at);
    at = state?.Choices
      ? tainted && state !== definition.States['hold?']
        ? state.Choices[0]?.Next
        : state.Default
      : state?.Next;
  }
  return steps;
}

test('the machine takes the steps of steps.ts, each in its place', () => {
  expect(walk(true)).toEqual(STEPS.map(({ name }) => name).filter((name) => name !== 'hold'));
});

test('a case that taints nothing waits for no wave', () => {
  const expected = STEPS.filter((step) => !('onlyIfTainted' in step) && step.kind !== 'hold').map(({ name }) => name);
  expect(walk(false)).toEqual(expected);
});

test('a hold ends the execution', () => {
  expect(definition.States['hold?']?.Choices).toEqual([
    { Variable: '$.close.held', BooleanEquals: true, Next: 'hold (held)' },
  ]);
  expect(definition.States['hold (held)']?.Type).toBe('Succeed');
});

interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly MaxAttempts: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: string;
}
const left = STEPS.filter(({ mayFail }) => mayFail).map(({ name }) => definition.States[name] as State);
const retriers = (state: State) => (state.Retry ?? []) as readonly Retrier[];

test('every task has a time limit and is tried again, whatever the error', () => {
  expect(tasks.length).toBeGreaterThan(10);
  for (const task of tasks) {
    expect(task.TimeoutSeconds).toEqual(expect.any(Number));
    if (!left.includes(task))
      expect(retriers(task).at(-1)).toMatchObject({ ErrorEquals: ['States.ALL'], MaxAttempts: 6 });
  }
});

test('what a clock does again is tried once, and the next step begins whatever became of it', () => {
  expect(left).toHaveLength(1);
  for (const task of left) {
    const [caught, ...others] = task.Catch as readonly {
      readonly ErrorEquals: readonly string[];
      readonly Next: string;
    }[];
    expect([retriers(task), others, caught?.ErrorEquals]).toEqual([[], [], ['States.ALL']]);
    expect(definition.States[caught?.Next ?? '']).toMatchObject({ Type: 'Pass', Next: task.Next });
  }
});

test('lambda.throttled: every retry waits for a time that is drawn, and never for long', () => {
  const all = [...Object.values(definition.States), ...inner].flatMap(retriers);
  expect(all.length).toBeGreaterThanOrEqual(tasks.length);
  for (const { JitterStrategy, MaxDelaySeconds } of all)
    expect([JitterStrategy, MaxDelaySeconds]).toEqual(['FULL', 20]);
});

test.each(STEPS.filter(({ kind }) => kind === 'map'))(
  'lambda.killed: an item of $name that hangs is tried once more, for the steps after it wait',
  ({ name }) => {
    const item = definition.States[name]?.ItemProcessor?.States[`${name} item`] as State;
    const hung = ['States.Timeout', 'Sandbox.Timedout', 'Lambda.Unknown'];
    // Step Functions takes the first retrier that names the error.
    for (const error of hung) {
      const first = retriers(item).find(({ ErrorEquals }) =>
        [error, 'States.ALL'].some((n) => ErrorEquals.includes(n)),
      );
      expect([error, first?.MaxAttempts]).toEqual([error, 1]);
    }
  },
);

test('nothing but references passes through the machine', () => {
  const passed = new Set(tasks.flatMap(({ Parameters }) => Object.keys(Parameters ?? {})));
  expect([...passed].sort()).toEqual(['attempt.$', 'caseId.$', 'nn.$', 'step']);
});

test.each(STEPS.filter(({ kind }) => kind === 'map'))(
  'an item of $name that fails does not keep the others waiting',
  ({ name }) => {
    const states = definition.States[name]?.ItemProcessor?.States ?? {};
    const [caught] = (states[`${name} item`]?.Catch ?? []) as {
      readonly Next: string;
      readonly ErrorEquals: string[];
    }[];
    expect(caught?.ErrorEquals).toEqual(['States.ALL']);
    expect(states[caught?.Next ?? '']).toMatchObject({ Type: 'Pass', End: true });
  },
);

test('the role of the machine invokes the functions of the steps, and can do nothing to them', () => {
  const policies = ofType(offboarding, 'AWS::IAM::Policy').filter(([id]) => id.startsWith('OffboardingWorkflow'));
  const actions = policies.flatMap(([, { Properties }]) =>
    Properties.PolicyDocument.Statement.flatMap((s: { Action: string }) => s.Action),
  );
  expect([...new Set(actions as string[])].filter((action) => !/^(logs|xray):/.test(action)).sort()).toEqual([
    'lambda:InvokeFunction',
    'states:DescribeExecution',
    'states:RedriveExecution',
    'states:StartExecution',
    'states:StopExecution',
  ]);
});
