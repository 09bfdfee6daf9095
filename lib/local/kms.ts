/**
 * KMS in memory: it really signs, keeps each key's state and policy, and judges every call by that policy and the
 * clock. What a caller may do depends on the role it asks as, so ports are made per role: `kms.signerFor(roleArn)`.
 */
import { constants, type KeyObject, sign } from 'node:crypto';
import { CurfewError } from '../domain/base/errors';
import { ALGORITHMS, RAW_MESSAGE_BYTES_MAX, type SigningAlgorithm } from '../domain/jose/algorithm';
import type { Clock, KeyDisabler, KeyEnabler, KmsKeyDescription, Random, RingKeys, Signer } from '../ports';
import { drawKeyPair } from './key-pairs';
import { isAllowed } from './key-policy';
import { Weather } from './weather';

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
  /** Its states so far, each with the instant from which on it was in it: hosts that are behind show an old one. */
  readonly states: { readonly at: number; readonly state: KmsKeyDescription['state'] }[];
}

/** A tag search shows a key after this many seconds at the latest. */
const TAGGED_AFTER_SECONDS = 60;

export class MemoryKms {
  private readonly keys = new Map<string, KmsKey>();

  constructor(
    private readonly clock: Clock,
    /** What its keys are made of. */
    private readonly random: Random,
    private readonly weather: Weather = new Weather('', {}),
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
      states: [{ at: this.clock.now(), state: 'Enabled' }],
    });
    return arn;
  }

  /** As the owner of the key does it, in whatever account. */
  putPolicy(arn: string, policy: string): void {
    const key = this.keys.get(arn);
    if (key) key.policy = policy;
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
        refuseUnlessEnabled(key.seen);
        return signWith(key, algorithm, message);
      },
    };
  }

  ringKeysFor(roleArn: string): RingKeys {
    return {
      ...this.disablerFor(roleArn),
      create: async ({ algorithm, slotTag, policy, bypassPolicyLockoutSafetyCheck }) => {
        await null;
        if (!bypassPolicyLockoutSafetyCheck) this.checkLockout(roleArn, policy);
        return this.createKey({ algorithm, slotTag, policy });
      },
      find: async (slotTag) => {
        await null;
        const visible = this.weather.strikes('tags.stale') ? this.clock.now() - TAGGED_AFTER_SECONDS : this.clock.now();
        return [...this.keys.values()]
          .filter((key) => key.slotTag === slotTag && (key.states[0]?.at ?? 0) <= visible)
          .map(({ arn }) => arn);
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
        const { seen, origin } = this.authorise(roleArn, 'kms:DescribeKey', arn);
        return { state: seen, origin };
      },
    };
  }

  enablerFor(roleArn: string): KeyEnabler {
    return {
      enable: async (arn) => {
        await null;
        this.move(this.authorise(roleArn, 'kms:EnableKey', arn), 'Enabled');
      },
      policy: async (arn) => {
        await null;
        return this.authorise(roleArn, 'kms:GetKeyPolicy', arn).policy;
      },
    };
  }

  /** SubjectPublicKeyInfo, DER, as whoever runs the test knows it: no right is asked. */
  publicKeyOf(arn: string): Buffer {
    return this.find(arn).publicKey.export({ type: 'spki', format: 'der' });
  }

  /** Every key that was made for a slot whose tag begins so: what KMS really holds. */
  keysOfSlots(tagPrefix: string): readonly { readonly arn: string; readonly state: KmsKeyDescription['state'] }[] {
    return [...this.keys.values()]
      .filter(({ slotTag }) => slotTag?.startsWith(tagPrefix))
      .map(({ arn, state }) => ({ arn, state }));
  }

  stateOf(arn: string): KmsKeyDescription['state'] {
    return this.find(arn).state;
  }

  /** What an administrator could do to a key behind Curfew's back: a minute ago, so that every host knows. */
  override(
    arn: string,
    change: {
      readonly state?: KmsKeyDescription['state'];
      readonly policy?: string;
      readonly grants?: readonly string[];
    },
  ): void {
    const key = this.find(arn);
    Object.assign(key, change);
    if (change.state) key.states.push({ at: this.clock.now() - 60, state: change.state });
  }

  /** GetPublicKey, too, refuses a disabled key: a STANDBY's public key is read before it is disabled. */
  private async readPublicKey(roleArn: string, arn: string): Promise<Buffer> {
    await null;
    refuseUnlessEnabled(this.authorise(roleArn, 'kms:GetPublicKey', arn).seen);
    return this.publicKeyOf(arn);
  }

  private find(arn: string): KmsKey {
    const key = this.keys.get(arn);
    if (!key) throw new CurfewError('ERR_NOT_FOUND', 'kms has no such key', { got: arn });
    return key;
  }

  /** The key as the host shows it that answers: `seen` may be a state that it is not in any more. */
  private authorise(
    principalArn: string,
    action: string,
    arn: string,
    keys: Record<string, string> = {},
  ): KmsKey & { readonly seen: KmsKeyDescription['state'] } {
    const key = this.find(arn);
    const seen = this.seen(key);
    const context = { 'aws:CurrentTime': new Date(this.clock.now() * 1000).toISOString(), ...keys };
    if (isAllowed(key.policy, { principalArn, action, context })) return { ...key, seen };
    throw new CurfewError('ERR_ACCESS_DENIED', `the key policy refuses ${action}`, { got: principalArn });
  }

  /** By a host that may be behind: of a key that was made since, it knows nothing. */
  private seen(key: KmsKey): KmsKeyDescription['state'] {
    const lag = this.weather.lag('kms.stale');
    if (lag === 0) return key.state;
    const then = key.states.filter(({ at }) => at <= this.clock.now() - lag).at(-1);
    if (!then) throw new CurfewError('ERR_NOT_FOUND', 'kms has no such key yet', { got: key.arn });
    return then.state;
  }

  /** KMS asks whether the caller of CreateKey could change the policy again. */
  private checkLockout(principalArn: string, policy: string): void {
    const context = { 'aws:CurrentTime': new Date(this.clock.now() * 1000).toISOString() };
    if (isAllowed(policy, { principalArn, action: 'kms:PutKeyPolicy', context })) return;
    if (!this.weather.strikes('kms.lockout')) return;
    throw new CurfewError(
      'ERR_CONFIG_INVALID',
      'the new key policy will not allow you to update the key policy in the future',
      {
        fix: 'send BypassPolicyLockoutSafetyCheck',
      },
    );
  }

  private move({ arn }: KmsKey, to: 'Enabled' | 'Disabled'): void {
    const key = this.find(arn);
    if (key.state !== 'Enabled' && key.state !== 'Disabled')
      throw new CurfewError('ERR_KEY_DISABLED', `the kms key is ${key.state}`, { got: key.state });
    if (key.state !== to) key.states.push({ at: this.clock.now(), state: to });
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

function refuseUnlessEnabled(state: KmsKeyDescription['state']): void {
  if (state === 'Disabled') throw new CurfewError('ERR_KEY_DISABLED', 'the kms key is disabled');
  if (state !== 'Enabled') throw new CurfewError('ERR_KEY_DISABLED', `the kms key is ${state}`, { got: state });
}

function signWith({ privateKey }: KmsKey, algorithm: SigningAlgorithm, message: Uint8Array): Buffer {
  const { hash } = ALGORITHMS[algorithm];
  if (algorithm !== 'PS256') return sign(hash ?? null, message, { key: privateKey, dsaEncoding: 'der' });
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return sign(hash, message, { key: privateKey, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}
