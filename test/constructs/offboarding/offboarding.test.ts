import { Template } from 'aws-cdk-lib/assertions';
import { parseConfiguration } from '../../../lib/config';
import { curfewStacks } from '../../../lib/stacks/curfew-stacks';
import { EXAMPLE, NO_CODE, newApp } from '../synthesised';
import { ofType, templatesOf } from '../templates';

const { signing, offboarding } = templatesOf('trial');
const withSources = (sources: object) =>
  curfewStacks(newApp(), { ...parseConfiguration(EXAMPLE), sources: sources as never }, NO_CODE);

test('a deployment without HR sources synthesises: cases can be opened by other means later', () => {
  expect(() => withSources({})).not.toThrow();
});

test.each(['HR', '', 'a b', '-x', 'PENDING', 'x'.repeat(32)])('an HR source cannot be called %j', (name) => {
  expect(() => withSources({ [name]: { scheme: 'bamboohr', corroboration: 'confirmed' } })).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFIG_INVALID',
      message: 'the name of an HR source is not a short lower-case name',
      got: name,
      allowed: '/^[a-z][a-z0-9-]{0,30}$/',
    }),
  );
});

test('approvers are told by their topic, if there is one: which case, why, for which time, and how to look', () => {
  const topic = 'arn:aws:sns:us-east-1:111122223333:approvers';
  const rulesWith = (more: object) => {
    const { offboarding: stack } = curfewStacks(newApp(), { ...parseConfiguration(EXAMPLE), ...more }, NO_CODE);
    return Object.values(Template.fromStack(stack).findResources('AWS::Events::Rule'));
  };
  expect(rulesWith({})).toEqual([]);
  const [rule, ...others] = rulesWith({ approversTopicArn: topic });
  expect(others).toEqual([]);
  expect(rule?.Properties.EventPattern).toEqual({ source: ['curfew'], 'detail-type': ['CaseAsked'] });
  const [target] = rule?.Properties.Targets ?? [];
  expect(target).toMatchObject({ Arn: topic, DeadLetterConfig: expect.anything() });
  expect(target.InputTransformer.InputTemplate).toMatch(
    /^"Case <detail-id> of Curfew \S+ asks two approvers to decide: <detail-reasons>. Notice <detail-count>. Look: curfew case explain <detail-id> --instance \S+ They can decide once the case is contained."$/,
  );
});

test('nothing in an access log could be a token, a digest or a body', () => {
  const formats = [signing, offboarding].flatMap((resources) =>
    ofType(resources, 'AWS::ApiGatewayV2::Stage').map(([, { Properties }]) => Properties.AccessLogSettings.Format),
  );
  expect(formats).toHaveLength(2);
  for (const format of formats)
    expect(Object.values(JSON.parse(format)).sort()).toEqual([
      '$context.identity.sourceIp',
      '$context.requestId',
      '$context.requestTimeEpoch',
      '$context.responseLatency',
      '$context.routeKey',
      '$context.status',
    ]);
});

test('issuing asks IAM; every other route is public, and none is there by accident', () => {
  const routes = [signing, offboarding].flatMap((resources) =>
    ofType(resources, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => [
      Properties.RouteKey,
      Properties.AuthorizationType ?? 'NONE',
    ]),
  );
  expect(routes.sort()).toEqual([
    ['GET /issued/{kid}/{jtiH}/{tokenSha256}', 'NONE'],
    ['GET /r/{ring}/.well-known/jwks.json', 'NONE'],
    ['GET /r/{ring}/.well-known/openid-configuration', 'NONE'],
    ['GET /r/{ring}/feed', 'NONE'],
    ['POST /approvals', 'AWS_IAM'],
    ['POST /hr/{source}', 'NONE'],
    ['POST /people', 'AWS_IAM'],
    ['POST /r/{ring}/exchange', 'NONE'],
    ['POST /r/{ring}/issue', 'AWS_IAM'],
  ]);
});

test('outbox items alone leave a table by its stream', () => {
  const mappings = [signing, offboarding].flatMap((resources) => ofType(resources, 'AWS::Lambda::EventSourceMapping'));
  const patterns = mappings.map(([, { Properties }]) => JSON.parse(Properties.FilterCriteria.Filters[0].Pattern));
  const outbox = { eventName: ['INSERT'], dynamodb: { Keys: { sk: { S: [{ prefix: 'OUT#' }] } } } };
  expect(patterns.filter((pattern) => 'dynamodb' in pattern)).toEqual([outbox, outbox, outbox]);
  // Deliveries for the folder, approvals for the decider: whole rows, which they read from the table.
  const others = patterns.filter((pattern) => !('dynamodb' in pattern));
  expect(others).toEqual([{ eventName: ['INSERT'] }, { eventName: ['INSERT'] }]);
});
