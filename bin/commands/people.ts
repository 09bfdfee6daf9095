/** `curfew people import FILE`: who has which principals and what they had custody of. */
import type { Members } from '../../lib/domain/base/encoding';
import { CurfewError } from '../../lib/domain/base/errors';
import { IMPORT_SHAPE as SHAPE } from '../../lib/domain/cases/people';
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
  const workers = workersIn(people);
  const then = 'a case that waits for one of them goes on within some 16 minutes';
  return {
    json: { imported, workers },
    text: `${counted(workers, 'worker')} imported, with ${counted(imported, 'entry', 'entries')}; ${then}`,
  };
}

function workersIn(people: object): number {
  const { workers }: Members = { ...people };
  return Array.isArray(workers) ? workers.length : 0;
}

function counted(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
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
    throw new CurfewError('ERR_INPUT_INVALID', `${file} is not JSON`, { got: file, fix: SHAPE });
  }
}
