/** The document of the HR sources, read from Secrets Manager over a stubbed client. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AwsHrSources } from '../../lib/aws/hr-sources';
import { SettableClock } from '../../lib/local/clock';
import { hrSourcesContract } from '../contracts/hr-sources.contract';
import { answering } from './answering';

const ARN = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:SecretHrSources-AbCdEf';

function reading() {
  const clock = new SettableClock(1_800_000_000);
  let written = '{}';
  const { asked, config } = answering(() => ({ body: { SecretString: written } }));
  const client = new SecretsManagerClient(config);
  const write = (sources: object) => {
    written = JSON.stringify(sources);
  };
  return { clock, asked, write, fresh: () => new AwsHrSources(ARN, clock, client) };
}

describe('HR sources on AWS', () => hrSourcesContract(reading));

test('a minute of the given clock is one read, however many names strangers make up', async () => {
  const { clock, asked, write, fresh } = reading();
  const sources = fresh();
  for (let n = 0; n < 100; n++) expect(await sources.find(`stranger-${n}`)).toBeUndefined();
  expect(asked).toMatchObject([{ operation: 'GetSecretValue', input: { SecretId: ARN } }]);

  write({ hr: { scheme: 'bamboohr', corroboration: 'confirmed', secretArn: 'arn:hr' } });
  clock.advance(59);
  expect(await sources.find('hr')).toBeUndefined();
  clock.advance(1);
  expect(await sources.find('hr')).toMatchObject({ secretArn: 'arn:hr' });
});

test.each([
  ['ResourceNotFoundException', 'ERR_NOT_FOUND'],
  ['AccessDeniedException', 'ERR_ACCESS_DENIED'],
  ['InternalServiceError', 'ERR_UNAVAILABLE'],
])('%s is %s, and the next delivery asks again', async (type, code) => {
  let fails = true;
  const { config } = answering(() =>
    fails ? { status: 400, body: { __type: type } } : { body: { SecretString: '{}' } },
  );
  const sources = new AwsHrSources(ARN, new SettableClock(0), new SecretsManagerClient(config));
  await expect(sources.find('hr')).rejects.toMatchObject({ code });
  fails = false;
  expect(await sources.find('hr')).toBeUndefined();
});
