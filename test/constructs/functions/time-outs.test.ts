/** Whoever waits for a Lambda outlives it: Lambdas, the state machine, CloudFormation, the HTTP APIs, the CLI. */
import { COMMAND_RIGHTS, type CommandName } from '../../../lib/domain/deployment/access';
import { type FunctionName, RIGHTS } from '../../../lib/domain/deployment/rights';
import { TIME_OUTS, WAITING_MARGIN_SECONDS, waitSeconds } from '../../../lib/domain/deployment/time-outs';
import { RESTS_FOR } from '../../../lib/domain/rings/obstacles';
import { ofType, type Resources, synthesise, templatesOf } from '../synthesised';

const FUNCTIONS = Object.keys(RIGHTS) as FunctionName[];
const { evidence, signing, offboarding } = templatesOf('trial');
const all: Resources = { ...evidence, ...signing, ...offboarding };

const invokedBy = (rights: readonly string[]) =>
  rights.filter((right) => right.startsWith('invoke:')).map((right) => right.slice('invoke:'.length) as FunctionName);
const CALLERS = FUNCTIONS.filter((name) => invokedBy(RIGHTS[name]).length > 0);

/** HTTP APIs give up on a Lambda after this, and cannot be told to wait longer. */
const HTTP_API_WAITS_SECONDS = 30;

/** Seconds, as deployed. */
function timeOutOf(name: FunctionName, among: Resources = all): number {
  const found = ofType(among, 'AWS::Lambda::Function').find(
    ([, { Properties }]) => Properties.Environment?.Variables?.CURFEW_FUNCTION === name,
  );
  return found?.[1].Properties.Timeout;
}

/** A function that something deployed names, by the logical id of its construct. */
function named(reference: unknown): FunctionName {
  const [, pascal = ''] = /(?:"|GetAtt)Function([A-Z]\w*?)(?:"|Arn)/.exec(JSON.stringify(reference)) ?? [];
  return pascal.replaceAll(/(?<=[a-z])[A-Z]/g, '-$&').toLowerCase() as FunctionName;
}

test.each(FUNCTIONS)('%s may run for as long as the table says, and the table says why', (name) => {
  expect(timeOutOf(name)).toBe(TIME_OUTS[name].seconds);
  expect(TIME_OUTS[name].why).toMatch(/^[a-z].{10,}[^.]$/);
});

test.each(CALLERS)('%s outlives each function that it invokes', (caller) => {
  for (const callee of invokedBy(RIGHTS[caller]))
    expect([callee, timeOutOf(caller) >= timeOutOf(callee) + WAITING_MARGIN_SECONDS]).toEqual([callee, true]);
});

test('whoever invokes more than once says why that fits, and nobody else does', () => {
  expect(FUNCTIONS.filter((name) => TIME_OUTS[name].calls !== undefined)).toEqual(CALLERS);
});

test('the state machine outlives every step', () => {
  const [[, machine]] = ofType(offboarding, 'AWS::StepFunctions::StateMachine') as [[string, Resources[string]]];
  const text = (machine.Properties.DefinitionString['Fn::Join'][1] as unknown[])
    .map((part) => (typeof part === 'string' ? part : named(part)))
    .join('');
  const tasks: { Resource: FunctionName; TimeoutSeconds: number }[] = [];
  JSON.parse(text, (_, value) => {
    if (value?.Type === 'Task') tasks.push(value);
    return value;
  });
  expect(new Set(tasks.map(({ Resource: name }) => name))).toEqual(
    new Set(['planner', 'conductor', 'rechecker', 'prover', 'closer', 'resigner']),
  );
  for (const { Resource: name, TimeoutSeconds } of tasks)
    expect([name, TimeoutSeconds]).toEqual([name, timeOutOf(name) + WAITING_MARGIN_SECONDS]);
});

test('CloudFormation outlives the ring deployer, and so does the provider that it asks through', () => {
  const [[, ring]] = ofType(signing, 'Custom::CurfewRing') as [[string, Resources[string]]];
  for (const waits of [Number(ring.Properties.ServiceTimeout), signing.FunctionRingProvider?.Properties.Timeout])
    expect(waits).toBeGreaterThanOrEqual(timeOutOf('ring-deployer') + WAITING_MARGIN_SECONDS);
});

test('the HTTP APIs outlive every function with a route', () => {
  const integrations = ofType(all, 'AWS::ApiGatewayV2::Integration').map(([, { Properties }]) => Properties);
  const routed = new Set(integrations.map(({ IntegrationUri }) => named(IntegrationUri)));
  expect([...routed].sort()).toEqual([
    'approvals',
    'exchange',
    'intake',
    'issuer',
    'people-import',
    'was-issued',
    'well-known',
  ]);
  expect(integrations.filter(({ TimeoutInMillis }) => TimeoutInMillis !== undefined)).toEqual([]);
  for (const name of routed)
    expect(timeOutOf(name) + WAITING_MARGIN_SECONDS).toBeLessThanOrEqual(HTTP_API_WAITS_SECONDS);
});

test('the CLI waits for longer than a function that it invokes may run', () => {
  const invoked = (Object.keys(COMMAND_RIGHTS) as CommandName[]).flatMap((command) =>
    invokedBy(COMMAND_RIGHTS[command]),
  );
  expect(invoked.length).toBeGreaterThan(8);
  for (const name of invoked)
    expect([name, waitSeconds(name)]).toEqual([name, timeOutOf(name) + WAITING_MARGIN_SECONDS]);
});

test.each([
  [8, 3],
  [15, 10],
  [120, 10],
])(
  'with a drain of %i s the issuer may run for %i s: none of its signatures comes after the drain',
  (drain, seconds) => {
    const settings = { drainSeconds: drain };
    expect(timeOutOf('issuer', synthesise('trial', { settings }).signing)).toBe(seconds);
  },
);

test('no rotator lives for as long as a STANDBY that was given up rests', () => {
  for (const name of ['rotator', 'ring-deployer'] as const)
    expect(timeOutOf(name) + WAITING_MARGIN_SECONDS).toBeLessThan(RESTS_FOR);
});
