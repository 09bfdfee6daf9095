/** `curfew people import FILE`: who has which principals and what they had custody of. */
import type { Members } from '../../lib/domain/base/encoding';
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
  { signed }: Pick<CommandPorts<'people import'>, 'signed'>,
  people: object,
): Promise<Answer> {
  let imported = 0;
  // A part is a request of a second or two; stopped between two of them, the same file imports the same rows again.
  for (const part of partsOf(people)) imported += Number((await signed.post('/people', part)).imported);
  return { json: { imported }, text: `${imported} entries imported` };
}

/** Workers in one request: the API waits for half a minute. */
const WORKERS_AT_ONCE = 25;

/** What is no list of workers goes as it is, for the Lambda to say what is wrong with it. */
function partsOf(people: object): readonly object[] {
  const { workers, ...rest }: Members = { ...people };
  if (!Array.isArray(workers) || workers.length <= WORKERS_AT_ONCE) return [people];
  return Array.from({ length: Math.ceil(workers.length / WORKERS_AT_ONCE) }, (_, n) => ({
    ...rest,
    workers: workers.slice(n * WORKERS_AT_ONCE, (n + 1) * WORKERS_AT_ONCE),
  }));
}

function parseJson(file: string, text: string): object {
  try {
    const people: unknown = JSON.parse(text);
    return Object(people);
  } catch {
    // What the parser says quotes the text, which names people.
    throw new CurfewError('ERR_INPUT_INVALID', `${file} is not JSON`, { got: file, fix: 'docs/hr.md shows an import' });
  }
}
