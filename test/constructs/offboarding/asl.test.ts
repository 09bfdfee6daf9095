/** The state machine in the language that Step Functions reads, with every ARN in its place. */

import { resolved } from '../rights/simulated/resolved';
import { ofType, synthesise } from '../synthesised';

interface Verdict {
  readonly isValid: boolean;
  readonly errorsText: (separator?: string) => string;
}
// It ships no types.
const validate = require('asl-validator') as (definition: unknown, options?: object) => Verdict;

const { app } = synthesise('production');
const [[, machine]] = ofType(Object.fromEntries(resolved(app).resources), 'AWS::StepFunctions::StateMachine') as [
  ReturnType<typeof ofType>[number],
];
const definition = JSON.parse(machine.Properties.DefinitionString as string) as {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, { readonly [field: string]: unknown }>>;
};
const verdictOn = (asked: unknown): string => {
  const { isValid, errorsText } = validate(asked);
  return isValid ? 'valid' : errorsText('; ');
};
/** The definition with one state changed. */
function changed(change: (state: { readonly [field: string]: unknown }) => object): unknown {
  const { StartAt, States } = definition;
  return { ...definition, States: { ...States, [StartAt]: change(States[StartAt] ?? {}) } };
}

test('the state machine is in the Amazon States Language', () => {
  expect(verdictOn(definition)).toBe('valid');
  expect(Object.keys(definition.States).length).toBeGreaterThan(10);
});

test.each([
  ['a step after which no state comes', changed(({ Next: _next, ...state }) => state)],
  ['a step to a state that there is not', changed((state) => ({ ...state, Next: 'nowhere' }))],
  ['a retry without an error', changed((state) => ({ ...state, Retry: [{ MaxAttempts: 1 }] }))],
  ['a path that is none', changed((state) => ({ ...state, ResultPath: '$.a[' }))],
  ['a start that there is not', { ...definition, StartAt: 'nowhere' }],
])('%s would be seen', (_, mistaken) => {
  expect(verdictOn(mistaken)).not.toBe('valid');
});
