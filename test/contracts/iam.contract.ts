/** What IamReader, IamLatch and IamDisabler owe their callers. */
import type { IamDisabler, IamLatch, IamReader } from '../../lib/ports';

export interface IamHarness {
  readonly iam: IamReader;
  readonly latch: IamLatch;
  readonly iamDisabler: IamDisabler;
  readonly denyPolicyArn: string;
  /** A new user with a console login, the tag team=auth and as many access keys as asked. Answers the user's name. */
  makeUser(accessKeys: number): Promise<string>;
}

export function iamContract(make: () => IamHarness): void {
  let on: IamHarness;
  beforeEach(() => {
    on = make();
  });

  test('a user is read as it stands', async () => {
    const name = await on.makeUser(2);
    expect(await on.iam.user(name)).toEqual({ arn: expect.stringContaining(`:user/${name}`), tags: { team: 'auth' } });
    expect(await on.iam.hasLoginProfile(name)).toBe(true);
    expect(await on.iam.attachedPolicyArns(name)).toEqual([]);
    expect((await on.iam.accessKeys(name)).map(({ status }) => status)).toEqual(['Active', 'Active']);
  });

  test('a user that does not exist is undefined, has no login, and cannot be latched', async () => {
    expect(await on.iam.user('nobody')).toBeUndefined();
    expect(await on.iam.hasLoginProfile('nobody')).toBe(false);
    await expect(on.latch.attachDenyPolicy('nobody')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    await expect(on.latch.tagLeaver('nobody', 'c-1')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  test('the latch attaches the deny policy and tags the leaver, and may do so twice', async () => {
    const name = await on.makeUser(0);
    for (const _ of ['once', 'twice']) {
      await on.latch.attachDenyPolicy(name);
      await on.latch.tagLeaver(name, 'c-1');
    }
    expect(await on.iam.attachedPolicyArns(name)).toEqual([on.denyPolicyArn]);
    expect((await on.iam.user(name))?.tags).toEqual({ team: 'auth', 'curfew:leaver': 'c-1' });
  });

  test('one access key is made inactive, and the other is left alone', async () => {
    const name = await on.makeUser(2);
    const [doomed, other] = await on.iam.accessKeys(name);
    if (!doomed || !other) throw new Error('the harness made no access keys');
    await on.iamDisabler.deactivateAccessKey(name, doomed.accessKeyId);
    await on.iamDisabler.deactivateAccessKey(name, doomed.accessKeyId);
    const after = new Map((await on.iam.accessKeys(name)).map(({ accessKeyId, status }) => [accessKeyId, status]));
    expect(after.get(doomed.accessKeyId)).toBe('Inactive');
    expect(after.get(other.accessKeyId)).toBe('Active');
  });

  test('what is gone stays gone: no refusal for a missing key, login or user', async () => {
    const name = await on.makeUser(0);
    await on.iamDisabler.deactivateAccessKey(name, 'AKIAIOSFODNN7EXAMPLE');
    await on.iamDisabler.deleteLoginProfile(name);
    await on.iamDisabler.deleteLoginProfile(name);
    await on.iamDisabler.deleteLoginProfile('nobody');
    expect(await on.iam.hasLoginProfile(name)).toBe(false);
  });
}
