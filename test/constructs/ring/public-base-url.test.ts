/** `publicBaseUrl` against the Region of the stack and the name of its CDN: what cannot succeed is refused at synth. */
import { parseConfiguration } from '../../../lib/config';
import { curfewStacks } from '../../../lib/stacks/curfew-stacks';
import { refusalsOf } from '../refusals';
import { EXAMPLE, NO_CODE, synthesise } from '../synthesised';

const API = 'execute-api.{region}.amazonaws.com';
const OWN = {
  domainName: 'keys.example.com',
  certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/00000000-0000-0000-0000-000000000000',
};
const refused = (changes: object) =>
  refusalsOf((app) => curfewStacks(app, parseConfiguration({ ...EXAMPLE, ...changes }), NO_CODE));

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
  expect(refused({ publicBaseUrl }).map(({ says }) => says.slice(0, says.indexOf(';')))).toEqual([
    `publicBaseUrl is in ${region}, and the stack is deployed to us-east-1`,
  ]);
});

test.each([
  'https://{apiId}.execute-api.us-east-1.amazonaws.com',
  `https://{apiId}.${API}`,
  `https://{apiId}.${API}/behind/a/path`,
  // A name of your own may hold whatever it likes.
  'https://keys.eu-west-1.example.com',
  'https://127.0.0.1:4566/_aws/execute-api/{apiId}/$default',
])('%s is accepted in us-east-1', (publicBaseUrl) => {
  expect(refused({ publicBaseUrl })).toEqual([]);
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
    (publicBaseUrl) => expect(refused({ cdn: OWN, publicBaseUrl })).toEqual([]),
  );

  test.each([`https://{apiId}.${API}`, 'https://jwks.example.com'])('%s is another host: refused', (publicBaseUrl) => {
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
    expect(refused({ cdn: {}, publicBaseUrl: 'https://keys.example.com' })).toEqual([]);
  });
});

test.each(['https://{host}', 'http://{apiId}', 'https://{cdn}', 'https://{apiId}/'])('%s is no base URL', (given) => {
  expect(refused({ publicBaseUrl: given }).map(({ says, fix }) => [says, fix])).toEqual([
    [
      'publicBaseUrl is not an https URL without a slash at the end',
      'give https://{apiId}.execute-api.{region}.amazonaws.com, or https://{cdn} and cdn: {}',
    ],
  ]);
});
