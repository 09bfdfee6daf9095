/** `curfew COMMAND --help`: what it takes, its options, and a call that could be typed. Made from the usage of the command. */
import { COMMAND_RIGHTS, type CommandName } from '../../lib/domain/deployment/access';
import type { Command } from './command';

/** What each word of a usage stands for, and one that could be given. */
const WORDS: Readonly<Record<string, readonly [says: string, example: string]>> = {
  CASE: ['id of a case, whole; of one that is not over, c- and its next 6 characters or more', 'c-Xb41kQ'],
  DATE: ['a day, which ends in UTC', '2027-02-26'],
  DIR: ['a folder', './bundle'],
  FILE: ['a file', './file.json'],
  ID: ['worker id, as HR has it', 'W-1042'],
  KEY: ['the verifier key of the log, as you were given it', 'example.com/log+…'],
  KID: ['kid of a key, whole or its first 6 characters or more', 'kZ7-_q3V'],
  NN: ['numbers of items, as `case show` has them: 05 or 05,06', '05'],
  RING: ['id of a ring', 'customer-api'],
  'RING/SUB': ['a ring, and a subject in it as it was imported', 'customer-api/mallory'],
  TEXT: ['a ticket, never a person: it stands in evidence', 'CHG-7'],
  WORKER: ['worker id, as HR has it', 'W-1042'],
};
/** Options that stand alone, or whose value says little. */
const OPTIONS: Readonly<Record<string, string>> = {
  '--class': 'compromise: the key could have been copied; planned: somebody who could use it has left',
  '--direct': 'the CLI takes the steps itself, where Step Functions does not answer',
  '--earlier': 'a checkpoint that was kept from before: the log must extend it',
  '--follow': 'show it again whenever it changes, until it is over',
  '--held': 'those alone that wait for people',
  '--open': 'those that are not over, which is what it shows anyway',
  '--out': 'where the page is written',
  '--summary': 'the summary of the run that made the bundle',
  '--waiting': 'those alone whose worker no import names',
};
const INSTANCE = ['--instance NAME', 'the deployment, as its configuration names it'] as const;
const JSON_TOO = ['--json', 'print the answer as JSON'] as const;

export function helpOf(name: CommandName, { usage, says }: Command): string {
  // Brackets within a word say that it may be repeated.
  const once = usage.replaceAll(/(?<=\S)\[[^\]]*\]/g, '');
  const words = once.split(/[\s[\]]+|(?<=\s)\|(?=\s)/).filter((word) => word !== '' && word !== '|');
  const isOption = (word: string | undefined) => word?.startsWith('--') === true;
  const takes = words.filter((word, n) => !isOption(word) && !isOption(words[n - 1]));
  const options = words.flatMap((word, n) => {
    const value = words[n + 1];
    const hasValue = value !== undefined && !isOption(value) && !takes.includes(value);
    return isOption(word)
      ? [[hasValue ? `${word} ${value}` : word, OPTIONS[word] ?? WORDS[value ?? '']?.[0] ?? ''] as const]
      : [];
  });
  const needed = once.replaceAll(/\[[^\]]*\]/g, '').trim();
  const example = needed.split(/\s+/).map((word) => WORDS[word]?.[1] ?? word.split('|')[0]);
  // A command without rights works offline: it asks no deployment.
  const isOffline = COMMAND_RIGHTS[name].length === 0;
  const general = isOffline ? [JSON_TOO] : [INSTANCE, JSON_TOO];
  const rows = [...takes.map((word) => [word, WORDS[word]?.[0] ?? ''] as const), ...options, ...general];
  const width = Math.max(...rows.map(([word]) => word.length));
  return [
    `usage: curfew ${name} ${usage}`.trim(),
    '',
    says,
    '',
    ...rows.map(([word, what]) => `  ${word.padEnd(width)}  ${what}`.trimEnd()),
    '',
    `example: curfew ${[name, ...example, ...(isOffline ? [] : ['--instance example'])].filter((word) => word !== '').join(' ')}`,
    '',
  ].join('\n');
}
