/**
 * `npm run account-check -- --profile P [--region R]`: deploys a trial instance into a real account, makes the calls that
 * no emulator answers as AWS does, prints what it saw beside what the twins do, and removes what it made.
 * `-- --list` says which rows were met by whom, and calls nobody.
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { fail } from '../../bin/edge/terminal';
import { errorName } from '../../lib/aws/errors';
import { CurfewError } from '../../lib/domain/base/errors';
import { WEATHER_ROWS } from '../../lib/local/weather-rows';
import { type Account, openAccount } from './account';
import { BANNER } from './banner';
import type { Check } from './check';
import { deployInstance, type Instance } from './instance';
import { CHECKS, rowsAsTable } from './rows';

/** Somebody pressed Ctrl-C: nothing more is made. */
let stopped = false;

const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      profile: { type: 'string' },
      region: { type: 'string' },
      'public-base-url': { type: 'string' },
      list: { type: 'boolean', default: false },
    },
  });
  say(BANNER);
  if (values.list) {
    say(`\n${rowsAsTable()}`);
    return 0;
  }
  if (values.profile === undefined)
    throw new CurfewError('ERR_INPUT_INVALID', 'no profile is named: this check does not choose an account by itself', {
      fix: 'npm run account-check -- --profile NAME, a profile of ~/.aws/config',
    });
  // The SDK, and the CDK CLI that we start, read both from here.
  process.env.AWS_PROFILE = values.profile;
  const region = values.region ?? process.env.AWS_REGION ?? 'us-east-1';
  process.env.AWS_REGION = region;
  const run = `check-${randomBytes(3).toString('hex')}`;
  const account = await openAccount({ run, region, log: say });
  say(`\nrun ${run} in account ${account.id}, ${region}`);
  process.once('SIGINT', () => {
    stopped = true;
    say('\nstopped: removing what was made');
    void end(account).then(() => process.exit(130));
  });
  try {
    return await lookAtAll(account, values['public-base-url']);
  } finally {
    await end(account);
  }
}

/** A check that breaks off is one line; the others go on. */
async function lookAtAll(account: Account, publicBaseUrl?: string): Promise<number> {
  const instance = await deployInstance(account, say, publicBaseUrl);
  let broken = 0;
  for (const check of CHECKS) {
    if (stopped) break;
    say(`\n${check.name}`);
    for (const row of check.rows) say(`  twins  ${row}: ${WEATHER_ROWS[row].does}`);
    try {
      for (const line of await look(check, account, instance)) say(`  AWS    ${line}`);
    } catch (error) {
      broken++;
      say(`  broken off: ${errorName(error)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  say(`\n${CHECKS.length - broken} looked, ${broken} broken off`);
  return broken === 0 ? 0 : 1;
}

function look(check: Check, account: Account, instance: Instance): Promise<readonly string[]> {
  return check.needs === 'instance' ? check.look(account, instance) : check.look(account);
}

async function end({ undo, run }: Account): Promise<void> {
  const left = await undo.all();
  for (const thing of left) say(`LEFT BEHIND: ${thing}`);
  say(`look once more for KMS keys with the tag curfew:instance = ${run}: docs/remove.md, step 2`);
  say(`evidence bucket of ${run}: its last lock ends in a day; then follow docs/remove.md, step 3`);
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    fail(error);
    process.exitCode = 2;
  },
);
