/** What a command is: its usage, and what it does with what it was given. `index.ts` has them all. */
import { existsSync, readFileSync } from 'node:fs';
import { CurfewError } from '../../lib/domain/base/errors';
import type { CommandName, RightsOfCommand } from '../../lib/domain/deployment/access';
import type { Right } from '../../lib/domain/deployment/rights';
import type { PortsFor } from '../../lib/ports';
import { Instance } from '../edge/instance';
import type { SignedRequests } from '../edge/signed-requests';

export interface Answer {
  /** What `--json` prints. */
  readonly json: unknown;
  readonly text: string;
  /** @default 0 */
  readonly exitCode?: number;
}

export type Options = Readonly<Record<string, string | boolean | undefined>>;

export interface Command {
  readonly usage: string;
  readonly says: string;
  /** Number of positional arguments after the words of the command. */
  readonly takes: number;
  readonly run: (args: readonly string[], options: Options) => Promise<Answer>;
}

/** Commands by name; the names are those whose rights `lib/domain/deployment/access.ts` knows. */
export type Commands = { readonly [C in CommandName]?: Command };

/** The ports that a command may use: what its row of rights opens, the routes that ask who signed, and the time. */
export type CommandPorts<C extends CommandName> = Omit<
  PortsFor<Extract<RightsOfCommand<C>, Right>>,
  'random' | 'config' | 'signer' | 'secrets'
> &
  ([Extract<RightsOfCommand<C>, `post:${string}`>] extends [never] ? unknown : { readonly signed: SignedRequests });

export type Progress = (line: string) => void;

export function instanceOf(options: Options): Promise<Instance> {
  return Instance.find(text(options, 'instance'));
}

export function text(options: Options, name: string): string {
  const value = optional(options, name);
  if (value) return value;
  throw new CurfewError('ERR_INPUT_INVALID', `--${name} is missing`, { fix: `give --${name}` });
}

export function optional(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function readInput(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8');
  throw new CurfewError('ERR_NOT_FOUND', `there is no file ${file}`, {
    got: file,
    fix: 'give the path of an existing file',
  });
}
