/** The command as a person calls it, wrongly: one clear error with its code and a hint, exit code 2, nothing on standard output. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleCli, CURFEW, runCli } from '../support/cli';

const dir = mkdtempSync(join(tmpdir(), 'curfew-cli-'));
const junk = join(dir, 'people.json');
const bundle = bundleCli(dir);
writeFileSync(junk, '{"workers": [{"workerId": "W-1042"');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

// Nothing here may get as far as to ask AWS: there is none at this address.
const env = { ...process.env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_REGION: 'us-east-1' };

const curfew = (call: string) => runCli(bundle, call.split(' '), env);

test.each([
  ['ring taint abc --class compromise --instance x', '--reason is missing (ERR_INPUT_INVALID)', 'give --reason'],
  [
    'ring taint abc --reason x --instance x',
    'the taint class is not compromise or planned (ERR_INPUT_INVALID)',
    'compromise if the key could have been copied',
  ],
  [
    'ring taint abc --class rotten --reason x --instance x',
    'the taint class is not compromise or planned (ERR_INPUT_INVALID)',
    'compromise if',
  ],
  [
    'ring taint customer-api abc --class planned --reason x',
    'wrong number of arguments (ERR_INPUT_INVALID)',
    'curfew ring taint KID',
  ],
  ['ring rotate customer-api --instance x', '--reason is missing (ERR_INPUT_INVALID)', 'give --reason'],
  ['ring halt customer-api --instance x', '--reason is missing (ERR_INPUT_INVALID)', 'give --reason'],
  [
    'ring resume Customer --reason x --instance x',
    'the ring id has the wrong form (ERR_INPUT_INVALID)',
    '`curfew ring list` shows the ring ids',
  ],
  [
    'ring show ../HEAD --instance x',
    'the ring id has the wrong form (ERR_INPUT_INVALID)',
    '`curfew ring list` shows the ring ids',
  ],
  ['ring list', '--instance is missing (ERR_INPUT_INVALID)', 'give --instance'],
  ['doctor', '--instance is missing (ERR_INPUT_INVALID)', 'give --instance'],
  ['ring list --watch', 'this command has no such option (ERR_INPUT_INVALID)', 'see `curfew --help`'],
  // Nothing of what follows is taken for an option: the kid is there, and the reason is not.
  ['ring taint -eX4mWq --class compromise --instance x', '--reason is missing (ERR_INPUT_INVALID)', 'give --reason'],
  ['ring taint --class planned --instance x -- --eX4mWq', '--reason is missing (ERR_INPUT_INVALID)', 'give --reason'],
  [
    'ring show -h1 --instance x',
    'the ring id has the wrong form (ERR_INPUT_INVALID)',
    '`curfew ring list` shows the ring ids',
  ],
  [
    'people import /no/such/file --instance x',
    'there is no file /no/such/file (ERR_NOT_FOUND)',
    'give the path of an existing file',
  ],
  [
    `people import ${junk} --instance x`,
    `${junk} is not JSON (ERR_INPUT_INVALID)`,
    'an import is {"workers":[{"workerId":"…","principals":[…],"exposures":[…]}]}',
  ],
])('curfew %s', async (call, message, hint) => {
  const { status, stdout, stderr } = await curfew(call);
  expect([status, stdout]).toEqual([2, '']);
  const lines = stderr.trim().split('\n');
  expect(lines[0]).toBe(`curfew: ${message}`);
  expect(lines.at(-1)).toContain(`curfew: hint: ${hint}`);
  expect(lines.every((line) => line.startsWith('curfew: '))).toBe(true);
  expect(stderr).not.toContain('W-1042');
});

test('a command that there is none of shows those there are', async () => {
  // As it is installed, and as one file.
  for (const [command, call] of [
    [CURFEW, 'ring burn'],
    [bundle, 'constructor'],
  ] as const) {
    const { status, stdout, stderr } = await runCli(command, call.split(' '), env);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('curfew ring taint KID --class compromise|planned --reason TEXT');
  }
});
