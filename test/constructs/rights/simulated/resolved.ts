/**
 * The templates as AWS would see them: each `Ref`, `Fn::GetAtt` and output of another stack replaced by the ARN or the
 * name that CloudFormation could give. A function that is not here fails: a guess would simulate another policy.
 */
import { createHash } from 'node:crypto';
import { type App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { SigningAlgorithm } from '../../../../lib/domain/jose/algorithm';
import { keyPolicy } from '../../../../lib/domain/rings/key-policy';
import type { Resource } from '../../templates';

export const ACCOUNT = '111122223333';
export const REGION = 'us-east-1';
/** Until when the ring key of these tests may sign. */
export const SIGN_UNTIL = Date.UTC(2026, 11, 1) / 1000;

interface Rendered {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

export interface Resolved {
  /** By logical id, with the name of the stack before it where two stacks have one of that id. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly arnOf: (logicalId: string) => string;
}

export function resolved(app: App): Resolved {
  const stacks = app.node.children.filter(Stack.isStack);
  const templates = new Map<string, Rendered>(
    stacks.map((stack) => [stack.stackName, Template.fromStack(stack).toJSON() as Rendered]),
  );
  const holders = (id: string) => [...templates.values()].filter(({ Resources }) => id in Resources).length;
  const nameIn = (stack: string, id: string) => (holders(id) > 1 ? `${stack}.${id}` : id);
  const raw = new Map(
    [...templates].flatMap(([stack, { Resources }]) =>
      Object.entries(Resources).map(([id, resource]) => [nameIn(stack, id), { stack, resource }] as const),
    ),
  );

  const valueIn = (stack: string) => {
    const value = (given: unknown): unknown => {
      if (Array.isArray(given)) return given.map(value);
      if (typeof given !== 'object' || given === null) return given;
      const [[name = '', argument] = [], ...more] = Object.entries(given);
      if (more.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) return called(name, argument);
      return Object.fromEntries(Object.entries(given).map(([member, inner]) => [member, value(inner)]));
    };
    const called = (name: string, argument: unknown): unknown => {
      if (name === 'Ref') return PSEUDO[argument as string] ?? attribute(nameIn(stack, argument as string), 'Ref');
      if (name === 'Fn::GetAtt') {
        const [id, attributeName] = argument as [string, string];
        return attribute(nameIn(stack, id), attributeName);
      }
      if (name === 'Fn::GetStackOutput') {
        const { StackName, OutputName } = argument as { readonly StackName: string; readonly OutputName: string };
        return valueIn(StackName)(templates.get(StackName)?.Outputs?.[OutputName]?.Value);
      }
      // Code of assets alone: it names nothing but the account and the Region.
      if (name === 'Fn::Sub')
        return String(argument).replace(/\$\{([^}]+)\}/g, (_, pseudo) => PSEUDO[pseudo] ?? pseudo);
      const list = value(argument) as [never, never];
      if (name === 'Fn::Join') return (list[1] as string[]).join(list[0]);
      if (name === 'Fn::Split') return (list[1] as string).split(list[0]);
      if (name === 'Fn::Select') return (list[1] as string[])[Number(list[0])];
      throw new Error(`the tests do not know what ${name} gives; teach test/constructs/rights/simulated/resolved.ts`);
    };
    return value;
  };
  const attribute = (id: string, name: string): string => {
    const found = raw.get(id);
    if (!found) throw new Error(`no resource ${id}`);
    const value = attributesOf(id, found.resource)[name];
    if (value === undefined) throw new Error(`the tests do not know the ${name} of a ${found.resource.Type}`);
    return value;
  };
  return {
    resources: new Map(
      [...raw]
        .filter(([, { resource }]) => HOLDS_RIGHTS.test(resource.Type))
        .map(([id, { stack, resource }]) => [id, valueIn(stack)(resource) as Resource]),
    ),
    arnOf: (id) => attribute(id, ARN_IS_REF.includes(raw.get(id)?.resource.Type ?? '') ? 'Ref' : 'Arn'),
  };
}

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::AccountId': ACCOUNT,
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
};
/** What has rights, or has rights given on it; alarms and dashboards need no ARNs. */
const HOLDS_RIGHTS = /^AWS::(IAM|KMS|S3|DynamoDB|StepFunctions|SecretsManager)::|^AWS::Lambda::(Function|Permission)$/;
const ARN_IS_REF = ['AWS::IAM::ManagedPolicy', 'AWS::SecretsManager::Secret', 'AWS::StepFunctions::StateMachine'];

function attributesOf(id: string, { Type, Properties }: Resource): Readonly<Record<string, string>> {
  const regional = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
  const named = (name: string, Arn: string, more = {}) => ({ Ref: name, Arn, ...more });
  switch (Type) {
    case 'AWS::IAM::Role': {
      const name = typeof Properties.RoleName === 'string' ? Properties.RoleName : `curfew-${id}`;
      return named(name, `arn:aws:iam::${ACCOUNT}:role/${name}`);
    }
    case 'AWS::IAM::ManagedPolicy':
      return { Ref: `arn:aws:iam::${ACCOUNT}:policy/${Properties.ManagedPolicyName ?? id}` };
    case 'AWS::KMS::Key':
      return named(uuidOf(id), regional('kms', `key/${uuidOf(id)}`));
    case 'AWS::DynamoDB::GlobalTable': {
      const Arn = regional('dynamodb', `table/${id}`);
      return named(id, Arn, { StreamArn: `${Arn}/stream/2026-11-27T00:00:00.000` });
    }
    case 'AWS::S3::Bucket':
      return named(id.toLowerCase(), `arn:aws:s3:::${id.toLowerCase()}`);
    case 'AWS::Lambda::Function':
      return named(id, regional('lambda', `function:${id}`));
    case 'AWS::Logs::LogGroup':
      return named(id, regional('logs', `log-group:${id}:*`));
    case 'AWS::SQS::Queue':
      return named(id, regional('sqs', id));
    case 'AWS::Events::EventBus':
      return named(id, regional('events', `event-bus/${id}`));
    case 'AWS::SecretsManager::Secret': {
      const arn = regional('secretsmanager', `secret:${id}-AbCdEf`);
      return { Ref: arn, Id: arn };
    }
    case 'AWS::StepFunctions::StateMachine':
      return { Ref: regional('states', `stateMachine:${id}`), Name: id };
    default:
      return { Ref: id, Arn: `arn:aws:${Type}/${id}` };
  }
}

export function uuidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return [8, 4, 4, 4, 12].map((length, n, all) => hex.slice(sum(all, n), sum(all, n) + length)).join('-');
}

function sum(lengths: readonly number[], before: number): number {
  return lengths.slice(0, before).reduce((total, length) => total + length, 0);
}

/** The policy that a ring key is born with, naming the roles of these templates. */
export function ringKeyPolicy({ arnOf }: Resolved, algorithm: SigningAlgorithm = 'ES256'): unknown {
  return JSON.parse(
    keyPolicy({
      accountId: ACCOUNT,
      roleArns: {
        issuer: arnOf('RoleIssuer'),
        resigner: arnOf('RoleResigner'),
        rotator: arnOf('RoleRotator'),
        disabler: arnOf('RoleDisabler'),
      },
      algorithm,
      signUntil: SIGN_UNTIL,
    }),
  );
}
