/** `npm run account-check` against stubs: what it says of what AWS answers, and that it takes away what it made. */
import { spawnSync } from 'node:child_process';
import { WEATHER_ROWS } from '../../lib/local/weather-rows';
import { type Account, openAccount } from '../../tools/account-check/account';
import { BANNER } from '../../tools/account-check/banner';
import type { Check } from '../../tools/account-check/check';
import { untilAgreed } from '../../tools/account-check/looks';
import { CHECKS, metBy, NOT_LOOKED_FOR, rowsAsTable } from '../../tools/account-check/rows';
import { Undo } from '../../tools/account-check/undo';
import { type Answer, type Asked, answering, xmlError } from '../aws/answering';
import { PROJECT } from '../docs/page';

const KEY = 'arn:aws:kms:us-east-1:111122223333:key/0f4c1c2e-7f1f-4a52-9d0c-3c8f3e1c6f11';
const refusal = (name: string): Answer => ({ status: 400, body: { __type: name, message: 'as AWS says it' } });
const xml = (action: string, inner: string): Answer => ({
  body: `<${action}Response><${action}Result>${inner}</${action}Result></${action}Response>`,
});

/** An account whose wire the test answers, and whose time passes when it is waited for. */
async function accountWith(answer: (asked: Asked) => Answer) {
  const said: string[] = [];
  let now = 1_800_000_000;
  const wire = answering((asked) =>
    asked.operation === 'GetCallerIdentity'
      ? xml('GetCallerIdentity', '<Account>111122223333</Account>')
      : answer(asked),
  );
  const account = await openAccount({
    run: 'check-1',
    region: 'us-east-1',
    settings: wire.config as never,
    clock: {
      now: () => now,
      sleep: async (seconds) => {
        now += seconds;
      },
    },
    log: (line) => said.push(line),
  });
  return { account, asked: wire.asked, said, pass: (seconds: number) => (now += seconds) };
}

function look(account: Account, row: string): Promise<readonly string[]> {
  const check = CHECKS.find(({ rows, needs }) => needs === 'account' && rows.includes(row as never)) as
    | Extract<Check, { needs: 'account' }>
    | undefined;
  if (!check) throw new Error(`nothing looks for ${row}`);
  return check.look(account);
}

test('every row of the weather is looked for, or has the reason why not', () => {
  const looked = CHECKS.flatMap(({ rows }) => rows);
  for (const row of Object.keys(WEATHER_ROWS) as (keyof typeof WEATHER_ROWS)[])
    expect([row, looked.includes(row), NOT_LOOKED_FOR[row] === undefined]).toEqual([
      row,
      looked.includes(row),
      looked.includes(row),
    ]);
  expect(looked.length).toBeGreaterThanOrEqual(15);
});

test('the list has a line per row, and says who met it', () => {
  const lines = rowsAsTable().split('\n');
  expect(lines).toHaveLength(2 + Object.keys(WEATHER_ROWS).length);
  expect(metBy().get('kms.lockout')).toEqual({ emulator: false, stubs: true, twins: true, here: true });
  expect(metBy().get('stream.twice')).toMatchObject({ stubs: false, twins: true, here: false });
});

describe('the command', () => {
  const { AWS_PROFILE: _profile, ...env } = process.env;
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'tools/account-check/main.ts', ...args], {
      cwd: PROJECT,
      encoding: 'utf8',
      env: { ...env, AWS_ENDPOINT_URL: 'https://127.0.0.1:1' },
    });

  test('says first that it was never run by us, what it costs and what it leaves behind', () => {
    const { stdout, status } = run('--list');
    expect([status, stdout.split('\n')[0]]).toEqual([0, expect.stringContaining('never run by us')]);
    expect(stdout).toContain(BANNER);
    expect(BANNER).toMatch(/costs less than 5 USD[\s\S]*leaves behind: KMS keys/);
  });

  test('chooses no account by itself', () => {
    const { stderr, status } = run();
    expect([status, stderr]).toEqual([2, expect.stringMatching(/no profile is named.*\n.*--profile NAME/)]);
  });
});

