/**
 * What AWS would refuse in the middle of a deployment, or CloudFormation before it, for being too much: the environment
 * of a function, a managed policy, the outputs and the size of a template. Judged where constructs of Curfew stand.
 */
import { readFileSync } from 'node:fs';
import { CurfewError } from '../../domain/base/errors';
import { filledIn } from './estimate';
import type { Rendered } from './rendered';
import { propertiesOf } from './template-text';

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, and the same of IAM and CloudFormation. */
const LIMITS = {
  /** Lambda counts the variables as JSON, so the quotation marks in CURFEW_CONFIG count twice. */
  environmentBytes: 4096,
  /** CDK splits what a role of ours has, and never the policy of a person. */
  managedPolicyCharacters: 6144,
  outputs: 200,
  templateBytes: 1_000_000,
} as const;

type Found = { readonly error: CurfewError; readonly at: Rendered };

/** `resources` are those of one stack. */
export function beyondLimits(resources: readonly Rendered[]): Found[] {
  const first = resources.find(isOurs);
  if (!first) return [];
  return [
    ...resources.flatMap((resource) => environment(resource, resources)),
    ...resources.flatMap((resource) => managedPolicy(resource, resources)),
    ...template(first),
  ];
}

function isOurs({ type, properties }: Rendered): boolean {
  return type === 'Custom::CurfewRing' || 'CURFEW_FUNCTION' in variablesOf(properties);
}

function variablesOf(properties: Rendered['properties']): Readonly<Record<string, unknown>> {
  return propertiesOf(propertiesOf(properties.Environment).Variables);
}

function environment(at: Rendered, all: readonly Rendered[]): Found[] {
  const variables = variablesOf(at.properties);
  if (!('CURFEW_FUNCTION' in variables)) return [];
  const filled = Object.entries(variables).map(([name, value]) => [name, filledIn(value, within(at, all))]);
  return found(at, {
    is: `the environment of ${String(variables.CURFEW_FUNCTION)}`,
    size: Buffer.byteLength(JSON.stringify(Object.fromEntries(filled))),
    max: LIMITS.environmentBytes,
    fix: 'shorten publicBaseUrl, logOrigin, or the names of the stacks',
  });
}

function managedPolicy(at: Rendered, all: readonly Rendered[]): Found[] {
  if (at.type !== 'AWS::IAM::ManagedPolicy') return [];
  return found(at, {
    is: `the managed policy ${at.logicalId}`,
    size: policyLength(at, all),
    max: LIMITS.managedPolicyCharacters,
    fix: 'shorten the names of the stacks, or give it fewer statements',
  });
}

function template(at: Rendered): Found[] {
  const text = readFileSync(at.templateFile, 'utf8');
  const { Outputs = {} } = JSON.parse(text) as { Outputs?: object };
  const of = `the template of stack ${at.stack.stackName}`;
  return [
    ...found(at, {
      is: `the number of outputs in ${of}`,
      size: Object.keys(Outputs).length,
      max: LIMITS.outputs,
      fix: 'configure fewer HR sources in one instance',
    }),
    ...found(at, {
      is: of,
      size: Buffer.byteLength(text),
      max: LIMITS.templateBytes,
      fix: 'give some rings another stack: "stack": 2',
    }),
  ];
}

function policyLength({ properties, ...at }: Rendered, all: readonly Rendered[]): number {
  const filled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(filled);
    if (typeof value !== 'object' || value === null) return value;
    const names = Object.keys(value);
    if (names.length === 1 && /^(Ref|Fn::.+)$/.test(names[0] ?? ''))
      return filledIn(value, within({ ...at, properties }, all));
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, filled(inner)]));
  };
  return JSON.stringify(filled(properties.PolicyDocument)).length;
}

function within({ stack }: Rendered, all: readonly Rendered[]) {
  const typeOf = (logicalId: string) => all.find((resource) => resource.logicalId === logicalId)?.type;
  return { stackName: stack.stackName, region: stack.region, typeOf };
}

function found(at: Rendered, { is, size, max, fix }: { is: string; size: number; max: number; fix: string }): Found[] {
  if (size <= max) return [];
  const error = new CurfewError('ERR_CONFIG_INVALID', `${is} would be larger than AWS allows`, {
    got: `about ${size}`,
    allowed: `at most ${max}`,
    fix,
  });
  return [{ error, at }];
}
