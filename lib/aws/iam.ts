/** The IAM ports on IAM: a class each, because each of their Lambdas has rights of its own. */
import {
  AttachUserPolicyCommand,
  DeleteLoginProfileCommand,
  DetachUserPolicyCommand,
  GetLoginProfileCommand,
  GetUserCommand,
  IAMClient,
  paginateListAccessKeys,
  paginateListAttachedUserPolicies,
  TagUserCommand,
  UntagUserCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { isCurfewError } from '../domain/base/errors';
import type { AccessKey, IamDisabler, IamEnabler, IamLatch, IamLatchRelease, IamReader } from '../ports';
import { clientSettings } from './client-settings';
import { type Codes, calling } from './errors';

export { IAMClient };

const IAM_CODES: Codes = {
  NoSuchEntity: 'ERR_NOT_FOUND',
  NoSuchEntityException: 'ERR_NOT_FOUND',
  // The item stays open, the case is held, and a person reads why; what the user may do is unchanged.
  LimitExceededException: {
    code: 'ERR_UNAVAILABLE',
    fix: 'the user has as many managed policies, or tags, as IAM allows: detach one or delete one, then let the case go on',
  },
};

export class AwsIamReader implements IamReader {
  constructor(private readonly iam = new IAMClient(clientSettings())) {}

  async user(userName: string): Promise<{ arn: string; tags: Record<string, string> } | undefined> {
    const request = new GetUserCommand({ UserName: userName });
    const answer = await orGone(() => calling('iam GetUser', () => this.iam.send(request), IAM_CODES));
    if (!answer?.User?.Arn) return undefined;
    const tags = (answer.User.Tags ?? []).map(({ Key, Value }) => [Key, Value]);
    return { arn: answer.User.Arn, tags: Object.fromEntries(tags) };
  }

  async accessKeys(userName: string): Promise<readonly AccessKey[]> {
    const list = async () => {
      const keys: AccessKey[] = [];
      // A key in any state but Inactive counts as one that works.
      for await (const { AccessKeyMetadata } of paginateListAccessKeys({ client: this.iam }, { UserName: userName }))
        for (const { AccessKeyId, Status } of AccessKeyMetadata ?? [])
          if (AccessKeyId) keys.push({ accessKeyId: AccessKeyId, status: Status === 'Inactive' ? Status : 'Active' });
      return keys;
    };
    return calling('iam ListAccessKeys', list, IAM_CODES);
  }

  async hasLoginProfile(userName: string): Promise<boolean> {
    const request = new GetLoginProfileCommand({ UserName: userName });
    return (await orGone(() => calling('iam GetLoginProfile', () => this.iam.send(request), IAM_CODES))) !== undefined;
  }

  async attachedPolicyArns(userName: string): Promise<readonly string[]> {
    const list = async () => {
      const arns: string[] = [];
      const pages = paginateListAttachedUserPolicies({ client: this.iam }, { UserName: userName });
      for await (const { AttachedPolicies } of pages)
        arns.push(...(AttachedPolicies ?? []).flatMap(({ PolicyArn }) => PolicyArn ?? []));
      return arns;
    };
    return calling('iam ListAttachedUserPolicies', list, IAM_CODES);
  }
}

export class AwsIamLatch implements IamLatch {
  constructor(
    private readonly denyPolicyArn: string,
    private readonly iam = new IAMClient(clientSettings()),
  ) {}

  async attachDenyPolicy(userName: string): Promise<void> {
    const request = new AttachUserPolicyCommand({ UserName: userName, PolicyArn: this.denyPolicyArn });
    await calling('iam AttachUserPolicy', () => this.iam.send(request), IAM_CODES);
  }

  async tagLeaver(userName: string, caseId: string): Promise<void> {
    const request = new TagUserCommand({ UserName: userName, Tags: [{ Key: 'curfew:leaver', Value: caseId }] });
    await calling('iam TagUser', () => this.iam.send(request), IAM_CODES);
  }
}

export class AwsIamDisabler implements IamDisabler {
  constructor(private readonly iam = new IAMClient(clientSettings())) {}

  async deactivateAccessKey(userName: string, accessKeyId: string): Promise<void> {
    const request = new UpdateAccessKeyCommand({ UserName: userName, AccessKeyId: accessKeyId, Status: 'Inactive' });
    await orGone(() => calling('iam UpdateAccessKey', () => this.iam.send(request), IAM_CODES));
  }

  async deleteLoginProfile(userName: string): Promise<void> {
    const request = new DeleteLoginProfileCommand({ UserName: userName });
    await orGone(() => calling('iam DeleteLoginProfile', () => this.iam.send(request), IAM_CODES));
  }
}

export class AwsIamLatchRelease implements IamLatchRelease {
  constructor(
    private readonly denyPolicyArn: string,
    private readonly iam = new IAMClient(clientSettings()),
  ) {}

  async untagLeaver(userName: string): Promise<void> {
    const request = new UntagUserCommand({ UserName: userName, TagKeys: ['curfew:leaver'] });
    await orGone(() => calling('iam UntagUser', () => this.iam.send(request), IAM_CODES));
  }

  async detachDenyPolicy(userName: string): Promise<void> {
    const request = new DetachUserPolicyCommand({ UserName: userName, PolicyArn: this.denyPolicyArn });
    await orGone(() => calling('iam DetachUserPolicy', () => this.iam.send(request), IAM_CODES));
  }
}

export class AwsIamEnabler implements IamEnabler {
  constructor(private readonly iam = new IAMClient(clientSettings())) {}

  async activateAccessKey(userName: string, accessKeyId: string): Promise<void> {
    const request = new UpdateAccessKeyCommand({ UserName: userName, AccessKeyId: accessKeyId, Status: 'Active' });
    await calling('iam UpdateAccessKey', () => this.iam.send(request), IAM_CODES);
  }
}

/** Undefined where IAM says that there is no such thing. */
async function orGone<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isCurfewError(error, 'ERR_NOT_FOUND')) return undefined;
    throw error;
  }
}
