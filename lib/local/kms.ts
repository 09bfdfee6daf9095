/**
 * KMS in memory: it really signs, keeps each key's state and policy, and judges every call by that policy and the
 * clock. What a caller may do depends on the role it asks as, so ports are made per role: `kms.signerFor(roleArn)`.
 */
import { constants, type KeyObject, sign } from 'node:crypto';
import { CurfewError } from '../domain/base/errors';
import { ALGORITHMS, RAW_MESSAGE_BYTES_MAX, type SigningAlgorithm } from '../domain/jose/algorithm';
import type { Clock, KeyDisabler, KmsKeyDescription, Random, RingKeys, Signer } from '../ports';
import { drawKeyPair } from './key-pairs';
import { isAllowed } from './key-policy';

interface KmsKey {
  readonly arn: string;
  readonly algorithm: SigningAlgorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly slotTag?: string;
  readonly origin: string;
  policy: string;
  /** Ids of grants: rights that somebody was given beside the policy. */
  grants?: readonly string[];
  state: KmsKeyDescription['state'];
}

export class MemoryKms {
  private readonly keys = new Map<string, KmsKey>();

  constructor(
    private readonly clock: Clock,
    /** What its keys are made of. */
    private readonly random: Random,
    private readonly arnPrefix = 'arn:aws:kms:us-east-1:000000000000:key/',
  ) {}

  /** A key made outside the ring's life: a feed, checkpoint or personal key, or a test's own. */
  createKey(request: {
    readonly algorithm: SigningAlgorithm;
    readonly policy: string;
    readonly slotTag?: string;
    /** `EXTERNAL`: material that somebody imported, and may have kept. */
    readonly origin?: string;
  }): string {
    const arn = `${this.arnPrefix}${String(this.keys.size + 1).padStart(4, '0')}`;
    this.keys.set(arn, {
      origin: 'AWS_KMS',
      ...request,
      ...drawKeyPair(request.algorithm, this.random),
      arn,
      state: 'Enabled',
    });
    return arn;
  }

  signerFor(roleArn: string): Signer {
    return {
      publicKey: (arn) => this.readPublicKey(roleArn, arn),
      sign: async (arn, algorithm, message) => {
        await null;
        const { kms, message: messageType, keySpec } = ALGORITHMS[algorithm];
        const key = this.authorise(roleArn, 'kms:Sign', arn, {
          'kms:SigningAlgorithm': kms,
          'kms:MessageType': messageType,
        });
        if (ALGORITHMS[key.algorithm].keySpec !== keySpec)
          throw new CurfewError('ERR_INPUT_INVALID', `the key cannot sign ${algorithm}`, {
            got: algorithm,
            allowed: [key.algorithm],
          });
        if (messageType === 'RAW' && message.length > RAW_MESSAGE_BYTES_MAX)
          throw new CurfewError('ERR_INPUT_INVALID', `kms signs at most ${RAW_MESSAGE_BYTES_MAX} bytes raw`, {
            got: message.length,
          });
        refuseUnlessEnabled(key);
        return signWith(key, algorithm, message);
      },
    };
  }

  ringKeysFor(roleArn: string): RingKeys {
    return {
      ...this.disablerFor(roleArn),
      create: async ({ algorithm, slotTag, policy }) => {
        await null;
        return this.createKey({ algorithm, slotTag, policy });
      },
      find: async (slotTag) => {
        await null;
        return [...this.keys.values()].filter((key) => key.slotTag === slotTag).map(({ arn }) => arn);
      },
      publicKey: (arn) => this.readPublicKey(roleArn, arn),
      enable: async (arn) => {
        await null;
        this.move(this.authorise(roleArn, 'kms:EnableKey', arn), 'Enabled');
      },
      policy: async (arn) => {
        await null;
        return this.authorise(roleArn, 'kms:GetKeyPolicy', arn).policy;
      },
      // By IAM, to which the root statement leaves List*: no key policy of ours names it.
      grants: async (arn) => {
        await null;
        return this.find(arn).grants ?? [];
      },
    };
  }

  disablerFor(roleArn: string): KeyDisabler {
    return {
      disable: async (arn) => {
        await null;
        this.move(this.authorise(roleArn, 'kms:DisableKey', arn), 'Disabled');
      },
      describe: async (arn) => {
        await null;
        const { state, origin } = this.authorise(roleArn, 'kms:DescribeKey', arn);
        return { state, origin };
      },
    };
  }

  /** SubjectPublicKeyInfo, DER, as whoever runs the test knows it: no right is asked. */
  publicKeyOf(arn: string): Buffer {
    return this.find(arn).publicKey.export({ type: 'spki', format: 'der' });
  }

  stateOf(arn: string): KmsKeyDescription['state'] {
    return this.find(arn).state;
  }

  /** What an administrator could do to a key behind Curfew's back. */
  override(
    arn: string,
    change: {
      readonly state?: KmsKeyDescription['state'];
      readonly policy?: string;
      readonly grants?: readonly string[];
    },
  ): void {
    Object.assign(this.find(arn), change);
  }

  /** GetPublicKey, too, refuses a disabled key: a STANDBY's public key is read before it is disabled. */
  private async readPublicKey(roleArn: string, arn: string): Promise<Buffer> {
    await null;
    refuseUnlessEnabled(this.authorise(roleArn, 'kms:GetPublicKey', arn));
    return this.publicKeyOf(arn);
  }

  private find(arn: string): KmsKey {
    const key = this.keys.get(arn);
    if (!key) throw new CurfewError('ERR_NOT_FOUND', 'kms has no such key', { got: arn });
    return key;
  }

  private authorise(principalArn: string, action: string, arn: string, keys: Record<string, string> = {}): KmsKey {
    const key = this.find(arn);
    const context = { 'aws:CurrentTime': new Date(this.clock.now() * 1000).toISOString(), ...keys };
    if (isAllowed(key.policy, { principalArn, action, context })) return key;
    throw new CurfewError('ERR_ACCESS_DENIED', `the key policy refuses ${action}`, { got: principalArn });
  }

  private move(key: KmsKey, to: 'Enabled' | 'Disabled'): void {
    if (key.state !== 'Enabled' && key.state !== 'Disabled')
      throw new CurfewError('ERR_KEY_DISABLED', `the kms key is ${key.state}`, { got: key.state });
    key.state = to;
  }
}

/** A policy that lets each of these roles do these actions and says nothing else. */
export function policyAllowing(roleArns: readonly string[], actions: readonly string[]): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: roleArns }, Action: actions, Resource: '*' }],
  });
}

function refuseUnlessEnabled({ state }: KmsKey): void {
  if (state === 'Disabled') throw new CurfewError('ERR_KEY_DISABLED', 'the kms key is disabled');
  if (state !== 'Enabled') throw new CurfewError('ERR_KEY_DISABLED', `the kms key is ${state}`, { got: state });
}

function signWith({ privateKey }: KmsKey, algorithm: SigningAlgorithm, message: Uint8Array): Buffer {
  const { hash } = ALGORITHMS[algorithm];
  if (algorithm !== 'PS256') return sign(hash ?? null, message, { key: privateKey, dsaEncoding: 'der' });
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return sign(hash, message, { key: privateKey, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}
