import { AwsSolutionsChecks } from 'cdk-nag';
import { synthesise } from './synthesised';

const { stacks } = synthesise('production');

/**
 * cdk-nag names a wildcard by the whole rendered resource, so these are acknowledged by shape; test/constructs/rights
 * pins which function has which. Everything else is acknowledged in the construct that has it.
 */
const WILDCARDS: readonly { readonly shape: RegExp; readonly reason: string }[] = [
  {
    shape: /Bucket(Evidence|Heads|Public).*\/\*$/,
    reason: 'the objects of one bucket; their keys are not known before',
  },
  {
    shape: /:cloudformation:.*:stack\/curfew-example-\*\/\*$/,
    reason: 'the stacks of this instance, by name: CloudFormation ends an ARN with an id of its own',
  },
  {
    shape: /:secret:\*SecretWebhook\*$/,
    reason: 'whether each webhook secret has a value, and never the value; of this instance, by their tag',
  },
  { shape: /:user\/\*$/, reason: 'any user of the account may turn out to be the leaver' },
  {
    shape: /:kms:[^:]+:<AWS::AccountId>:key\/\*$/,
    reason: 'tags, states and policies of keys that are not born yet; the right to use one is in its policy',
  },
  { shape: /:execute-api:.*\/\*\/POST\/(people|approvals)$/, reason: 'any stage of the one API and route named' },
  { shape: /Function.*:\*$/, reason: 'CDK grants to invoke any version of the one function named' },
  {
    shape: /:states:.*:execution:/,
    reason: 'the child executions of the one machine, which has no other name for them',
  },
  {
    shape: /^\*$/,
    reason:
      'CreateKey, GetResources, DescribeAlarms, GetMetricStatistics and GetAccountSettings know no resource; the log delivery and X-Ray of a state machine neither',
  },
];

const shapeOf = (ruleName: string) => /^AwsSolutions-IAM5\[Resource::(.*)\]$/s.exec(ruleName)?.[1];

test.each(Object.entries(stacks))('stack %s has no finding of AwsSolutions without a reason', (_name, stack) => {
  const { violations } = new AwsSolutionsChecks(stack).validateScope(stack);
  const unexplained = violations.filter(({ ruleName }) => {
    const shape = shapeOf(ruleName);
    return shape === undefined || !WILDCARDS.some((wildcard) => wildcard.shape.test(shape));
  });
  expect(
    unexplained.map(({ ruleName, violatingResources }) => [ruleName, violatingResources.map((r) => r.constructPath)]),
  ).toEqual([]);
});

test('every reason is needed', () => {
  const shapes = Object.values(stacks).flatMap((stack) =>
    new AwsSolutionsChecks(stack).validateScope(stack).violations.flatMap(({ ruleName }) => shapeOf(ruleName) ?? []),
  );
  for (const { shape } of WILDCARDS) expect(shapes).toContainEqual(expect.stringMatching(shape));
});
