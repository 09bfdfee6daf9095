/** An IAM of users: tags, access keys, console login, attached policies. Enough to read, latch and disable a leaver. */
import { CurfewError } from '../domain/base/errors';
import type { AccessKey, IamDisabler, IamLatch, IamReader } from '../ports';

interface IamUser {
  readonly arn: string;
  readonly tags: Record<string, string>;
  readonly accessKeys: Map<string, AccessKey['status']>;
  readonly policyArns: Set<string>;
  loginProfile: boolean;
}

export class MemoryIam implements IamReader, IamLatch, IamDisabler {
  private readonly users = new Map<string, IamUser>();

  constructor(
    private readonly denyPolicyArn: string,
    private readonly accountId = '000000000000',
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
    const user = this.users.get(userName);
    return user && { arn: user.arn, tags: { ...user.tags } };
  }

  async accessKeys(userName: string): Promise<readonly AccessKey[]> {
    await null;
    return [...this.existing(userName).accessKeys].map(([accessKeyId, status]) => ({ accessKeyId, status }));
  }

  async hasLoginProfile(userName: string): Promise<boolean> {
    await null;
    return this.users.get(userName)?.loginProfile ?? false;
  }

  async attachedPolicyArns(userName: string): Promise<readonly string[]> {
    await null;
    return [...this.existing(userName).policyArns];
  }

  async attachDenyPolicy(userName: string): Promise<void> {
    await null;
    this.existing(userName).policyArns.add(this.denyPolicyArn);
  }

  async tagLeaver(userName: string, caseId: string): Promise<void> {
    await null;
    this.existing(userName).tags['curfew:leaver'] = caseId;
  }

  async deactivateAccessKey(userName: string, accessKeyId: string): Promise<void> {
    await null;
    const keys = this.users.get(userName)?.accessKeys;
    if (keys?.has(accessKeyId)) keys.set(accessKeyId, 'Inactive');
  }

  async deleteLoginProfile(userName: string): Promise<void> {
    await null;
    const user = this.users.get(userName);
    if (user) user.loginProfile = false;
  }

  /** What only an administrator can do: used to show that a read-back notices. */
  reactivateAccessKey(userName: string, accessKeyId: string): void {
    this.existing(userName).accessKeys.set(accessKeyId, 'Active');
  }

  /** What IAM would decide for a call made with this key: the latch and the key's own status both refuse. */
  mayAct(userName: string, accessKeyId: string): boolean {
    const user = this.existing(userName);
    const latched = user.policyArns.has(this.denyPolicyArn) && user.tags['curfew:leaver'] !== undefined;
    return user.accessKeys.get(accessKeyId) === 'Active' && !latched;
  }

  private existing(userName: string): IamUser {
    const user = this.users.get(userName);
    if (!user) throw new CurfewError('ERR_NOT_FOUND', 'iam has no such user', { fix: 'check the principal inventory' });
    return user;
  }
}
