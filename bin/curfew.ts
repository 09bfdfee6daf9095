/** The `curfew` command: finds the command, gives it what it was called with, prints its answer. The commands stand in bin/commands. */
import { CurfewError } from '../lib/domain/base/errors';
import type { CommandName } from '../lib/domain/deployment/access';
import { COMMANDS } from './commands';
import { helpOf } from './commands/help';
import { parseArguments } from './edge/arguments';
import { fail } from './edge/terminal';

function usage(): string {
  const calls = Object.entries(COMMANDS).map(([name, { usage: takes, says }]) => [`${name} ${takes}`.trim(), says]);
  const width = Math.max(...calls.map(([call = '']) => call.length));
  const lines = calls.map(([call = '', says]) => `  curfew ${call.padEnd(width)}  ${says}`);
  const more = 'curfew COMMAND --help: what one of them takes';
  return ['usage: curfew COMMAND [--instance NAME] [--json]', '', ...lines, '', more, ''].join('\n');
}

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv);
  const found = commandOf(positionals);
  if (values.help) {
    process.stdout.write(found === undefined ? usage() : helpOf(found.name, COMMANDS[found.name]));
    return 0;
  }
  if (!found) {
    process.stderr.write(usage());
    if (positionals.length > 0)
      process.stderr.write(`curfew: there is no command ${JSON.stringify(positionals.join(' '))}\n`);
    return 2;
  }
  const { name, args } = found;
  const command = COMMANDS[name];
  if (args.length !== command.takes)
    throw new CurfewError('ERR_INPUT_INVALID', 'wrong number of arguments', {
      got: args.length,
      allowed: command.takes,
      fix: `curfew ${name} ${command.usage}`.trim(),
    });
  const { json, text, exitCode = 0 } = await command.run(args, values);
  process.stdout.write(values.json ? `${JSON.stringify(json)}\n` : `${text}\n`);
  return exitCode;
}

/** Two words, or one. */
function commandOf(positionals: readonly string[]): { name: CommandName; args: readonly string[] } | undefined {
  for (const words of [2, 1]) {
    const name = positionals.slice(0, words).join(' ');
    if (Object.hasOwn(COMMANDS, name)) return { name: name as CommandName, args: positionals.slice(words) };
  }
  return undefined;
}

main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    fail(error);
    process.exitCode = 2;
  },
);
