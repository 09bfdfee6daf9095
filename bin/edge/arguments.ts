/**
 * What a command was called with. Options are those of the table and no others. Everything else is an argument, also if
 * it begins with a dash, as one kid in 64 does; after `--` everything is.
 *
 *     curfew ring taint -eX4mWq --class planned --reason CHG-7 --instance example
 */
import { CurfewError } from '../../lib/domain/base/errors';

const OPTIONS = {
  instance: 'text',
  json: 'flag',
  class: 'text',
  reason: 'text',
  case: 'text',
  vkey: 'text',
  earlier: 'text',
  out: 'text',
  summary: 'text',
  worker: 'text',
  subject: 'text',
  item: 'text',
  until: 'text',
  open: 'flag',
  held: 'flag',
  waiting: 'flag',
  follow: 'flag',
  direct: 'flag',
  help: 'flag',
} as const;
type OptionName = keyof typeof OPTIONS;

/** A thumbprint (RFC 7638) that begins with two dashes, one in 4096. No option is as long. */
const KID_LIKE_AN_OPTION = /^--[A-Za-z0-9_-]{41}$/;

interface Arguments {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

export function parseArguments(argv: readonly string[]): Arguments {
  const values: Record<string, string | boolean> = {};
  const positionals: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const given = argv[at] as string;
    if (given === '--') return { values, positionals: [...positionals, ...argv.slice(at + 1)] };
    const option = optionOf(given);
    if (option === undefined) {
      positionals.push(given);
      continue;
    }
    const { name, value } = option;
    if (OPTIONS[name] === 'flag') values[name] = flag(name, value);
    else values[name] = value ?? textAfter(name, argv[++at]);
  }
  return { values, positionals };
}

/** Undefined for an argument. There is one option of one dash, and it stands alone. */
function optionOf(given: string): { readonly name: OptionName; readonly value?: string } | undefined {
  if (given === '-h') return { name: 'help' };
  if (!given.startsWith('--')) return undefined;
  const [name = ''] = given.slice(2).split('=', 1);
  const value = given.includes('=') ? given.slice(given.indexOf('=') + 1) : undefined;
  if (isOption(name)) return { name, value };
  if (KID_LIKE_AN_OPTION.test(given)) return undefined;
  throw new CurfewError('ERR_INPUT_INVALID', 'this command has no such option', {
    got: `--${name}`,
    allowed: Object.keys(OPTIONS).map((option) => `--${option}`),
    fix: 'see `curfew --help`; put a separate -- before an argument that begins with --',
  });
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

function flag(name: OptionName, value: string | undefined): true {
  if (value === undefined) return true;
  throw new CurfewError('ERR_INPUT_INVALID', `--${name} takes no value`, { got: value, fix: `give --${name} alone` });
}

/** A text may begin with a dash; but what is an option's name is the next option, and this one was left empty. */
function textAfter(name: OptionName, next: string | undefined): string {
  if (next !== undefined && next !== '--' && !(next.startsWith('--') && isOption(next.slice(2).split('=', 1)[0] ?? '')))
    return next;
  throw new CurfewError('ERR_INPUT_INVALID', `--${name} has no value`, {
    got: next ?? 'nothing after it',
    fix: `give --${name} TEXT, or --${name}=TEXT if the text begins with --`,
  });
}
