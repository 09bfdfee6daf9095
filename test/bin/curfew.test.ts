/** The command as a person calls it, wrongly: one clear error with its code and a hint, exit code 2, nothing on standard output. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

jest.setTimeout(30_000);
const CURFEW = resolve(__dirname, '..', '..', 'bin', 'curfew');
const dir = mkdtempSync(join(tmpdir(), 'curfew-cli-'));
const junk = join(dir, 'people.json');
writeFileSync(junk, '{"workers": [{"workerId": "W-1042"');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

// Nothing here may get as far as to ask AWS: there is none at this address.
const env = { ...process.env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_REGION: 'us-east-1' };

function curfew(call: string): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, [CURFEW, ...call.split(' ')], { env });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => {
      said.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      said.stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (status) => done({ status, ...said }));
  });
}

test.each([
  ['ring taint abc --class compromise --instance x', '--reason is missing (ERR_INPUT_INVALID)', 'give --reason'],
  [
    'ring taint abc --reason x --instance x',
    'the class of a taint decides how far it goes (ERR_INPUT_INVALID)',
    'compromise if the key could have been copied',
  ],
  [
    'ring taint abc --class rotten --reason x --instance x',
    'the class of a taint decides how far it goes (ERR_INPUT_INVALID)',
    'compromise if',
  ],
  [
    'ring taint customer-api abc --class planned --reason x',
    'the command has other arguments (ERR_INPUT_INVALID)',
    'curfew ring taint KID',
  ],
  ['ring rotate customer-api --instance x', '--reason is missing (ERR_INPUT_INVALID)', 'give --reason'],
  ['ring halt customer-api --instance x', '--reason is missing (ERR_INPUT_INVALID)', 'give --reason'],
  [
    'ring resume Customer --reason x --instance x',
    'that is no ring id (ERR_INPUT_INVALID)',
    '`curfew ring list` has them',
  ],
  ['ring show ../HEAD --instance x', 'that is no ring id (ERR_INPUT_INVALID)', '`curfew ring list` has them'],
  ['ring list', '--instance is missing (ERR_INPUT_INVALID)', 'give --instance'],
  ['doctor', '--instance is missing (ERR_INPUT_INVALID)', 'give --instance'],
  ['ring list --watch', 'an option is not one of this command (ERR_INPUT_INVALID)', 'see `curfew --help`'],
  [
    'people import /no/such/file --instance x',
    'there is no file /no/such/file (ERR_NOT_FOUND)',
    'name one that is there',
  ],
  [`people import ${junk} --instance x`, `${junk} is not JSON (ERR_INPUT_INVALID)`, 'docs/hr.md shows an import'],
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
  for (const call of ['ring burn', 'constructor']) {
    const { status, stdout, stderr } = await curfew(call);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('curfew ring taint KID --class compromise|planned --reason TEXT');
  }
});
