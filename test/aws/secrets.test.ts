import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SecretsManagerSecrets, secretArnIn } from '../../lib/aws/secrets';
import { SettableClock } from '../../lib/local/clock';
import { MemoryHrSources } from '../../lib/local/hr-sources';
import { answering, inFrozenTime } from './answering';

const SOURCES = new MemoryHrSources();
SOURCES.write({ acme: { scheme: 'standard-webhooks', corroboration: 'signed-fact', secretArn: 'arn:acme' } });
const ARN_OF = secretArnIn('arn:pepper', SOURCES);

test('values are kept for a minute of the given clock, then read again', async () => {
  const clock = new SettableClock(1_800_000_000);
  const { asked, config } = answering(({ input }) =>
    input.VersionStage === 'AWSCURRENT'
      ? { body: { SecretString: `current of ${input.SecretId}` } }
      : { status: 400, body: { __type: 'ResourceNotFoundException' } },
  );
  const secrets = new SecretsManagerSecrets(ARN_OF, clock, new SecretsManagerClient(config));

  expect(await secrets.values('pepper')).toEqual(['current of arn:pepper']);
  clock.advance(59);
  await secrets.values('pepper');
  expect(asked).toHaveLength(2);
  clock.advance(1);
  await secrets.values('pepper');
  expect(asked).toHaveLength(4);
  expect(await secrets.values('acme')).toEqual(['current of arn:acme']);
});

test('a secret without a current value is refused, and so is one we may not read', async () => {
  for (const [type, code] of [
    ['ResourceNotFoundException', 'ERR_NOT_FOUND'],
    ['AccessDeniedException', 'ERR_ACCESS_DENIED'],
  ]) {
    const { config } = answering(() => ({ status: 400, body: { __type: type } }));
    const client = new SecretsManagerClient(config);
    const secrets = new SecretsManagerSecrets(ARN_OF, new SettableClock(0), client);
    await expect(secrets.values('pepper')).rejects.toMatchObject({ code });
  }
});

test('no name reaches past the configuration', async () => {
  for (const name of ['', 'other', 'constructor', '__proto__', 'arn:acme'])
    await expect(ARN_OF(name)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND', message: 'unknown secret' });
});

test('a Lambda without sources finds the pepper, and no webhook secret', async () => {
  const arnOf = secretArnIn('arn:pepper', undefined);
  expect(await arnOf('pepper')).toBe('arn:pepper');
  await expect(arnOf('acme')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
});

test.each([
  ['ThrottlingException', 400],
  ['InternalServiceError', 500],
])('%s is tried again, and a value that is kept needs no answer', async (__type, status) => {
  const { asked, config } = answering(
    (_, n) => (n < 3 ? { status, body: { __type } } : { body: { SecretString: 's' } }),
    'intake',
  );
  const clock = new SettableClock(1_800_000_000);
  const secrets = new SecretsManagerSecrets(ARN_OF, clock, new SecretsManagerClient(config));
  expect((await inFrozenTime(() => secrets.values('pepper'))).value).toEqual(['s', 's']);
  expect(asked).toHaveLength(4);
  expect(await secrets.values('pepper')).toEqual(['s', 's']);
  expect(asked).toHaveLength(4);
});

test('one that cannot be read is an error, and is not kept', async () => {
  let works = false;
  const { config } = answering(() =>
    works ? { body: { SecretString: 's' } } : { status: 500, body: { __type: 'InternalServiceError' } },
  );
  const secrets = new SecretsManagerSecrets(ARN_OF, new SettableClock(0), new SecretsManagerClient(config));
  await expect(secrets.values('pepper')).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  works = true;
  expect(await secrets.values('pepper')).toEqual(['s', 's']);
});
