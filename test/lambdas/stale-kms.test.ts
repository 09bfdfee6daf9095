/** kms.stale: a host of KMS that is a moment behind answers the issuer, or the disabler. */
import { disableKey } from '../../lambdas/disabler';
import { issueOverHttp } from '../../lambdas/issuer';
import { CurfewError } from '../../lib/domain/base/errors';
import { policyAllowing } from '../../lib/local/kms';
import { roleArn, World } from '../../lib/local/world';
import { calmly, issueTo, NOW, RING, signingWorld } from '../scenarios/signing-world';

/** The first `times` calls of this name are answered by a host that is behind. */
function behind(world: World, name: string, times: number, answer: () => unknown): void {
  let n = 0;
  world.ports.add(async (call, go) => (call.name === name && n++ < times ? answer() : go(call)));
}
const takenForDisabled = () => {
  throw new CurfewError('ERR_KEY_DISABLED', 'the kms key is disabled');
};

test('kms.stale: the issuer asks the next host where one takes the ACTIVE key for disabled', async () => {
  const world = await signingWorld({}, calmly);
  behind(world, 'signer.sign', 2, takenForDisabled);
  await expect(issueTo(world, 'member-1')).resolves.toBeDefined();
});

test('kms.stale: where all do, its caller is told to come back, and not that something is broken', async () => {
  const world = await signingWorld({}, calmly);
  behind(world, 'signer.sign', 9, takenForDisabled);
  const log = jest.spyOn(console, 'error').mockImplementation(() => {});
  const event = {
    body: JSON.stringify({ sub: 'member-1', client_id: 'web' }),
    isBase64Encoded: false,
    pathParameters: { ring: RING },
    requestContext: { authorizer: { iam: { userArn: 'arn:test' } } },
  } as unknown as Parameters<typeof issueOverHttp>[0];
  const { statusCode } = await issueOverHttp(event, world.deps('issuer'), new AbortController().signal);
  log.mockRestore();
  expect(statusCode).toBe(503);
});

function personalKey() {
  const world = new World({ now: NOW });
  const policy = policyAllowing([roleArn('disabler')], ['kms:DisableKey', 'kms:DescribeKey']);
  return { world, kmsKeyArn: world.kms.createKey({ algorithm: 'ES256', policy }) };
}

test('kms.stale: the disabler reads back until a host knows of what it did', async () => {
  const { world, kmsKeyArn } = personalKey();
  behind(world, 'keyDisabler.describe', 3, () => ({ state: 'Enabled', origin: 'AWS_KMS' }));
  expect(await disableKey({ kmsKeyArn }, world.deps('disabler'))).toEqual({ state: 'Disabled' });
});

test('kms.stale: a personal key that one host has not heard of yet is not gone, and is disabled', async () => {
  const { world, kmsKeyArn } = personalKey();
  behind(world, 'keyDisabler.describe', 1, () => {
    throw new CurfewError('ERR_NOT_FOUND', 'kms has no such key yet');
  });
  expect(await disableKey({ kmsKeyArn }, world.deps('disabler'))).toEqual({ state: 'Disabled' });
  expect(world.kms.stateOf(kmsKeyArn)).toBe('Disabled');
});
