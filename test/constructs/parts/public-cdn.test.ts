import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { synthesise } from '../synthesised';
import { ofType, type Resources, templatesOf } from '../templates';

const cdn = { publicBaseUrl: 'https://{cdn}', cdn: {} };
const { signing, stacks } = synthesise('production', cdn);

function distributionOf(resources: Resources) {
  const [[, distribution] = []] = ofType(resources, 'AWS::CloudFront::Distribution');
  if (!distribution) throw new Error('no distribution');
  return distribution.Properties.DistributionConfig;
}
const config = distributionOf(signing);

/** Each cached path with the seconds for which it is, and for which it is where the origin says nothing. */
function cachedFor(resources: Resources) {
  const policies = Object.fromEntries(ofType(resources, 'AWS::CloudFront::CachePolicy'));
  const { CacheBehaviors, DefaultCacheBehavior } = distributionOf(resources);
  return [...CacheBehaviors, { PathPattern: '*', ...DefaultCacheBehavior }].map(
    ({ PathPattern, CachePolicyId }: { PathPattern: string; CachePolicyId: string | { Ref: string } }) => {
      if (typeof CachePolicyId === 'string') return [PathPattern, CachePolicyId];
      const { MinTTL, DefaultTTL, MaxTTL } = policies[CachePolicyId.Ref]?.Properties.CachePolicyConfig ?? {};
      return [PathPattern, MinTTL, DefaultTTL, MaxTTL];
    },
  );
}

/** AWS's own policy that caches nothing. */
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';

test('there is none unless it is asked for', () => {
  expect(ofType(templatesOf('production').signing, 'AWS::CloudFront::Distribution')).toEqual([]);
});

test('what may be cached is, no longer than our promises allow, and nothing else', () => {
  expect(cachedFor(signing)).toEqual([
    // The propagation: from then on a key counts as seen everywhere.
    ['/r/*/.well-known/*', 0, 60, 60],
    ['/r/*/feed', 0, 5, 5],
    ['/r/*/exchange', CACHING_DISABLED],
    ['*', CACHING_DISABLED],
  ]);
});

test.each([
  [{ jwksMaxAgeSeconds: 20 }, ['/r/*/.well-known/*', 0, 20, 20]],
  [{ propagationSeconds: 600 }, ['/r/*/.well-known/*', 0, 300, 300]],
  [{ propagationSeconds: 0 }, ['/r/*/.well-known/*', CACHING_DISABLED]],
  [{ feedPollSeconds: 30 }, ['/r/*/feed', 0, 30, 30]],
])('the settings %j bound it', (settings, row) => {
  expect(cachedFor(synthesise('trial', { ...cdn, settings }).signing)).toContainEqual(row);
});

test('an error is asked for again at once', () => {
  const kept = config.CustomErrorResponses.map(({ ErrorCode, ErrorCachingMinTTL }: Record<string, number>) => [
    ErrorCode,
    ErrorCachingMinTTL,
  ]);
  expect(kept).toEqual([400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504].map((code) => [code, 0]));
});

test('the API hears its own host, and a cache key is the path alone', () => {
  for (const [, { Properties }] of ofType(signing, 'AWS::CloudFront::CachePolicy'))
    expect(Properties.CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin).toEqual({
      CookiesConfig: { CookieBehavior: 'none' },
      HeadersConfig: { HeaderBehavior: 'none' },
      QueryStringsConfig: { QueryStringBehavior: 'none' },
      EnableAcceptEncodingGzip: true,
      EnableAcceptEncodingBrotli: true,
    });
  const forwarded = [...config.CacheBehaviors, config.DefaultCacheBehavior].map(
    ({ OriginRequestPolicyId }: { OriginRequestPolicyId?: string }) => OriginRequestPolicyId,
  );
  // AllViewerExceptHostHeader, for the one path that has a body.
  expect(forwarded).toEqual([undefined, undefined, 'b689b0a8-53d0-40ab-baf2-68738e2966ac', undefined]);
  const [{ CustomOriginConfig, DomainName }] = config.Origins;
  expect(CustomOriginConfig).toEqual({ OriginProtocolPolicy: 'https-only', OriginSSLProtocols: ['TLSv1.2'] });
  expect(JSON.stringify(DomainName)).toMatch(/"ApiSigning"\},"\.execute-api\.us-east-1\./);
});

test('nobody issues through it: a signed call names the host of the API', () => {
  const issuing = config.CacheBehaviors.filter(({ PathPattern }: { PathPattern: string }) =>
    PathPattern.includes('issue'),
  );
  expect([issuing, config.DefaultCacheBehavior.AllowedMethods]).toEqual([[], ['GET', 'HEAD']]);
});

test('a name of your own brings its certificate, and TLS 1.2', () => {
  const own = {
    domainName: 'keys.example.com',
    certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/00000000-0000-0000-0000-000000000000',
  };
  const named = synthesise('production', { publicBaseUrl: 'https://{cdn}', cdn: own });
  expect(distributionOf(named.signing)).toMatchObject({
    Aliases: ['keys.example.com'],
    ViewerCertificate: { AcmCertificateArn: own.certificateArn, MinimumProtocolVersion: 'TLSv1.2_2021' },
  });
  expect(named.stacks.signing.plane.publicBaseUrl).toBe('https://keys.example.com');
});

/** Whoever has a name of their own points it there once the stack is made: it cannot be known, nor resolve, before. */
test('http.no-name, F-D3: what DNS needs is an output, and the API has one of its own', () => {
  const outputsOf = (of: typeof stacks) => Template.fromStack(of.signing).toJSON().Outputs as Record<string, unknown>;
  const own = {
    domainName: 'keys.example.com',
    certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/00000000-0000-0000-0000-000000000000',
  };
  const named = synthesise('trial', { publicBaseUrl: 'https://{cdn}', cdn: own });
  expect(outputsOf(named.stacks)).toMatchObject({
    PublicBaseUrl: { Value: 'https://keys.example.com' },
    CdnDomainName: { Value: { 'Fn::GetAtt': ['CdnDistribution', 'DomainName'] } },
    ApiUrl: { Value: { 'Fn::GetAtt': ['ApiSigning', 'ApiEndpoint'] } },
  });
  expect(outputsOf(synthesise('trial').stacks)).not.toHaveProperty('CdnDomainName');
});

test('publicBaseUrl is where it serves', () => {
  const [[id] = []] = ofType(signing, 'AWS::CloudFront::Distribution');
  const output = stacks.signing.resolve(stacks.signing.plane.publicBaseUrl);
  expect(output).toEqual({ 'Fn::Join': ['', ['https://', { 'Fn::GetAtt': [id, 'DomainName'] }]] });
  expect(() => synthesise('trial', { publicBaseUrl: 'https://{cdn}' })).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFIG_INVALID',
      message: 'publicBaseUrl is not an https URL without a slash at the end',
      got: 'https://{cdn}',
      fix: 'give https://{apiId}.execute-api.{region}.amazonaws.com, or https://{cdn} and cdn: {}',
    }),
  );
});

test('it has no finding of AwsSolutions without a reason', () => {
  const { violations } = new AwsSolutionsChecks(stacks.signing).validateScope(stacks.signing);
  expect(violations.filter(({ ruleName }) => ruleName.includes('CFR'))).toEqual([]);
});
