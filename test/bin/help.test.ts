/** `curfew COMMAND --help`: on standard output, with exit code 0, and an example that the parser takes. */
import { COMMANDS } from '../../bin/commands';
import { helpOf } from '../../bin/commands/help';
import { parseArguments } from '../../bin/edge/arguments';
import { COMMAND_RIGHTS, type CommandName } from '../../lib/domain/deployment/access';
import { CURFEW, runCli } from '../support/cli';

const names = Object.keys(COMMANDS) as CommandName[];

test.each(names)('%s: usage, every argument and option with what it is, and an example', (name) => {
  const { usage, takes } = COMMANDS[name];
  const [first, ...lines] = helpOf(name, COMMANDS[name]).split('\n');
  expect(first).toBe(`usage: curfew ${name} ${usage}`.trim());
  const rows = lines.filter((line) => line.startsWith('  ')).map((line) => line.trim().split(/ {2,}/));
  for (const row of rows) expect([row[0], row.length]).toEqual([row[0], 2]);
  const options = [...usage.matchAll(/--[a-z-]+/g)].map(([option]) => option);
  const shown = rows.map(([word = '']) => word);
  for (const option of options) expect(shown.some((word) => word.split(' ')[0] === option)).toBe(true);
  expect(shown.filter((word) => !word.startsWith('--'))).toHaveLength(takes);
  expect(shown.some((word) => word.startsWith('--instance'))).toBe(COMMAND_RIGHTS[name].length > 0);

  const example = lines.find((line) => line.startsWith('example: curfew ')) ?? '';
  const { values, positionals } = parseArguments(example.slice('example: curfew '.length).split(' '));
  expect(positionals.slice(0, name.split(' ').length).join(' ')).toBe(name);
  expect(positionals).toHaveLength(name.split(' ').length + takes);
  const needed = [...usage.replaceAll(/\[[^\]]*\]/g, '').matchAll(/--([a-z-]+)/g)].map(([, option = '']) => option);
  for (const option of needed) expect(values[option]).toEqual(expect.any(String));
});

test.each([
  ['case approve --help', /^usage: curfew case approve CASE --reason TEXT\n/],
  ['case approve c-AbCdEf --reason x -h', /^usage: curfew case approve CASE/],
  ['doctor --help', /^usage: curfew doctor\n/],
  ['--help', /^usage: curfew COMMAND/],
  ['ring burn --help', /^usage: curfew COMMAND/],
])('curfew %s', async (call, text) => {
  const { status, stdout, stderr } = await runCli(CURFEW, call.split(' '), process.env);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(text);
});
