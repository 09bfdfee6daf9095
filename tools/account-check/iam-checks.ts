/** How fast IAM forgets, on a throw-away user that may list aliases and nothing else. It is removed at the end. */
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeletePolicyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  ListAttachedUserPoliciesCommand,
  ListPoliciesCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { ListAliasesCommand } from '@aws-sdk/client-kms';
import type { Account } from './account';
import type { AccountCheck } from './check';
import { answerOf, untilAgreed } from './looks';

const DENY_ALL = 'arn:aws:iam::aws:policy/AWSDenyAll';
const INLINE = 'aliases';
const WITHIN_SECONDS = 300;
/** More than any user has room for: the quota is 10, and 20 at most. */
const POLICIES_MAX = 21;

async function makeUser(account: Account, name: string): Promise<string> {
  const UserName = `curfew-${account.run}-${name}`;
  account.undo.note(`IAM user ${UserName}`, () => account.iam.send(new DeleteUserCommand({ UserName })));
  await account.iam.send(new CreateUserCommand({ UserName }));
  return UserName;
}

async function attach({ iam, undo }: Account, UserName: string, PolicyArn: string): Promise<void> {
  await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn }));
  undo.note(`policy ${PolicyArn} on ${UserName}`, () => iam.send(new DetachUserPolicyCommand({ UserName, PolicyArn })));
}

/** As the latch attaches it to a leaver: a policy of this account that denies everything. */
async function makeDenyPolicy({ iam, undo, id, run }: Account): Promise<string> {
  const PolicyName = `curfew-${run}-deny`;
  const PolicyArn = `arn:aws:iam::${id}:policy/${PolicyName}`;
  undo.note(`policy ${PolicyName}`, () => iam.send(new DeletePolicyCommand({ PolicyArn })));
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
  });
  await iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument }));
  return PolicyArn;
}

/** The secret of its access key is in this process alone, and the key is gone at the end. */
async function latency(account: Account): Promise<readonly string[]> {
  const { iam, undo, clock } = account;
  const deny = await makeDenyPolicy(account);
  const UserName = await makeUser(account, 'leaver');
  undo.note(`inline policy of ${UserName}`, () =>
    iam.send(new DeleteUserPolicyCommand({ UserName, PolicyName: INLINE })),
  );
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'kms:ListAliases', Resource: '*' }],
  });
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: INLINE, PolicyDocument }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  const { AccessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {};
  undo.note(`access key of ${UserName}`, () => iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId })));

  const theirs = account.kmsAs({ accessKeyId: AccessKeyId, secretAccessKey });
  const act = () => answerOf(() => theirs.send(new ListAliasesCommand({})));
  const agreed = (ask: () => Promise<string>, wanted: string) =>
    untilAgreed({ clock, ask, wanted, withinSeconds: WITHIN_SECONDS });
  const lines = [`a new user with a new key acts: ${await agreed(act, 'ok')}`];
  await attach(account, UserName, deny);
  const listed = async () => {
    const { AttachedPolicies = [] } = await iam.send(new ListAttachedUserPoliciesCommand({ UserName }));
    return AttachedPolicies.some(({ PolicyArn }) => PolicyArn === deny) ? 'listed' : 'not listed';
  };
  lines.push(`acts after the deny policy was attached: ${await agreed(act, 'AccessDeniedException')}`);
  lines.push(`the policy is read back: ${await agreed(listed, 'listed')}`);
  return lines;
}

/** Only AWS's own policies, on a user without a password or a key. */
async function limit(account: Account): Promise<readonly string[]> {
  const UserName = await makeUser(account, 'full');
  await attach(account, UserName, DENY_ALL);
  const { Policies = [] } = await account.iam.send(
    new ListPoliciesCommand({ Scope: 'AWS', MaxItems: POLICIES_MAX + 1 }),
  );
  const others = Policies.flatMap(({ Arn = '' }) => (Arn === DENY_ALL ? [] : [Arn])).slice(0, POLICIES_MAX);
  for (const [n, arn] of others.entries()) {
    const answer = await answerOf(() => attach(account, UserName, arn));
    if (answer !== 'ok') return [`policy ${n + 2} is refused: ${answer}`];
  }
  return [`${others.length + 1} policies are attached, and no limit was met`];
}

export const IAM_CHECKS: readonly AccountCheck[] = [
  { name: 'a policy is attached to a user who acts', rows: ['iam.stale'], needs: 'account', look: latency },
  { name: 'a user gets more policies than there is room for', rows: ['iam.limit'], needs: 'account', look: limit },
];
