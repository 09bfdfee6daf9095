import { webhookSecretsIn } from '../../../bin/edge/hr-sources';
import { synthesise } from '../../constructs/synthesised';

const ARN = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:';

test('a source has the name that its owner wrote, whatever CloudFormation made of it', () => {
  const outputs = {
    HrSources: 'hr-core,people-system',
    SecretWebhookHrCoreArn: `${ARN}1`,
    SecretWebhookPeopleSystemArn: `${ARN}2`,
    IntakeUrl: 'https://hr.test',
  };
  expect(webhookSecretsIn(outputs)).toEqual({ 'hr-core': `${ARN}1`, 'people-system': `${ARN}2` });
});

test('a stack that was deployed before it had the list tells what CloudFormation made of it', () => {
  expect(webhookSecretsIn({ SecretWebhookHrCoreArn: `${ARN}1` })).toEqual({ HrCore: `${ARN}1` });
});

test('the stack has the list, and a secret for each name in it', () => {
  const { stacks } = synthesise();
  const children = stacks.offboarding?.node.children ?? [];
  const outputs = Object.fromEntries(
    children.flatMap((child) => ('value' in child ? [[child.node.id, String(child.value)]] : [])),
  );
  expect(outputs.HrSources).toBe('bamboohr,people-system');
  expect(Object.keys(webhookSecretsIn(outputs)).sort()).toEqual(['bamboohr', 'people-system']);
});
