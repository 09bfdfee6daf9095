import fc from 'fast-check';
import { parseArguments } from '../../../bin/edge/arguments';

const parse = (line: string) => parseArguments(line.split(' '));
const DASHED = `--${'x'.repeat(41)}`;

test.each<[string, Record<string, unknown>, string[]]>([
  ['ring list --instance x --json', { instance: 'x', json: true }, ['ring', 'list']],
  ['--instance=x ring list', { instance: 'x' }, ['ring', 'list']],
  ['ring taint -eX4mW --class planned', { class: 'planned' }, ['ring', 'taint', '-eX4mW']],
  ['ring taint --class planned -h1', { class: 'planned' }, ['ring', 'taint', '-h1']],
  ['ring taint -', {}, ['ring', 'taint', '-']],
  // A whole thumbprint may begin with two dashes; an abbreviation of it stands after a -- of its own.
  [`ring taint ${DASHED} --reason x`, { reason: 'x' }, ['ring', 'taint', DASHED]],
  ['ring taint --reason x -- --eX4mW', { reason: 'x' }, ['ring', 'taint', '--eX4mW']],
  ['ring taint -- --reason -- x', {}, ['ring', 'taint', '--reason', '--', 'x']],
  // What an option takes may begin with dashes as well.
  ['evidence export out --case -c1', { case: '-c1' }, ['evidence', 'export', 'out']],
  ['case show --case=--json -c1', { case: '--json' }, ['case', 'show', '-c1']],
  ['x --reason --eX4=1', { reason: '--eX4=1' }, ['x']],
  ['x --reason=a=b', { reason: 'a=b' }, ['x']],
  ['x --reason=', { reason: '' }, ['x']],
  ['x --reason a --reason b', { reason: 'b' }, ['x']],
  ['-h', { help: true }, []],
  ['ring --help', { help: true }, ['ring']],
])('%s', (line, values, positionals) => {
  expect(parse(line)).toEqual({ values, positionals });
});

test('every thumbprint is an argument, and so is every abbreviation that has no two dashes before it', () => {
  const kids = fc
    .tuple(fc.constantFrom('', '-', '--'), fc.stringMatching(/^[A-Za-z0-9_-]{43}$/))
    .map(([begins, rest]) => (begins + rest).slice(0, 43));
  fc.assert(
    fc.property(kids, fc.integer({ min: 6, max: 43 }), (kid, length) => {
      const given = kid.startsWith('--') ? kid : kid.slice(0, length);
      const { values, positionals } = parseArguments(['ring', 'taint', given, '--class', 'planned']);
      expect([values, positionals]).toEqual([{ class: 'planned' }, ['ring', 'taint', given]]);
    }),
  );
});

test.each(['--watch', '--constructor', '--Instance', `${DASHED}x`, '--a=b'])('%s is no option of ours', (odd) => {
  expect(() => parse(`ring list ${odd} x`)).toThrow(
    expect.objectContaining({
      code: 'ERR_INPUT_INVALID',
      message: 'this command has no such option',
      got: odd.split('=')[0],
      allowed: expect.arrayContaining(['--instance', '--json']),
      fix: expect.stringContaining('see `curfew --help`'),
    }),
  );
});

test.each(['--reason', '--reason --class planned', '--reason --class=planned', '--reason --json', '--reason -- x'])(
  '%s: an option that was left empty does not swallow the next one',
  (line) => {
    expect(() => parse(`ring taint ${line}`)).toThrow(
      expect.objectContaining({
        code: 'ERR_INPUT_INVALID',
        message: '--reason has no value',
        got: line.split(' ')[1] ?? 'nothing after it',
        fix: 'give --reason TEXT, or --reason=TEXT if the text begins with --',
      }),
    );
  },
);

test('a flag takes no value', () => {
  expect(() => parse('ring list --json=no')).toThrow(
    expect.objectContaining({ code: 'ERR_INPUT_INVALID', message: '--json takes no value', got: 'no' }),
  );
});
