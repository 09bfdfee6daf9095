/** The HR sources are parsed: what the offboarding stack writes is read, and whatever else stands there is refused. */
import { parseHrSources } from '../../lib/domain/store/hr-sources';
import { ofType, templatesOf } from '../constructs/templates';

const HR = { scheme: 'bamboohr', corroboration: 'confirmed', secretArn: 'arn:hr' };
const refused = (value: unknown, what: string) =>
  expect(() => parseHrSources(JSON.stringify(value))).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFIG_INVALID',
      message: `the HR sources of the deployment cannot be read: ${what}`,
    }),
  );

test.each([
  [{ hr: { ...HR, scheme: 'basic' } }, 'hr.scheme is not what it must be'],
  [{ hr: { ...HR, corroboration: undefined } }, 'hr.corroboration is missing'],
  [{ hr: { ...HR, secretArn: '' } }, 'hr.secretArn is not what it must be'],
  [{ hr: { ...HR, surprise: 1 } }, 'hr.surprise is not a member of this version'],
  [{ hr: 7 }, 'hr is not what it must be'],
  [[], 'the whole is not what it must be'],
  [null, 'the whole is not what it must be'],
])('%j is refused: %s', refused);

test('what is no JSON is refused, and not quoted', () => {
  for (const text of ['', '{', '{"hr":"s3cret"'])
    expect(() => parseHrSources(text)).toThrow(
      expect.objectContaining({ message: 'the HR sources of the deployment cannot be read: it is not JSON' }),
    );
});

test('what the stack of the example writes is read: each source with the ARN of its own secret', () => {
  const [, { Properties }] = ofType(templatesOf('production').offboarding, 'AWS::SecretsManager::Secret').find(
    ([id]) => id === 'SecretHrSources',
  ) ?? ['', { Properties: {} }];
  const [between, parts] = Properties.SecretString['Fn::Join'] as [
    string,
    (string | { 'Fn::GetAtt': [string, string] })[],
  ];
  const text = parts.map((part) => (typeof part === 'string' ? part : `arn of ${part['Fn::GetAtt'][0]}`)).join(between);
  expect(parseHrSources(text)).toEqual({
    'people-system': {
      scheme: 'standard-webhooks',
      corroboration: 'signed-fact',
      secretArn: 'arn of SecretWebhookPeopleSystem',
    },
    bamboohr: {
      scheme: 'bamboohr',
      corroboration: 'confirmed',
      secretArn: 'arn of SecretWebhookBamboohr',
      zone: 'America/New_York',
    },
  });
});
