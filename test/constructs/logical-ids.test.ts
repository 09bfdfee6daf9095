/**
 * CloudFormation knows a resource by its logical id alone, and CDK makes it of the place in the tree. Whoever puts one of
 * our constructs a level deeper must not lose what stands behind it, nor be told that it "already exists" (F-D5).
 *
 * logical-ids.json is the list as it is. An id leaves it only with a plan for those who have deployed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { parseConfiguration } from '../../lib/config';
import { EvidenceLog } from '../../lib/constructs/evidence/evidence-log';
import { Offboarding } from '../../lib/constructs/offboarding/offboarding';
import { SigningKeyRing } from '../../lib/constructs/ring/signing-key-ring';
import { SigningPlane } from '../../lib/constructs/ring/signing-plane';
import { NAMES, nameOf } from './physical-names';
import { EXAMPLE, NO_CODE, newApp, type Resources, synthesise } from './synthesised';

const WITH_CDN = { publicBaseUrl: 'https://{cdn}', cdn: {} };
const asItIs = synthesise('production', WITH_CDN);
const STACKS = ['evidence', 'signing', 'offboarding'] as const;

/** Each with what is lost, or what AWS answers, when its id changes. */
const KEPT: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::GlobalTable': 'its rows',
  'AWS::S3::Bucket': 'its objects',
  'AWS::S3::BucketPolicy': 'a bucket has one: the old one, deleted last, takes the new one with it',
  'AWS::KMS::Key': 'what it signed or wrapped',
  'AWS::SecretsManager::Secret': 'its value',
  'AWS::IAM::Role': 'key policies and people name it',
  'AWS::IAM::ManagedPolicy': 'it is attached to people',
  'AWS::Lambda::Function': 'other stacks name it by an export in use, which CloudFormation lets nobody change',
  'AWS::Lambda::EventInvokeConfig': 'a function has one',
  'AWS::Lambda::EventSourceMapping': '"mapping already exists"',
  'AWS::Logs::LogGroup': 'three months of logs',
  'AWS::SQS::Queue': 'what waits in it',
  'AWS::ApiGatewayV2::Api': 'its URL, which stands in tokens’ discovery and in HR systems',
  'AWS::ApiGatewayV2::Stage': '"Stage already exists"',
  'AWS::ApiGatewayV2::Route': '"Route with key … already exists"',
  'AWS::CloudFront::Distribution': '"CNAMEAlreadyExists"',
  'AWS::StepFunctions::StateMachine': 'its executions end in the middle of a departure',
  'AWS::Events::EventBus': 'the rules that others put on it',
  'Custom::CurfewRing': 'a ring would be born over one that lives',
};
/** Made by CDK for each schedule, beside the stack's own children: they do not move with us, and nobody names them. */
const isOfSchedules = (id: string) => id.startsWith('SchedulerRoleForTarget');

function kept(resources: Resources): Record<string, string> {
  const found = Object.entries(resources).filter(
    ([id, resource]) => (resource.Type in KEPT || nameOf(resource) !== undefined) && !isOfSchedules(id),
  );
  return Object.fromEntries(found.map(([id, { Type }]) => [id, Type] as const).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The same deployment by constructs alone; `at` says where in each stack they stand. */
function deployedBy(app: App, at: (stack: Stack) => Construct) {
  const { instance, region, stage, settings, rings, sources, logOrigin, publicBaseUrl, cdn } = parseConfiguration({
    ...EXAMPLE,
    ...WITH_CDN,
    stage: 'production',
  });
  const common = { stage, lambdas: NO_CODE };
  const [first, second, third] = STACKS.map(
    (name) => new Stack(app, `curfew-${instance}-${name}`, { env: { region } }),
  );
  if (!first || !second || !third) throw new Error('three stacks');
  const evidence = new EvidenceLog(at(first), 'Log', { ...common, instance, settings, origin: logOrigin });
  const plane = new SigningPlane(at(second), 'Plane', { ...common, evidence, publicBaseUrl, cdn });
  for (const ring of rings)
    new SigningKeyRing(at(second), `Ring-${ring.id}`, {
      plane,
      ringId: ring.id,
      issuer: ring.issuer,
      audience: ring.audience,
      rotationSchedule: ScheduleExpression.rate(Duration.minutes(5)),
    });
  new Offboarding(at(third), 'Offboarding', { ...common, signing: plane, sources });
  const templates = [first, second, third].map((stack) => Template.fromStack(stack).toJSON());
  return Object.fromEntries(STACKS.map((name, n) => [name, templates[n]])) as Record<
    (typeof STACKS)[number],
    { readonly Resources: Resources; readonly Outputs: Readonly<Record<string, { readonly Export?: unknown }>> }
  >;
}

const deeper = deployedBy(
  newApp(),
  (stack) => (stack.node.tryFindChild('Deeper') as Construct | undefined) ?? new Construct(stack, 'Deeper'),
);
const flat = deployedBy(newApp(), (stack) => stack);

test('F-D5: every logical id that must stay is the one of the stored list', () => {
  const ids = Object.fromEntries(STACKS.map((name) => [name, kept(asItIs[name])]));
  const file = join(__dirname, 'logical-ids.json');
  if (process.env.CURFEW_WRITE_LOGICAL_IDS) writeFileSync(file, `${JSON.stringify(ids, undefined, 2)}\n`);
  expect(ids).toEqual(JSON.parse(readFileSync(file, 'utf8')));
});

test.each(STACKS)('F-D5, %s: a construct deeper, every one of them has the same id', (name) => {
  expect(kept(deeper[name].Resources)).toEqual(kept(asItIs[name]));
  // The others do move: this test would pass for nothing if they did not.
  expect(Object.keys(deeper[name].Resources).sort()).not.toEqual(Object.keys(asItIs[name]).sort());
});

/**
 * A name that CDK derives from the place in the tree is another name after a move: CloudFormation replaces the resource,
 * under whatever logical id.
 */
test.each(STACKS)('%s: a construct deeper, every fixed name is the same', (name) => {
  const names = (resources: Resources) =>
    Object.entries(resources)
      .flatMap(([id, resource]) => (nameOf(resource) ? [[id, nameOf(resource)]] : []))
      .sort();
  expect(names(deeper[name].Resources)).toEqual(names(asItIs[name]));
  for (const type of Object.values(asItIs[name]).map(({ Type }) => Type))
    expect([type, type in NAMES]).toEqual([type, true]);
});

/**
 * What one stack exports and another imports. CloudFormation refuses to change or to delete an export in use ("Export …
 * cannot be updated as it is in use by …"), so the first stack could not be deployed any more before the second one let
 * go, and that is deployed after it. So whatever is exported is in the stored list, and so it is never replaced.
 */
test.each(STACKS)('%s: a construct deeper, it exports the same of the same resources', (name) => {
  const exported = (outputs: Readonly<Record<string, { readonly Export?: unknown }>> = {}) =>
    Object.fromEntries(Object.entries(outputs).filter(([, output]) => output.Export !== undefined));
  expect(exported(deeper[name].Outputs)).toEqual(exported(flat[name].Outputs));
  const ids = Object.keys(kept(deeper[name].Resources));
  for (const output of Object.values(exported(deeper[name].Outputs))) {
    const [, id] = /"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/.exec(JSON.stringify(output)) ?? [];
    expect(ids).toContain(id);
  }
});
