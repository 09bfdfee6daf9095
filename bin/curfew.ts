/** The `curfew` command: a table of commands, each with what it needs; everything it does stands in bin/commands. */
import { parseArgs } from 'node:util';
import { CurfewError } from '../lib/domain/errors';
import { adoptRecord } from './commands/adopt';
import { listDue, showCase } from './commands/case';
import { exportBundle, verifyBundle } from './commands/evidence';
import { importPeople } from './commands/people';
import { writeReport } from './commands/report';
import { endKey, showRing } from './commands/ring';
import { verifierConfig } from './commands/verifier';
import { Instance } from './instance';
import { fail, progress } from './terminal';

interface Answer {
  readonly json: unknown;
  readonly text: string;
  readonly exitCode?: number;
}
type Options = Readonly<Record<string, string | boolean | undefined>>;

interface Command {
  readonly usage: string;
  readonly says: string;
  /** Number of positional arguments after the words of the command. */
  readonly takes: number;
  readonly run: (args: readonly string[], options: Options) => Promise<Answer>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  'ring show': {
    usage: 'RING',
    says: 'states of every key, what KMS and the JWKS say, what happens next',
    takes: 1,
    run: async ([ring = ''], options) => showRing(await instance(options), ring),
  },
  'ring taint': {
    usage: 'RING KID --class compromise|planned --reason TEXT',
    says: 'end a key now: taint, re-sign what the ledger holds, deny, disable',
    takes: 2,
    run: async ([ring = '', kid = ''], options) => {
      const taintClass = options.class;
      if (taintClass !== 'compromise' && taintClass !== 'planned')
        throw new CurfewError('ERR_INPUT_INVALID', 'the class of a taint decides how far it goes', {
          got: taintClass,
          allowed: ['compromise', 'planned'],
        });
      const ended = await endKey(
        await instance(options),
        { ring, kid, class: taintClass, reason: text(options, 'reason') },
        progress,
      );
      return {
        json: ended,
        text: `${ended.kid} ${ended.state}, ${ended.resigned} tokens re-signed`,
        exitCode: ended.state === 'DENIED' ? 0 : 1,
      };
    },
  },
  'case show': {
    usage: 'CASE',
    says: 'where a departure stands, item by item',
    takes: 1,
    run: async ([id = ''], options) => showCase(await instance(options), id),
  },
  'case due': {
    usage: '',
    says: 'cases that wait for their date',
    takes: 0,
    run: async (_, options) => listDue(await instance(options)),
  },
  'people import': {
    usage: 'FILE',
    says: 'who has which principals and what they had custody of (JSON)',
    takes: 1,
    run: async ([file = ''], options) => importPeople(await instance(options), file),
  },
  'adopt record': {
    usage: 'RING FILE',
    says: 'put outstanding tokens of a legacy key into the ledger, one a line',
    takes: 2,
    run: async ([ring = '', file = ''], options) => adoptRecord(await instance(options), ring, file, progress),
  },
  'verifier config': {
    usage: 'RING',
    says: 'what a service needs to verify tokens of the ring; it holds a secret',
    takes: 1,
    run: async ([ring = ''], options) => {
      const config = await verifierConfig(await instance(options), ring);
      return { json: config, text: JSON.stringify(config, undefined, 2) };
    },
  },
  'evidence export': {
    usage: 'DIR --case CASE',
    says: 'copy the log and what a case needs of it',
    takes: 1,
    run: async ([dir = ''], options) => {
      const exported = await exportBundle({ case: text(options, 'case'), dir }, await instance(options));
      return { json: exported, text: `${exported.size} records of ${exported.origin} in ${exported.files} files` };
    },
  },
  'evidence verify': {
    usage: 'DIR [--vkey KEY] [--earlier FILE]',
    says: 'verify a bundle offline; the exit code is the verdict',
    takes: 1,
    run: async ([dir = ''], options) => {
      const {
        verdict,
        text: said,
        exitCode,
      } = verifyBundle(dir, { vkey: optional(options, 'vkey'), earlier: optional(options, 'earlier') });
      const { records: _records, ...json } = verdict;
      return { json, text: said, exitCode };
    },
  },
  'evidence report': {
    usage: 'DIR [--out FILE] [--summary FILE] [--vkey KEY]',
    says: 'one HTML page that a non-engineer can read',
    takes: 1,
    run: async ([dir = ''], options) => {
      const out = optional(options, 'out') ?? 'report.html';
      const written = writeReport({ dir, out, summary: optional(options, 'summary'), vkey: optional(options, 'vkey') });
      return { json: written, text: `wrote ${out}`, exitCode: written.exitCode };
    },
  },
};

const OPTIONS = {
  instance: { type: 'string' },
  json: { type: 'boolean' },
  class: { type: 'string' },
  reason: { type: 'string' },
  case: { type: 'string' },
  vkey: { type: 'string' },
  earlier: { type: 'string' },
  out: { type: 'string' },
  summary: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

function usage(): string {
  const lines = Object.entries(COMMANDS).map(
    ([name, { usage: takes, says }]) => `  curfew ${`${name} ${takes}`.padEnd(58)} ${says}`,
  );
  return ['usage: curfew COMMAND [--instance NAME] [--json]', '', ...lines, ''].join('\n');
}

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  const command = COMMANDS[positionals.slice(0, 2).join(' ')];
  if (values.help || !command) {
    process.stderr.write(usage());
    return values.help ? 0 : 2;
  }
  const args = positionals.slice(2);
  if (args.length !== command.takes)
    throw new CurfewError('ERR_INPUT_INVALID', 'the command has other arguments', {
      got: args.length,
      allowed: command.usage || 'none',
    });
  const { json, text: said, exitCode = 0 } = await command.run(args, values);
  process.stdout.write(values.json ? `${JSON.stringify(json)}\n` : `${said}\n`);
  return exitCode;
}

function instance(options: Options): Promise<Instance> {
  return Instance.find(text(options, 'instance'));
}

function text(options: Options, name: string): string {
  const value = optional(options, name);
  if (value) return value;
  throw new CurfewError('ERR_INPUT_INVALID', `--${name} is missing`, { fix: `give --${name}` });
}

function optional(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
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
