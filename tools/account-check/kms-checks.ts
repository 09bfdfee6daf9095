/** What KMS does with keys that were made, enabled or disabled a moment ago. Each key is scheduled for deletion at the end. */
import { CreateRoleCommand, DeleteRoleCommand } from '@aws-sdk/client-iam';
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  type KMSClient,
  ScheduleKeyDeletionCommand,
  SignCommand,
} from '@aws-sdk/client-kms';
import { GetResourcesCommand } from '@aws-sdk/client-resource-groups-tagging-api';
import type { Account } from './account';
import type { AccountCheck } from './check';
import { answerOf, tally, untilAgreed } from './looks';

/** The shortest that KMS takes. */
export const PENDING_DAYS = 7;
export const RUN_TAG = 'curfew:account-check';
const BURST = 25;
const WITHIN_SECONDS = 180;
const SEEN_SECONDS = 300;

/** Without PutKeyPolicy, as ring keys are; with what is needed to sign, and to get rid of the key. */
function policy(account: Account, more: readonly string[] = [], alsoNamed?: string): string {
  const root = `arn:aws:iam::${account.id}:root`;
  const actions = [
    'Describe*',
    'Get*',
    'List*',
    'EnableKey',
    'DisableKey',
    'ScheduleKeyDeletion',
    'TagResource',
    'Sign',
  ];
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'All',
        Effect: 'Allow',
        Principal: { AWS: alsoNamed === undefined ? root : [root, alsoNamed] },
        Action: [...actions, ...more].map((action) => `kms:${action}`),
        Resource: '*',
      },
    ],
  });
}

interface Born {
  readonly more?: readonly string[];
  readonly bypasses?: boolean;
  readonly alsoNamed?: string;
}

/** If the run ends after KMS made the key and before we noted it, the key's tag says whose it was. */
async function bear(account: Account, { more, bypasses = true, alsoNamed }: Born = {}): Promise<string> {
  const { KeyMetadata } = await account.kms.send(
    new CreateKeyCommand({
      KeySpec: 'ECC_NIST_P256',
      KeyUsage: 'SIGN_VERIFY',
      Policy: policy(account, more, alsoNamed),
      BypassPolicyLockoutSafetyCheck: bypasses,
      Tags: [{ TagKey: RUN_TAG, TagValue: account.run }],
    }),
  );
  const arn = KeyMetadata?.Arn ?? '';
  account.undo.note(`KMS key ${arn} (pending deletion for ${PENDING_DAYS} days)`, () =>
    account.kms.send(new ScheduleKeyDeletionCommand({ KeyId: arn, PendingWindowInDays: PENDING_DAYS })),
  );
  return arn;
}

const stateOf = (kms: KMSClient, KeyId: string) => async () => {
  let state = '';
  const answer = await answerOf(async () => {
    state = (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState ?? 'no state';
  });
  return answer === 'ok' ? state : answer;
};

const signing = (kms: KMSClient, KeyId: string) => () =>
  answerOf(() =>
    kms.send(
      new SignCommand({
        KeyId,
        Message: new Uint8Array(32),
        MessageType: 'DIGEST',
        SigningAlgorithm: 'ECDSA_SHA_256',
      }),
    ),
  );

export const KMS_CHECKS: readonly AccountCheck[] = [
  {
    name: 'a key is born under a policy that nobody may change',
    rows: ['kms.lockout'],
    needs: 'account',
    look: async (account) => [
      `without the bypass: ${await answerOf(() => bear(account, { bypasses: false }))}`,
      `with the bypass: ${await answerOf(() => bear(account))}`,
    ],
  },
  {
    name: 'a key policy names a role that was made a moment ago',
    rows: ['kms.principal-unseen'],
    needs: 'account',
    look: async (account) => {
      const RoleName = `curfew-${account.run}-new`;
      account.undo.note(`IAM role ${RoleName}`, () => account.iam.send(new DeleteRoleCommand({ RoleName })));
      const { Role } = await account.iam.send(
        new CreateRoleCommand({
          RoleName,
          AssumeRolePolicyDocument: JSON.stringify({
            Version: '2012-10-17',
            Statement: [{ Effect: 'Deny', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
          }),
        }),
      );
      const from = account.clock.now();
      const refusals: string[] = [];
      while (account.clock.now() - from < WITHIN_SECONDS) {
        const answer = await answerOf(() => bear(account, { alsoNamed: Role?.Arn }));
        if (answer === 'ok')
          return [`taken after ${account.clock.now() - from} s; refused before: ${tally(refusals) || 'never'}`];
        refusals.push(answer);
        await account.clock.sleep(1);
      }
      return [`not taken within ${WITHIN_SECONDS} s: ${tally(refusals)}`];
    },
  },
  {
    name: 'a key is described, signed with, disabled and enabled right after each change',
    rows: ['kms.stale'],
    needs: 'account',
    look: async (account) => {
      const { kms, clock } = account;
      const key = await bear(account);
      const agreed = (ask: () => Promise<string>, wanted: string) =>
        untilAgreed({ clock, ask, wanted, withinSeconds: WITHIN_SECONDS });
      const lines = [
        `described after CreateKey: ${await agreed(stateOf(kms, key), 'Enabled')}`,
        `signed with after CreateKey: ${await agreed(signing(kms, key), 'ok')}`,
      ];
      await kms.send(new DisableKeyCommand({ KeyId: key }));
      lines.push(`Sign after DisableKey: ${await agreed(signing(kms, key), 'DisabledException')}`);
      lines.push(`described after DisableKey: ${await agreed(stateOf(kms, key), 'Disabled')}`);
      await kms.send(new EnableKeyCommand({ KeyId: key }));
      lines.push(`Sign after EnableKey: ${await agreed(signing(kms, key), 'ok')}`);
      return lines;
    },
  },
  {
    name: `${BURST} calls of EnableKey at once`,
    rows: ['kms.throttled'],
    needs: 'account',
    look: async (account) => {
      const KeyId = await bear(account);
      const calls = Array.from({ length: BURST }, () =>
        answerOf(() => account.kms.send(new EnableKeyCommand({ KeyId }))),
      );
      return [tally(await Promise.all(calls))];
    },
  },
  {
    name: 'the ARN of a key in another Region',
    rows: ['kms.other-region'],
    needs: 'account',
    look: async (account) => {
      const other = account.region === 'eu-central-1' ? 'us-east-1' : 'eu-central-1';
      const KeyId = `arn:aws:kms:${other}:${account.id}:key/00000000-0000-4000-8000-000000000000`;
      return [`DescribeKey: ${await stateOf(account.kms, KeyId)()}`];
    },
  },
  {
    name: 'a search by tag for a key that was made a moment ago',
    rows: ['tags.stale'],
    needs: 'account',
    look: async (account) => {
      const key = await bear(account);
      const search = new GetResourcesCommand({
        TagFilters: [{ Key: RUN_TAG, Values: [account.run] }],
        ResourceTypeFilters: ['kms:key'],
      });
      const ask = async () => {
        const { ResourceTagMappingList = [] } = await account.tags.send(search);
        return ResourceTagMappingList.some(({ ResourceARN }) => ResourceARN === key) ? 'found' : 'not found';
      };
      return [await untilAgreed({ clock: account.clock, ask, wanted: 'found', withinSeconds: SEEN_SECONDS })];
    },
  },
];
