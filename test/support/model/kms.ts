/**
 * KMS as the model needs it: states and policies are judged as the twin judges them, signatures are only said to be
 * made. Enabling takes effect a moment after KMS has answered, as on AWS.
 */
import { CurfewError } from '../../../lib/domain/base/errors';
import type { PublicJwk } from '../../../lib/domain/jose/jwk';
import { isAllowed } from '../../../lib/local/key-policy';

export const ACCOUNT = '000000000000';
const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/curfew-model-${name}`;
export const ROLES = {
  issuer: role('issuer'),
  resigner: role('resigner'),
  rotator: role('rotator'),
  disabler: role('disabler'),
} as const;
type Role = keyof typeof ROLES;

export interface ModelKey {
  readonly arn: string;
  readonly jwk: PublicJwk;
  readonly slotTag: string;
  readonly slot: number;
  policy: string;
  state: 'Enabled' | 'Disabled';
  /** Enabled, it signs from this instant on. */
  signsFrom: number;
  readonly written: string;
  /** The process that called CreateKey, as long as it lives. */
  creator: number | undefined;
  /** Somebody changed it behind our back, and no tick has looked since; a policy stays what he made of it. */
  tampered: boolean;
}

export class ModelKms {
  readonly keys = new Map<string, ModelKey>();
  private readonly verdicts = new WeakMap<
    ModelKey,
    { readonly policy: string; readonly known: Map<string, boolean> }
  >();

  /** KMS answers before it signs: at once for one key, so many seconds later for the next. */
  slowness = 1;
  /** Which process is calling. */
  caller: number | undefined;

  constructor(private readonly now: () => number) {}

  create(slotTag: string, slot: number, policy: string): string {
    const n = this.keys.size + 1;
    const arn = `arn:aws:kms:us-east-1:${ACCOUNT}:key/${n}`;
    // Nothing in the model looks into a public key but for its name.
    const jwk: PublicJwk = { kty: 'EC', crv: 'P-256', x: `${n}`, y: `${n}`, kid: `k${n}`, alg: 'ES256', use: 'sig' };
    const state = 'Enabled';
    const signsFrom = this.now();
    this.keys.set(arn, {
      arn,
      jwk,
      slotTag,
      slot,
      policy,
      written: policy,
      creator: this.caller,
      state,
      signsFrom,
      tampered: false,
    });
    return arn;
  }

  find(slotTag: string): string[] {
    return [...this.keys.values()].filter((key) => key.slotTag === slotTag).map(({ arn }) => arn);
  }

  publicKey(arn: string): PublicJwk {
    const key = this.authorised('rotator', 'kms:GetPublicKey', arn);
    if (key.state === 'Disabled') throw new CurfewError('ERR_KEY_DISABLED', 'the kms key is disabled');
    return key.jwk;
  }

  policy(arn: string): string {
    return this.authorised('rotator', 'kms:GetKeyPolicy', arn).policy;
  }

  describe(arn: string): ModelKey['state'] {
    return this.authorised('rotator', 'kms:DescribeKey', arn).state;
  }

  enable(arn: string): void {
    const key = this.authorised('rotator', 'kms:EnableKey', arn);
    if (key.state === 'Disabled') key.signsFrom = this.now() + (key.slot % 3) * this.slowness;
    key.state = 'Enabled';
  }

  disable(arn: string): void {
    this.authorised('rotator', 'kms:DisableKey', arn).state = 'Disabled';
  }

  /** Throws what KMS would say. */
  sign(by: 'issuer' | 'resigner', arn: string): void {
    const key = this.authorised(by, 'kms:Sign', arn);
    if (key.state === 'Disabled' || this.now() < key.signsFrom)
      throw new CurfewError('ERR_KEY_DISABLED', 'the kms key is disabled');
  }

  canSign(arn: string): boolean {
    const key = this.key(arn);
    return key.state === 'Enabled' && this.now() >= key.signsFrom && this.allows('issuer', 'kms:Sign', key);
  }

  /** What an administrator can do to a key behind our back. */
  tamper(arn: string, change: Partial<Pick<ModelKey, 'state' | 'policy'>>): void {
    Object.assign(this.key(arn), change, { tampered: true });
  }

  /** A process has ended, or died. */
  creatorIsGone(pid: number): void {
    for (const key of this.keys.values()) if (key.creator === pid) key.creator = undefined;
  }

  /** A tick has come to its end. */
  wasLookedAt(): void {
    for (const key of this.keys.values()) key.tampered = key.policy !== key.written;
  }

  key(arn: string): ModelKey {
    const key = this.keys.get(arn);
    if (!key) throw new CurfewError('ERR_NOT_FOUND', 'kms has no such key', { got: arn });
    return key;
  }

  private authorised(by: Role, action: string, arn: string): ModelKey {
    const key = this.key(arn);
    if (this.allows(by, action, key)) return key;
    throw new CurfewError('ERR_ACCESS_DENIED', `the key policy refuses ${action}`, { got: by });
  }

  /** Evaluated by the twin's own reader of policies, once a key, caller and instant: most states share theirs. */
  private allows(by: Role, action: string, key: ModelKey): boolean {
    const now = this.now();
    let { policy, known } = this.verdicts.get(key) ?? { policy: '', known: new Map<string, boolean>() };
    if (policy !== key.policy || known.size > 100) {
      policy = key.policy;
      known = new Map();
      this.verdicts.set(key, { policy, known });
    }
    const id = action === 'kms:Sign' ? `${by} ${now}` : `${by} ${action}`;
    const before = known.get(id);
    if (before !== undefined) return before;
    const context = {
      'aws:CurrentTime': new Date(now * 1000).toISOString(),
      'kms:MessageType': 'DIGEST',
      'kms:SigningAlgorithm': 'ECDSA_SHA_256',
    };
    const verdict = isAllowed(policy, { principalArn: ROLES[by], action, context });
    known.set(id, verdict);
    return verdict;
  }
}
