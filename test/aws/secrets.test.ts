import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SecretsManagerSecrets, secretArnIn } from '../../lib/aws/secrets';
import type { DeploymentConfig } from '../../lib/domain/deployment/deployment-config';
import { parseSettings } from '../../lib/domain/deployment/settings';
import { SettableClock } from '../../lib/local/clock';
import { answering, inFrozenTime } from './answering';

const CONFIG: DeploymentConfig = {
  instance: 'test',
  settings: parseSettings(),
  pepperSecretArn: 'arn:pepper',
  sources: { acme: { scheme: 'standard-webhooks', corroboration: 'signed-fact', secretArn: 'arn:acme' } },
};

test('values are kept for a minute of the given clock, then read again', async () => {
  const clock = new SettableClock(1_800_000_000);
  const { asked, config } = answering(({ input }) =>
    input.VersionStage === 'AWSCURRENT'
      ? { body: { SecretString: `current of ${input.SecretId}` } }
      : { status: 400, body: { __type: 'ResourceNotFoundException' } },
  );
  const secrets = new SecretsManagerSecrets(secretArnIn(CONFIG), clock, new SecretsManagerClient(config));

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
    const secrets = new SecretsManagerSecrets(secretArnIn(CONFIG), new SettableClock(0), client);
    await expect(secrets.values('pepper')).rejects.toMatchObject({ code });
  }
});

test('no name reaches past the configuration', () => {
  for (const name of ['', 'other', 'constructor', '__proto__', 'arn:acme'])
    expect(() => secretArnIn(CONFIG)(name)).toThrow(
      expect.objectContaining({ code: 'ERR_NOT_FOUND', message: 'unknown secret' }),
    );
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
  const secrets = new SecretsManagerSecrets(secretArnIn(CONFIG), clock, new SecretsManagerClient(config));
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
  const secrets = new SecretsManagerSecrets(
    secretArnIn(CONFIG),
    new SettableClock(0),
    new SecretsManagerClient(config),
  );
  await expect(secrets.values('pepper')).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  works = true;
  expect(await secrets.values('pepper')).toEqual(['s', 's']);
});
