/** `curfew adopt record RING FILE`: one compact token a line goes into the ledger, under the caller's right to invoke. */
import { progress } from '../edge/terminal';
import { type Answer, type CommandPorts, type Commands, instanceOf, type Progress, readInput } from './command';

const TOKENS_PER_CALL = 50;

export const ADOPT_COMMANDS = {
  'adopt record': {
    usage: 'RING FILE',
    says: 'put outstanding tokens of a legacy key into the ledger, one a line',
    takes: 2,
    run: async ([ring = '', file = ''], options) => {
      const lines = readInput(file);
      return adoptRecord(await instanceOf(options), ring, lines, progress);
    },
  },
} as const satisfies Commands;

export async function adoptRecord(
  { functions }: Pick<CommandPorts<'adopt record'>, 'functions'>,
  ring: string,
  lines: string,
  progress: Progress,
): Promise<Answer> {
  const tokens = lines
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  let recorded = 0;
  const refused: { line: number; code: string }[] = [];
  for (let at = 0; at < tokens.length; at += TOKENS_PER_CALL) {
    const answer = await functions.invoke('recorder', { ring, tokens: tokens.slice(at, at + TOKENS_PER_CALL) });
    recorded += answer.recorded;
    refused.push(...answer.refused.map(({ n, code }) => ({ line: at + n + 1, code })));
    progress(`${recorded} of ${tokens.length} recorded`);
  }
  const text = [
    `${recorded} recorded, ${refused.length} refused`,
    ...refused.map(({ line, code }) => `line ${line}: ${code}`),
  ].join('\n');
  return { json: { recorded, refused }, text, exitCode: refused.length === 0 ? 0 : 1 };
}