test('kms.lockout: the birth is refused without the bypass and taken with it; the one key is scheduled for deletion', async () => {
  const { account, asked } = await accountWith(({ operation, input }) => {
    if (operation === 'ScheduleKeyDeletion') return { body: { KeyId: KEY } };
    return input.BypassPolicyLockoutSafetyCheck
      ? { body: { KeyMetadata: { Arn: KEY, KeyId: KEY } } }
      : refusal('MalformedPolicyDocumentException');
  });
  expect(await look(account, 'kms.lockout')).toEqual([
    'without the bypass: MalformedPolicyDocumentException',
    'with the bypass: ok',
  ]);
  const policies = asked.filter(({ operation }) => operation === 'CreateKey').map(({ input }) => String(input.Policy));
  expect(policies.filter((policy) => policy.includes('PutKeyPolicy'))).toEqual([]);
  expect(await account.undo.all()).toEqual([]);
  expect(asked.filter(({ operation }) => operation === 'ScheduleKeyDeletion').map(({ input }) => input)).toEqual([
    { KeyId: KEY, PendingWindowInDays: 7 },
  ]);
});

test('kms.stale: it wants five answers in a row, and counts those that came before', async () => {
  const states = [
    'Enabled',
    'Enabled',
    'Disabled',
    'Enabled',
    'Disabled',
    'Disabled',
    'Disabled',
    'Disabled',
    'Disabled',
  ];
  let now = 0;
  const clock = {
    now: () => now,
    sleep: async (seconds: number) => {
      now += seconds;
    },
  };
  const ask = async () => states[now] ?? 'no more';
  expect(await untilAgreed({ clock, ask, wanted: 'Disabled', withinSeconds: 60 })).toBe(
    '5 times Disabled in a row from second 4 on; before that 3 × Enabled',
  );
  now = 0;
  expect(await untilAgreed({ clock, ask, wanted: 'Pending', withinSeconds: 3 })).toBe(
    'not Pending within 3 s; answers: 3 × Enabled, 1 × Disabled',
  );
});

test('kms.stale: described and signed with after each change, and said in plain words', async () => {
  let disabledFor = Number.NEGATIVE_INFINITY;
  const { account } = await accountWith(({ operation }) => {
    if (operation === 'CreateKey') return { body: { KeyMetadata: { Arn: KEY, KeyId: KEY } } };
    if (operation === 'DisableKey') disabledFor = 0;
    if (operation === 'EnableKey') disabledFor = Number.NEGATIVE_INFINITY;
    // For three answers a host does not know yet.
    const isDisabled = disabledFor++ > 3;
    if (operation === 'DescribeKey')
      return { body: { KeyMetadata: { KeyId: KEY, KeyState: isDisabled ? 'Disabled' : 'Enabled' } } };
    return operation === 'Sign' && isDisabled ? refusal('DisabledException') : { body: {} };
  });
  expect(await look(account, 'kms.stale')).toEqual([
    'described after CreateKey: 5 times Enabled in a row from second 0 on; no other answer',
    'signed with after CreateKey: 5 times ok in a row from second 0 on; no other answer',
    expect.stringMatching(
      /^Sign after DisableKey: 5 times DisabledException in a row from second 3 on; before that 3 × ok$/,
    ),
    'described after DisableKey: 5 times Disabled in a row from second 0 on; no other answer',
    'Sign after EnableKey: 5 times ok in a row from second 0 on; no other answer',
  ]);
});

test('kms.principal-unseen: how long a new role is taken for malformed, and the role goes', async () => {
  let births = 0;
  const { account, asked } = await accountWith(({ operation }) => {
    if (operation === 'CreateRole')
      return xml('CreateRole', '<Role><Arn>arn:aws:iam::111122223333:role/curfew-check-1-new</Arn></Role>');
    if (operation !== 'CreateKey') return { body: operation === 'DeleteRole' ? '<DeleteRoleResponse/>' : {} };
    return ++births < 4
      ? refusal('MalformedPolicyDocumentException')
      : { body: { KeyMetadata: { Arn: KEY, KeyId: KEY } } };
  });
  expect(await look(account, 'kms.principal-unseen')).toEqual([
    'taken after 3 s; refused before: 3 × MalformedPolicyDocumentException',
  ]);
  await account.undo.all();
  expect(asked.slice(-2).map(({ operation }) => operation)).toEqual(['ScheduleKeyDeletion', 'DeleteRole']);
});

