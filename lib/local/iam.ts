/** An IAM of users: tags, access keys, console login, attached policies. Enough to read, latch and disable a leaver. */
import { CurfewError } from '../domain/base/errors';
import type { AccessKey, Clock, IamDisabler, IamEnabler, IamLatch, IamLatchRelease, IamReader } from '../ports';
import { SettableClock } from './clock';
import { Weather } from './weather';

interface IamUser {
  readonly arn: string;
  readonly tags: Record<string, string>;
  readonly accessKeys: Map<string, AccessKey['status']>;
  readonly policyArns: Set<string>;
  loginProfile: boolean;
}

/** The quota of managed policies attached to one user, as a new account has it. */
const MANAGED_POLICIES_MAX = 10;

export class MemoryIam implements IamReader, IamLatch, IamDisabler, IamLatchRelease, IamEnabler {
  private readonly users = new Map<string, IamUser>();
  /** How each user was before each change: readers that are behind are shown one of these. */
  private readonly past = new Map<string, { readonly until: number; readonly user: IamUser }[]>();

  constructor(
    private readonly denyPolicyArn: string,
    private readonly accountId = '000000000000',
    private readonly clock: Clock = new SettableClock(0),
    private readonly weather: Weather = new Weather('', {}),
  ) {}

  addUser(
    userName: string,
    has: {
      readonly accessKeyIds?: readonly string[];
      readonly loginProfile?: boolean;
      readonly tags?: Readonly<Record<string, string>>;
      readonly policyArns?: readonly string[];
    } = {},
  ): string {
    const arn = `arn:aws:iam::${this.accountId}:user/${userName}`;
    this.users.set(userName, {
      arn,
      tags: { ...has.tags },
      accessKeys: new Map((has.accessKeyIds ?? []).map((id) => [id, 'Active'])),
      policyArns: new Set(has.policyArns),
      loginProfile: has.loginProfile ?? false,
    });
    return arn;
  }

  async user(userName: string): Promise<{ arn: string; tags: Record<string, string> } | undefined> {
    await null;
    const user = this.seen(userName);
    return user && { arn: user.arn, tags: { ...user.tags } };
  }

  async accessKeys(userName: string): Promise<readonly AccessKey[]> {
    await null;
    return [...this.seenExisting(userName).accessKeys].map(([accessKeyId, status]) => ({ accessKeyId, status }));
  }

  async hasLoginProfile(userName: string): Promise<boolean> {
    await null;
    return this.seen(userName)?.loginProfile ?? false;
  }

  async attachedPolicyArns(userName: string): Promise<readonly string[]> {
    await null;
    return [...this.seenExisting(userName).policyArns];
  }

  async attachDenyPolicy(userName: string): Promise<void> {
    await null;
    const { policyArns } = this.existing(userName);
    if (!policyArns.has(this.denyPolicyArn) && policyArns.size >= MANAGED_POLICIES_MAX)
      throw new CurfewError('ERR_UNAVAILABLE', 'iam AttachUserPolicy was refused: LimitExceeded', {
        got: policyArns.size,
      });
    this.keep(userName);
    policyArns.add(this.denyPolicyArn);
  }

  async tagLeaver(userName: string, caseId: string): Promise<void> {
    await null;
    const { tags } = this.existing(userName);
    this.keep(userName);
    tags['curfew:leaver'] = caseId;
  }

  async deactivateAccessKey(userName: string, accessKeyId: string): Promise<void> {
    await null;
    const keys = this.users.get(userName)?.accessKeys;
    if (!keys?.has(accessKeyId)) return;
    this.keep(userName);
    keys.set(accessKeyId, 'Inactive');
  }

  async deleteLoginProfile(userName: string): Promise<void> {
    await null;
    const user = this.users.get(userName);
    if (!user) return;
    this.keep(userName);
    user.loginProfile = false;
  }

  async untagLeaver(userName: string): Promise<void> {
    await null;
    const user = this.users.get(userName);
    if (user?.tags['curfew:leaver'] === undefined) return;
    this.keep(userName);
    delete user.tags['curfew:leaver'];
  }

  async detachDenyPolicy(userName: string): Promise<void> {
    await null;
    const user = this.users.get(userName);
    if (!user?.policyArns.has(this.denyPolicyArn)) return;
    this.keep(userName);
    user.policyArns.delete(this.denyPolicyArn);
  }

  async activateAccessKey(userName: string, accessKeyId: string): Promise<void> {
    await null;
    const keys = this.existing(userName).accessKeys;
    if (!keys.has(accessKeyId))
      throw new CurfewError('ERR_NOT_FOUND', 'iam UpdateAccessKey was refused: NoSuchEntity', { got: accessKeyId });
    this.keep(userName);
    keys.set(accessKeyId, 'Active');
  }

  /** What only an administrator can do: used to show that a read-back notices. */
  reactivateAccessKey(userName: string, accessKeyId: string): void {
    this.existing(userName).accessKeys.set(accessKeyId, 'Active');
  }

  /** What only an administrator can do: a console login for a user who has none. */
  addLoginProfile(userName: string): void {
    this.existing(userName).loginProfile = true;
  }

  /** What only an administrator can do: the user is gone, and so is all that they had. */
  removeUser(userName: string): void {
    this.users.delete(userName);
  }

  /** What IAM would decide for a call made with this key: the latch and the key's own status both refuse. */
  mayAct(userName: string, accessKeyId: string): boolean {
    const user = this.existing(userName);
    const latched = user.policyArns.has(this.denyPolicyArn) && user.tags['curfew:leaver'] !== undefined;
    return user.accessKeys.get(accessKeyId) === 'Active' && !latched;
  }

  /** Before a change: how the user was until now. */
  private keep(userName: string): void {
    const { tags, accessKeys, policyArns, ...user } = this.existing(userName);
    const copy = { ...user, tags: { ...tags }, accessKeys: new Map(accessKeys), policyArns: new Set(policyArns) };
    this.past.set(userName, [...(this.past.get(userName) ?? []), { until: this.clock.now(), user: copy }]);
  }

  private seen(userName: string): IamUser | undefined {
    const lag = this.weather.lag('iam.stale');
    const old = lag === 0 ? undefined : this.past.get(userName)?.find(({ until }) => until > this.clock.now() - lag);
    return old ? old.user : this.users.get(userName);
  }

  private seenExisting(userName: string): IamUser {
    this.existing(userName);
    return this.seen(userName) ?? this.existing(userName);
  }

  private existing(userName: string): IamUser {
    const user = this.users.get(userName);
    if (!user) throw new CurfewError('ERR_NOT_FOUND', 'iam has no such user', { fix: 'check the principal inventory' });
    return user;
  }
}
