/** What Signer, RingKeys and KeyDisabler owe their callers, under the key policy that every ring key is born with. */
import { constants, createPublicKey, type VerifyKeyObjectInput, verify } from 'node:crypto';
import { ALGORITHMS, type SigningAlgorithm } from '../../lib/domain/jose/algorithm';
import { type KeyPolicyInput, keyPolicy } from '../../lib/domain/rings/key-policy';
import type { KeyDisabler, RingKeys, Signer } from '../../lib/ports';
import { idsFor } from '../support/seeded';

const id = idsFor('kms contract');

export type KmsRole = keyof KeyPolicyInput['roleArns'];

/** The three ports, asked as one role. */
export interface KmsHarness {
  readonly accountId: string;
  readonly roleArns: KeyPolicyInput['roleArns'];
  now(): number;
  signerAs(role: KmsRole): Signer;
  ringKeysAs(role: KmsRole): RingKeys;
  disablerAs(role: KmsRole): KeyDisabler;
}

const ALL = Object.keys(ALGORITHMS) as SigningAlgorithm[];
const MESSAGE = Buffer.from('eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtLTEifQ');

export function kmsContract(make: () => KmsHarness): void {
  let kms: KmsHarness;
  beforeEach(() => {
    kms = make();
  });

  const policy = (algorithm: SigningAlgorithm, signUntil = kms.now() + 3600) =>
    keyPolicy({ accountId: kms.accountId, roleArns: kms.roleArns, algorithm, signUntil });
  const slot = () => `slot-${id()}`;
  const createKey = (algorithm: SigningAlgorithm = 'ES256', signUntil?: number) =>
    kms.ringKeysAs('rotator').create({
      algorithm,
      slotTag: slot(),
      policy: policy(algorithm, signUntil),
      bypassPolicyLockoutSafetyCheck: true,
    });

  test.each(ALL)('%s: the signature verifies under the public key, and under no other message', async (algorithm) => {
    const arn = await createKey(algorithm);
    const spki = await kms.ringKeysAs('rotator').publicKey(arn);
    const signature = await kms.signerAs('issuer').sign(arn, algorithm, MESSAGE);
    expect(verifies(algorithm, spki, MESSAGE, signature)).toBe(true);
    expect(verifies(algorithm, spki, Buffer.concat([MESSAGE, Buffer.from('x')]), signature)).toBe(false);
  });

  test.each(['ES256', 'ES384'] as const)('%s: the signature is DER, a sequence of two integers', async (algorithm) => {
    const signature = await kms.signerAs('issuer').sign(await createKey(algorithm), algorithm, MESSAGE);
    expect(signature[0]).toBe(0x30);
    expect(signature[1]).toBe(signature.length - 2);
    expect(signature[2]).toBe(0x02);
    expect(signature[4 + (signature[3] ?? 0)]).toBe(0x02);
  });

  test('a key signs with its own algorithm only', async () => {
    const es256 = await createKey('ES256');
    await expect(kms.signerAs('issuer').sign(es256, 'ES384', MESSAGE)).rejects.toMatchObject({
      code: 'ERR_INPUT_INVALID',
    });
  });

  test('Ed25519 signs at most 4096 bytes', async () => {
    const arn = await createKey('EdDSA');
    await kms.signerAs('issuer').sign(arn, 'EdDSA', Buffer.alloc(4096));
    await expect(kms.signerAs('issuer').sign(arn, 'EdDSA', Buffer.alloc(4097))).rejects.toMatchObject({
      code: 'ERR_INPUT_INVALID',
    });
  });

  test('a disabled key does not sign; enabled again it does', async () => {
    const arn = await createKey();
    await kms.ringKeysAs('rotator').disable(arn);
    expect((await kms.ringKeysAs('rotator').describe(arn)).state).toBe('Disabled');
    await expect(kms.signerAs('issuer').sign(arn, 'ES256', MESSAGE)).rejects.toMatchObject({
      code: 'ERR_KEY_DISABLED',
      message: expect.stringMatching(/disabled/i),
    });
    await kms.ringKeysAs('rotator').enable(arn);
    expect(await kms.signerAs('issuer').sign(arn, 'ES256', MESSAGE)).toBeInstanceOf(Buffer);
  });

  test('past signUntil nobody signs, although the key is enabled; its twin with a later date does', async () => {
    const dead = await createKey('ES256', kms.now() - 1);
    const alive = await createKey('ES256');
    expect((await kms.ringKeysAs('rotator').describe(dead)).state).toBe('Enabled');
    for (const role of ['issuer', 'resigner'] as const) {
      await expect(kms.signerAs(role).sign(dead, 'ES256', MESSAGE)).rejects.toMatchObject({
        code: 'ERR_ACCESS_DENIED',
      });
      expect(await kms.signerAs(role).sign(alive, 'ES256', MESSAGE)).toBeInstanceOf(Buffer);
    }
  });

  test('rotator and disabler cannot sign', async () => {
    const arn = await createKey();
    for (const role of ['rotator', 'disabler'] as const)
      await expect(kms.signerAs(role).sign(arn, 'ES256', MESSAGE)).rejects.toMatchObject({ code: 'ERR_ACCESS_DENIED' });
  });

  test('issuer and resigner can do nothing to a key but sign with it', async () => {
    const arn = await createKey();
    for (const role of ['issuer', 'resigner'] as const) {
      const denied = { code: 'ERR_ACCESS_DENIED' };
      await expect(kms.disablerAs(role).disable(arn)).rejects.toMatchObject(denied);
      await expect(kms.ringKeysAs(role).enable(arn)).rejects.toMatchObject(denied);
      await expect(kms.ringKeysAs(role).policy(arn)).rejects.toMatchObject(denied);
    }
    expect((await kms.ringKeysAs('rotator').describe(arn)).state).toBe('Enabled');
  });

  test('the disabler disables, sees it, and may do so twice', async () => {
    const arn = await createKey();
    const disabler = kms.disablerAs('disabler');
    await disabler.disable(arn);
    await disabler.disable(arn);
    expect(await disabler.describe(arn)).toEqual({ state: 'Disabled', origin: 'AWS_KMS' });
    await expect(kms.ringKeysAs('disabler').enable(arn)).rejects.toMatchObject({ code: 'ERR_ACCESS_DENIED' });
  });

  test('a key is found by its slot tag, and its policy is the one it was born with', async () => {
    const rotator = kms.ringKeysAs('rotator');
    const slotTag = slot();
    expect(await rotator.find(slotTag)).toEqual([]);
    const born = policy('ES256');
    const arn = await rotator.create({
      algorithm: 'ES256',
      slotTag,
      policy: born,
      bypassPolicyLockoutSafetyCheck: true,
    });
    expect(await rotator.find(slotTag)).toEqual([arn]);
    expect(JSON.parse(await rotator.policy(arn))).toEqual(JSON.parse(born));
  });

  // KMS tells those without a right only that they have none.
  test('a key that does not exist is refused', async () => {
    const arn = (await createKey()).replace(/[^/]+$/, '00000000-0000-4000-8000-000000000000');
    const refused = { code: expect.stringMatching(/^ERR_(NOT_FOUND|ACCESS_DENIED)$/) };
    await expect(kms.signerAs('issuer').sign(arn, 'ES256', MESSAGE)).rejects.toMatchObject(refused);
    await expect(kms.disablerAs('disabler').disable(arn)).rejects.toMatchObject(refused);
  });
}

function verifies(algorithm: SigningAlgorithm, spki: Buffer, message: Buffer, signature: Buffer): boolean {
  const key: VerifyKeyObjectInput = {
    key: createPublicKey({ key: spki, format: 'der', type: 'spki' }),
    dsaEncoding: 'der',
    ...(algorithm === 'PS256' && {
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }),
  };
  return verify(ALGORITHMS[algorithm].hash ?? null, message, key, signature);
}
