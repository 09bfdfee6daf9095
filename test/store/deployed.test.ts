/** CURFEW_CONFIG is parsed: what a stack writes is read, and whatever else stands there is refused by the name of its member. */
import { parseDeploymentConfig } from '../../lib/domain/deployment/deployment-config';
import { parseSettings, SETTINGS } from '../../lib/domain/deployment/settings';
import { DEPLOYED, type Deployed } from '../../lib/domain/store/deployed';
import { ofType, templatesOf } from '../constructs/templates';
import { jsonSchemaOf } from './schema';
import { spoilsOf } from './spoils';

const ARN = 'arn:aws:kms:us-east-1:000000000000:key/7f3a';
const WHOLE: Deployed = {
  instance: 'demo',
  settings: parseSettings(),
  publicBaseUrl: 'https://curfew.example',
  feedKeyArn: ARN,
  checkpointKeyArn: ARN,
  logOrigin: 'curfew.example/log',
  shredKeyArn: ARN,
  pepperSecretArn: ARN,
  apiBaseUrl: 'https://api.test',
  denyPolicyArn: ARN,
  stateMachineArn: ARN,
  eventBusName: 'default',
  roleArns: { issuer: ARN, resigner: ARN, rotator: ARN, disabler: ARN },
  accountId: '000000000000',
  hrSourcesArn: ARN,
  approvers: [{ workerId: 'W-7', identity: 'AIDAAPPROVER00001' }],
};
const written = (value: unknown) => JSON.stringify(value);
const refused = (value: unknown, what: string) =>
  expect(() => parseDeploymentConfig(written(value))).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFIG_INVALID',
      message: `the configuration of the deployment cannot be read: ${what}`,
    }),
  );

test('what is written is read, with and without what a Lambda need not know', () => {
  expect(parseDeploymentConfig(written(WHOLE))).toEqual(WHOLE);
  const { instance, settings } = WHOLE;
  expect(parseDeploymentConfig(written({ instance, settings }))).toEqual({ instance, settings });
});

test('the sample has every member', () => {
  expect(Object.keys(jsonSchemaOf(DEPLOYED).properties ?? {}).sort()).toEqual(Object.keys(WHOLE).sort());
});

test.each(spoilsOf(jsonSchemaOf(DEPLOYED), WHOLE).map(({ member, says, value }) => [member, says, value] as const))(
  '%s %s: refused by that name',
  (member, says, value) => refused(value, `${member} ${says}`),
);

test('an address that a stack forgot to fill in is no address', () => {
  for (const name of ['instance', 'feedKeyArn', 'publicBaseUrl'])
    refused({ ...WHOLE, [name]: '' }, `${name} is not what it must be`);
});

test('what is no object, and no JSON, is refused; the text is not quoted', () => {
  for (const odd of [null, 7, 'x', []]) refused(odd, 'the whole is not what it must be');
  for (const text of ['', '{', '{"instance":"s3cret"', '\uFEFF{}'])
    expect(() => parseDeploymentConfig(text)).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG_INVALID',
        message: 'the configuration of the deployment cannot be read: it is not JSON',
      }),
    );
});

test('a setting is a whole number within its limits, and one that Curfew has', () => {
  const withSetting = (name: string, value: unknown) => () =>
    parseDeploymentConfig(written({ ...WHOLE, settings: { ...WHOLE.settings, [name]: value } }));
  for (const [name, { min, max }] of Object.entries(SETTINGS))
    for (const value of [min - 1, max + 1, min + 0.5])
      expect(withSetting(name, value)).toThrow(
        expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message: expect.stringContaining(name) }),
      );
  for (const odd of [null, '', 'x', '15', -1, true, [], {}])
    expect(withSetting('drainSeconds', odd)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }));
  expect(withSetting('drainMinutes', 1)).toThrow(
    expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message: 'unknown setting drainMinutes' }),
  );
});

/** As the Lambda finds it: whatever CloudFormation fills in is some text. */
function filledIn(config: string | { readonly 'Fn::Join': readonly [string, readonly unknown[]] }): string {
  if (typeof config === 'string') return config;
  const [between, parts] = config['Fn::Join'];
  return parts.map((part) => (typeof part === 'string' ? part : 'filled-in')).join(between);
}

test('every Lambda of the example deployment can read what its stack writes', () => {
  const { evidence, signing, offboarding } = templatesOf('production');
  const configs = [evidence, signing, offboarding]
    .flatMap((stack) => ofType(stack, 'AWS::Lambda::Function'))
    .flatMap(([, { Properties }]) => Properties.Environment?.Variables?.CURFEW_CONFIG ?? []);
  expect(configs.length).toBeGreaterThan(25);
  for (const config of configs) expect(parseDeploymentConfig(filledIn(config)).instance).toBe('example');
});