test('kms.throttled: what a burst is answered with is counted', async () => {
  let calls = 0;
  const { account } = await accountWith(({ operation }) => {
    if (operation === 'CreateKey') return { body: { KeyMetadata: { Arn: KEY, KeyId: KEY } } };
    return ++calls > 5 ? refusal('ThrottlingException') : { body: {} };
  });
  expect(await look(account, 'kms.throttled')).toEqual(['20 × ThrottlingException, 5 × ok']);
});

test('iam.limit: the policy that has no room is named, and all that were attached are detached before the user goes', async () => {
  let attached = 0;
  const { account, asked } = await accountWith(({ operation }) => {
    if (operation === 'AttachUserPolicy' && ++attached > 10) return xmlError(409, 'LimitExceeded', 'Query');
    if (operation !== 'ListPolicies') return { body: `<${operation}Response/>` };
    const members = Array.from({ length: 15 }, (_, n) => `<member><Arn>arn:aws:iam::aws:policy/P${n}</Arn></member>`);
    return xml('ListPolicies', `<Policies>${members.join('')}</Policies>`);
  });
  expect(await look(account, 'iam.limit')).toEqual([expect.stringMatching(/^policy 11 is refused: LimitExceeded/)]);
  expect(await account.undo.all()).toEqual([]);
  const undone = asked.map(({ operation }) => operation).filter((operation) => /^(Detach|Delete)/.test(operation));
  expect(undone).toEqual([...Array.from({ length: 10 }, () => 'DetachUserPolicy'), 'DeleteUser']);
});

test('s3.conflict: each answer to conditional puts is counted, and the bucket goes after its objects', async () => {
  let puts = 0;
  const { account, asked } = await accountWith(({ operation }) => {
    if (!/^PUT .*head-/.test(operation)) return { status: operation.startsWith('DELETE') ? 204 : 200 };
    return [{}, xmlError(412, 'PreconditionFailed'), xmlError(409, 'ConditionalRequestConflict')][puts++ % 3] ?? {};
  });
  expect(await look(account, 's3.conflict')).toEqual([
    '20 conditional puts at once, 25 times: 167 × ok, 167 × PreconditionFailed, 166 × ConditionalRequestConflict',
  ]);
  expect(await account.undo.all()).toEqual([]);
  const deleted = asked.map(({ operation }) => operation).filter((operation) => operation.startsWith('DELETE'));
  expect([deleted.length, deleted.at(-1)]).toEqual([26, expect.not.stringContaining('head-')]);
});

test('a check that breaks off half way leaves nothing: what it made is noted before it goes on', async () => {
  const { account, asked } = await accountWith(({ operation }) => {
    if (operation === 'CreateUser' || operation === 'DeleteUser') return { body: `<${operation}Response/>` };
    if (/^(Create|Delete)Policy$/.test(operation)) return { body: `<${operation}Response/>` };
    if (operation === 'DeleteUserPolicy') return xmlError(404, 'NoSuchEntity', 'Query');
    return xmlError(403, 'AccessDenied', 'Query');
  });
  await expect(look(account, 'iam.stale')).rejects.toThrow();
  expect(await account.undo.all()).toEqual([]);
  expect(asked.slice(-2).map(({ operation }) => operation)).toEqual(['DeleteUser', 'DeletePolicy']);
});

test('undoing goes on after a step that fails, names it, and does not name what was never made', async () => {
  const done: string[] = [];
  const undo = new Undo(() => undefined);
  const failing = (name: string) => async () => {
    throw Object.assign(new Error('as AWS says it'), { name });
  };
  undo.note('first', async () => done.push('first'));
  undo.note('second', failing('DeleteConflict'));
  undo.note('third', failing('NoSuchEntityException'));
  undo.note('fourth', async () => done.push('fourth'));
  expect(await undo.all()).toEqual(['second: DeleteConflict: as AWS says it']);
  expect(done).toEqual(['fourth', 'first']);
});
