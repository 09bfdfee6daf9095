/** Limits a route, as they stand in the templates. */
import { ofType, type Resources, templatesOf } from '../templates';

const { signing, offboarding } = templatesOf('production');

function stageOf(resources: Resources) {
  const [, stage] = ofType(resources, 'AWS::ApiGatewayV2::Stage')[0] ?? [];
  if (!stage) throw new Error('no stage');
  return stage;
}

test.each([
  ['signing', signing],
  ['offboarding', offboarding],
])('every route of %s has its own limit: none can use up another’s', (_name, resources) => {
  const routes = ofType(resources, 'AWS::ApiGatewayV2::Route');
  const { Properties, DependsOn } = stageOf(resources);
  expect(Object.keys(Properties.RouteSettings).sort()).toEqual(
    routes.map(([, { Properties: route }]) => route.RouteKey).sort(),
  );
  expect(Properties.DefaultRouteSettings).toBeUndefined();
  // API Gateway does not know the settings of a route that comes later.
  for (const [id] of routes) expect(DependsOn).toContain(id);
});

test('the feed may be asked most, and what nobody needs to go on is limited most', () => {
  const { RouteSettings } = stageOf(signing).Properties;
  expect(
    Object.entries(RouteSettings as Record<string, { ThrottlingRateLimit: number; ThrottlingBurstLimit: number }>).map(
      ([route, { ThrottlingRateLimit, ThrottlingBurstLimit }]) => [route, ThrottlingRateLimit, ThrottlingBurstLimit],
    ),
  ).toEqual([
    ['POST /r/{ring}/issue', 500, 1000],
    ['POST /r/{ring}/exchange', 100, 200],
    ['GET /r/{ring}/.well-known/jwks.json', 200, 400],
    ['GET /r/{ring}/.well-known/openid-configuration', 200, 400],
    ['GET /r/{ring}/feed', 1000, 2000],
    ['GET /issued/{kid}/{jtiH}/{tokenSha256}', 50, 100],
  ]);
});
