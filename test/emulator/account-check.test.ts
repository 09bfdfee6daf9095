/** What `npm run account-check` can do without a deployment, it does on the emulator; and nothing that it made is left. */

import { setTimeout as pause } from 'node:timers/promises';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { ListUsersCommand } from '@aws-sdk/client-iam';
import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import { GetResourcesCommand } from '@aws-sdk/client-resource-groups-tagging-api';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { type Account, openAccount } from '../../tools/account-check/account';
import type { AccountCheck } from '../../tools/account-check/check';
import { RUN_TAG } from '../../tools/account-check/kms-checks';
import { CHECKS } from '../../tools/account-check/rows';
import { idsFor } from '../support/seeded';

jest.setTimeout(180_000);

/** CloudWatch and Lambda of the emulator have no figures, and no quota, of an account. */
const HAS_NONE = ['how long a figure takes to be seen', 'the quota of runs at once'];
const checks = CHECKS.filter((check): check is AccountCheck => check.needs === 'account').filter(
  ({ name }) => !HAS_NONE.includes(name),
);
/** The emulator is consistent at once: whoever waits for a second waits a moment. */
let now = Math.floor(Date.now() / 1000);
const clock = {
  now: () => now,
  sleep: async (seconds: number) => {
    now += seconds;
    await pause(5);
  },
};
const said: Record<string, readonly string[]> = {};
let account: Account;
let left: readonly string[];

beforeAll(async () => {
  const run = `check-${idsFor('account-check')().slice(0, 6)}`.toLowerCase();
  account = await openAccount({
    run,
    region: 'us-east-1',
    clock,
    settings: { forcePathStyle: true } as never,
    log: () => undefined,
  });
  for (const { name, look } of checks) said[name] = await look(account);
  left = await account.undo.all();
});

test('each check ends with what it saw: an AWS that is consistent at once, and refuses nothing', () => {
  const text = JSON.stringify(said, undefined, 1);
  expect(Object.keys(said)).toHaveLength(checks.length);
  for (const line of [
    'without the bypass: ok',
    'taken after 0 s; refused before: never',
    'Sign after DisableKey: 5 times DisabledException in a row from second 0 on; no other answer',
    '25 × ok',
    'DescribeKey: NotFoundException',
    'acts after the deny policy was attached: 5 times AccessDenied',
    'no limit was met',
    '20 transactions on the same two rows: 20 × ok',
    '100 × both rows alike',
    '475 × PreconditionFailed, 25 × ok',
  ])
    expect(text).toContain(line);
});

test('nothing is left: no user, no table, no bucket, and every key is on its way', async () => {
  expect(left).toEqual([]);
  const { Users = [] } = await account.iam.send(new ListUsersCommand({}));
  const { TableNames = [] } = await account.dynamodb.send(new ListTablesCommand({}));
  const { Buckets = [] } = await account.s3.send(new ListBucketsCommand({}));
  const names = [...Users.map(({ UserName = '' }) => UserName), ...TableNames, ...Buckets.map(({ Name = '' }) => Name)];
  expect(names.filter((name) => name.includes(account.run))).toEqual([]);
  const { ResourceTagMappingList = [] } = await account.tags.send(
    new GetResourcesCommand({ TagFilters: [{ Key: RUN_TAG, Values: [account.run] }] }),
  );
  expect(ResourceTagMappingList.length).toBeGreaterThan(3);
  for (const { ResourceARN } of ResourceTagMappingList) {
    const { KeyMetadata } = await account.kms.send(new DescribeKeyCommand({ KeyId: ResourceARN }));
    expect(KeyMetadata?.KeyState).toBe('PendingDeletion');
  }
});
