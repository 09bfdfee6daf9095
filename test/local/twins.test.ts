import { MemoryIam } from '../../lib/local/iam';
import { isAllowed } from '../../lib/local/key-policy';
import { policyAllowing } from '../../lib/local/kms';
import { MemoryObjects } from '../../lib/local/objects';
import { SeededRandom } from '../../lib/local/random';
import { MemoryTables } from '../../lib/local/tables';
import { World } from '../../lib/local/world';

test('adding to text, or appending to it, is refused, and so is the whole transaction', async () => {
  const tables = new MemoryTables();
  const key = { pk: 'P', sk: 'S' };
  await tables.transact([{ kind: 'put', table: 'cases', row: { ...key, v: 1, text: 'm' } }]);
  const other = { kind: 'put', table: 'keys', row: { ...key, v: 1 } } as const;
  for (const [change, message] of [
    [{ add: { text: 1 } }, 'add needs a number in text'],
    [{ append: { text: [1] } }, 'append needs a list in text'],
  ] as const)
    await expect(tables.transact([other, { kind: 'update', table: 'cases', key, ...change }])).rejects.toMatchObject({
      code: 'ERR_INPUT_INVALID',
      message,
    });
  expect(tables.dump('keys')).toEqual([]);
});

test('evidence is written once', async () => {
  const objects = new MemoryObjects();
  await objects.put('evidence', 'tile/0/000', Buffer.from('1'));
  await expect(objects.put('evidence', 'tile/0/000', Buffer.from('2'))).rejects.toMatchObject({
    code: 'ERR_ACCESS_DENIED',
    message: 'evidence is written once; tile/0/000 exists',
  });
});

test('a public key is not read from a disabled key, as in KMS', async () => {
  const { kms } = new World();
  const arn = kms.createKey({ algorithm: 'ES256', policy: policyAllowing(['r'], ['kms:*']) });
  const ringKeys = kms.ringKeysFor('r');
  await ringKeys.disable(arn);
  await expect(ringKeys.publicKey(arn)).rejects.toMatchObject({ code: 'ERR_KEY_DISABLED' });
});

test('a key on its way out is neither enabled nor used', async () => {
  const { kms } = new World();
  const arn = kms.createKey({ algorithm: 'ES256', policy: policyAllowing(['r'], ['kms:*']) });
  kms.override(arn, { state: 'PendingDeletion' });
  const gone = { code: 'ERR_KEY_DISABLED', message: 'the kms key is PendingDeletion' };
  await expect(kms.ringKeysFor('r').enable(arn)).rejects.toMatchObject(gone);
  await expect(kms.signerFor('r').sign(arn, 'ES256', Buffer.from('m'))).rejects.toMatchObject(gone);
});

test('the latch refuses once both halves are there, and a second user is not touched', async () => {
  const iam = new MemoryIam('arn:deny');
  for (const name of ['leaver', 'colleague']) iam.addUser(name, { accessKeyIds: ['AKIA'] });
  await iam.attachDenyPolicy('leaver');
  expect(iam.mayAct('leaver', 'AKIA')).toBe(true);
  await iam.tagLeaver('leaver', 'c-1');
  expect(iam.mayAct('leaver', 'AKIA')).toBe(false);
  expect(iam.mayAct('colleague', 'AKIA')).toBe(true);
});

test('seeded randomness repeats by seed and never within a run', () => {
  const [one, two, other] = ['a', 'a', 'b'].map((seed) => new SeededRandom(seed));
  const first = one?.bytes(40);
  expect(first).toHaveLength(40);
  expect(two?.bytes(40)).toEqual(first);
  expect(other?.bytes(40)).not.toEqual(first);
  expect(one?.bytes(40)).not.toEqual(first);
});

describe('key policies', () => {
  const request = { principalArn: 'r', action: 'kms:Sign', context: { 'aws:CurrentTime': '2027-01-15T08:00:00Z' } };
  const policy = (...Statement: object[]) => JSON.stringify({ Statement });
  const allow = { Effect: 'Allow', Principal: { AWS: 'r' }, Action: 'kms:*', Resource: '*' };
  const deny = { Effect: 'Deny', Principal: '*', Action: ['kms:Sign'], Resource: '*' };
  const deniedAfter = (date: string) => ({ ...deny, Condition: { DateGreaterThan: { 'aws:CurrentTime': date } } });

  test.each([
    ['nothing said', policy(), false],
    ['an Allow', policy(allow), true],
    ['an Allow of another role', policy({ ...allow, Principal: { AWS: ['s'] } }), false],
    ['an Allow of another action', policy({ ...allow, Action: 'kms:Get*' }), false],
    ['a Deny beside it', policy(allow, deny), false],
    ['a Deny whose date has passed', policy(allow, deniedAfter('2027-01-15T07:59:59Z')), false],
    ['a Deny whose date has not', policy(allow, deniedAfter('2027-01-15T08:00:00Z')), true],
    [
      'an Allow with a condition on a key that is absent',
      policy({ ...allow, Condition: { StringEquals: { 'kms:MessageType': 'RAW' } } }),
      false,
    ],
  ])('%s: %#', (_, text, allowed) => {
    expect(isAllowed(text, request)).toBe(allowed);
  });

  test('a condition nobody models is an error, not a guess', () => {
    const odd = policy({ ...allow, Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } });
    expect(() => isAllowed(odd, request)).toThrow(
      expect.objectContaining({ code: 'ERR_INPUT_INVALID', message: 'the condition operator is not modelled' }),
    );
  });
});
