/** `curfew people import FILE`: who has which principals and what they had custody of. */
import { CurfewError } from '../../lib/domain/base/errors';
import { type Answer, type CommandPorts, type Commands, instanceOf, readInput } from './command';

export const PEOPLE_COMMANDS = {
  'people import': {
    usage: 'FILE',
    says: 'who has which principals and what they had custody of (JSON)',
    takes: 1,
    run: async ([file = ''], options) => {
      const people = parseJson(file, readInput(file));
      return importPeople(await instanceOf(options), people);
    },
  },
} as const satisfies Commands;

export async function importPeople(
  { functions }: Pick<CommandPorts<'people import'>, 'functions'>,
  people: unknown,
): Promise<Answer> {
  const { imported } = await functions.invoke('people-import', people);
  return { json: { imported }, text: `${imported} entries imported` };
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What the parser says quotes the text, which names people.
    throw new CurfewError('ERR_INPUT_INVALID', `${file} is not JSON`, { got: file, fix: 'docs/hr.md shows an import' });
  }
}
