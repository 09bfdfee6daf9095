/** F-D6: forty rings. A stack has room for some; the others are said to stand in another, and stay where they stand. */
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { parseConfiguration } from '../../../lib/config';
import { curfewStacks } from '../../../lib/stacks/curfew-stacks';
import { refusedAtSynth } from '../refusals';
import { EXAMPLE, NO_CODE, newApp } from '../synthesised';
import { ofType, type Resources } from '../templates';

const TOPIC = 'arn:aws:sns:us-east-1:111122223333:pager';
const ringNamed = (name: string, stack?: number) => ({
  id: `market-${name}`,
  issuer: `https://login.example.com/${name}`,
  audience: 'https://api.example.com',
  rotationCheckMinutes: 5,
  stack,
});
const letters = (n: number) => `${'abcdefghij'[n % 10]}${'klmnopqrst'[Math.floor(n / 10)]}`;
const rings = (count: number, perStack = count) =>
  Array.from({ length: count }, (_, n) => ringNamed(letters(n), Math.floor(n / perStack) + 1));

function appWith(given: readonly object[]) {
  const app = newApp();
  const changes = { stage: 'production', alarmTopicArn: TOPIC, rings: given };
  curfewStacks(app, parseConfiguration(JSON.parse(JSON.stringify({ ...EXAMPLE, ...changes }))), NO_CODE);
  return app;
}

/** By stack: the logical ids of its rings. */
function born(given: readonly object[]): Record<string, string[]> {
  const stacks = appWith(given).node.children.filter(Stack.isStack);
  const ids = (stack: Stack) =>
    ofType(Template.fromStack(stack).toJSON().Resources as Resources, 'Custom::CurfewRing').map(([id]) => id);
  return Object.fromEntries(stacks.map((stack) => [stack.stackName, ids(stack)]).filter(([, found]) => found?.length));
}

test('forty rings in one stack are refused: how many fit, and the way out', () => {
  expect(() => appWith(rings(40)).synth()).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(
        /stack curfew-example-signing has 5\d\d resources with its 40 rings; CloudFormation allows 500, so 3\d rings fit; give a ring that is not deployed yet another stack: "stack": 2 in the configuration, or a Stack of your own for its SigningKeyRing/,
      ),
    }),
  );
});

test('as many as it says fit', () => {
  let message = '';
  try {
    appWith(rings(40)).synth();
  } catch (error) {
    message = String(error);
  }
  const fit = Number(/so (\d+) rings fit/.exec(message)?.[1]);
  expect(fit).toBeGreaterThanOrEqual(30);
  expect(refusedAtSynth(appWith(rings(fit)))).toEqual([]);
  expect(() => appWith(rings(fit + 1)).synth()).toThrow(/CloudFormation allows 500/);
});

test('forty rings in two stacks deploy: the second comes after signing, and nobody imports from it', () => {
  const app = appWith(rings(40, 30));
  expect(refusedAtSynth(app)).toEqual([]);
  const [second] = app.node.children.filter((one) => one.node.id === 'curfew-example-rings-2') as [Stack];
  expect(second.terminationProtection).toBe(true);
  expect(second.dependencies.map(({ stackName }) => stackName)).toContain('curfew-example-signing');
  const dependents = app.node.children
    .filter(Stack.isStack)
    .filter(({ dependencies }) => dependencies.includes(second));
  expect(dependents).toEqual([]);
  const resources = Template.fromStack(second).toJSON().Resources as Resources;
  expect(ofType(resources, 'Custom::CurfewRing')).toHaveLength(10);
  // What a schedule of theirs could not deliver waits in this stack, and somebody is told.
  expect(resources.AlarmDeadLetters?.Properties).toMatchObject({
    AlarmName: 'curfew-example-rings-2-DeadLetters',
    AlarmActions: [TOPIC],
  });
});

test('a ring that is added, wherever it stands in the file, moves no other', () => {
  const before = rings(40, 30);
  for (const [at, added] of [
    [0, ringNamed('zz', 2)],
    [15, ringNamed('zz')],
    [40, ringNamed('zz', 3)],
  ] as const) {
    const after = born(before.toSpliced(at, 0, added));
    for (const [stack, ids] of Object.entries(born(before)))
      expect([at, stack, after[stack]?.filter((id) => id !== 'RingMarketZz')]).toEqual([at, stack, ids]);
  }
});

test('nor does one that is taken out', () => {
  const before = rings(40, 30);
  const after = born(before.toSpliced(3, 1));
  for (const [stack, ids] of Object.entries(born(before)))
    expect([stack, after[stack]]).toEqual([stack, ids.filter((id) => id !== 'RingMarketDk')]);
});
