/** `publicBaseUrl` against the Region of the stack and the name of its CDN: what cannot succeed is refused at synth. */
import { parseConfiguration } from '../../../lib/config';
import { fillPublicBaseUrl, refusalsOfPublicBaseUrl } from '../../../lib/constructs/ring/public-base-url';
import { curfewStacks } from '../../../lib/stacks/curfew-stacks';
import { refusalsOf } from '../refusals';
import { EXAMPLE, NO_CODE, synthesise } from '../synthesised';

const API = 'execute-api.{region}.amazonaws.com';
const OWN = {
  domainName: 'keys.example.com',
  certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/00000000-0000-0000-0000-000000000000',
};
/** Of a whole app: that it asks for the Region of its stack, and for the name of its CDN. */
const refused = (changes: object) =>
  refusalsOf((app) => curfewStacks(app, parseConfiguration({ ...EXAMPLE, ...changes }), NO_CODE));
/** Of the rule alone: an app for each URL would take most of a second. */
const messages = (publicBaseUrl: string, cdn?: { readonly host: string; readonly domainName?: string }) =>
  refusalsOfPublicBaseUrl(publicBaseUrl, { apiId: 'api', region: 'us-east-1', cdn }).map(({ message }) => message);
const BEFORE_OWN = { host: 'keys.example.com', domainName: OWN.domainName };

test('B5: an AWS host of another Region is refused, with the value, what is allowed and the fix', () => {
  const publicBaseUrl = 'https://{apiId}.execute-api.us-east-1.amazonaws.com';
  expect(refused({ region: 'eu-central-1', publicBaseUrl })).toEqual([
    {
      code: 'ERR_CONFIG_INVALID',
      at: 'curfew-example-signing/Plane',
      says: `publicBaseUrl is in us-east-1, and the stack is deployed to eu-central-1; got ${publicBaseUrl}; allowed: https://{apiId}.execute-api.eu-central-1.amazonaws.com`,
      fix: 'write {region} in publicBaseUrl, or correct region',
    },
  ]);
});

test.each([
  ['https://abc.lambda-url.us-west-2.on.aws', 'us-west-2'],
  ['https://keys.s3.eu-west-1.amazonaws.com', 'eu-west-1'],
  ['https://keys.s3-website-eu-west-1.amazonaws.com', 'eu-west-1'],
  ['https://lb-1.us-gov-west-1.elb.amazonaws.com', 'us-gov-west-1'],
  ['https://{apiId}.execute-api.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  // The Region is the last label that can be one; what stands before is a name.
  ['https://us-east-1.s3.eu-west-1.amazonaws.com', 'eu-west-1'],
])('%s is in %s, and not in us-east-1', (publicBaseUrl, region) => {
  expect(messages(publicBaseUrl)).toEqual([`publicBaseUrl is in ${region}, and the stack is deployed to us-east-1`]);
});

test.each([
  'https://{apiId}.execute-api.us-east-1.amazonaws.com',
  `https://{apiId}.${API}`,
  `https://{apiId}.${API}/behind/a/path`,
  // A name of your own may hold whatever it likes.
  'https://keys.eu-west-1.example.com',
  'https://127.0.0.1:4566/_aws/execute-api/{apiId}/$default',
])('%s is accepted in us-east-1', (publicBaseUrl) => {
  expect(messages(publicBaseUrl)).toEqual([]);
});

test('{region} is the Region of the stack', () => {
  const { stacks } = synthesise('trial', { region: 'eu-central-1', publicBaseUrl: `https://{apiId}.${API}` });
  expect(stacks.signing.resolve(stacks.signing.plane.publicBaseUrl)).toEqual({
    'Fn::Join': ['', ['https://', { Ref: 'ApiSigning' }, '.execute-api.eu-central-1.amazonaws.com']],
  });
});

describe('with a name of your own before the CDN', () => {
  test.each(['https://{cdn}', 'https://keys.example.com', 'https://KEYS.example.com/curfew'])(
    '%s is where it serves',
    (publicBaseUrl) => expect(messages(publicBaseUrl, BEFORE_OWN)).toEqual([]),
  );

  test('an app that serves there synthesises', () => {
    expect(refused({ cdn: OWN, publicBaseUrl: 'https://keys.example.com' })).toEqual([]);
  });

  test.each([`https://{apiId}.${API}`, 'https://jwks.example.com'])('%s is another host: refused', (publicBaseUrl) => {
    expect(messages(publicBaseUrl, BEFORE_OWN)).toEqual(['publicBaseUrl names another host than the CDN serves']);
  });

  test('an app that serves at another host is refused, with the value, what is allowed and the fix', () => {
    const publicBaseUrl = 'https://jwks.example.com';
    expect(refused({ cdn: OWN, publicBaseUrl })).toEqual([
      {
        code: 'ERR_CONFIG_INVALID',
        at: 'curfew-example-signing/Plane',
        says: `publicBaseUrl names another host than the CDN serves; got ${publicBaseUrl}; allowed: ["https://{cdn}","https://keys.example.com"]`,
        fix: 'give https://{cdn}, or leave cdn.domainName out',
      },
    ]);
  });

  test('without one, your own name may stand before it: somebody else’s proxy', () => {
    expect(messages('https://keys.example.com', { host: 'd111.cloudfront.net' })).toEqual([]);
  });
});

test.each(['https://{host}', 'http://{apiId}', 'https://{cdn}', 'https://{apiId}/'])('%s is no base URL', (given) => {
  expect(() => fillPublicBaseUrl(given, { apiId: 'api', region: 'us-east-1' })).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFIG_INVALID',
      message: 'publicBaseUrl is not an https URL without a slash at the end',
      fix: 'give https://{apiId}.execute-api.{region}.amazonaws.com, or https://{cdn} and cdn: {}',
    }),
  );
});

test('an app whose publicBaseUrl is none is refused', () => {
  expect(refused({ publicBaseUrl: 'https://{host}' })).toEqual([
    expect.objectContaining({ code: 'ERR_CONFIG_INVALID', fix: expect.stringContaining('give https://{apiId}') }),
  ]);
});
