/** `curfew people import FILE`: who has which principals and what they had custody of. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { parseCalleeError } from '../../lib/aws/callee-error';
import { calling } from '../../lib/aws/errors';
import { CurfewError } from '../../lib/domain/base/errors';
import type { Instance } from '../edge/instance';
import { type Answer, type Commands, instanceOf, readInput } from './command';

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

export async function importPeople(instance: Instance, people: unknown): Promise<Answer> {
  const invoke = new InvokeCommand({
    FunctionName: instance.output('FunctionPeopleImportName'),
    Payload: JSON.stringify(people),
  });
  const { FunctionError, Payload } = await calling('invoke people-import', () => new LambdaClient({}).send(invoke));
  const answer = JSON.parse(Buffer.from(Payload ?? []).toString() || 'null') as {
    imported?: number;
    errorMessage?: unknown;
  } | null;
  if (FunctionError) throw parseCalleeError('people-import', answer?.errorMessage);
  if (typeof answer?.imported !== 'number')
    throw new CurfewError('ERR_UNAVAILABLE', 'people-import did not answer', {
      fix: 'retry: an import may be repeated',
    });
  return { json: { imported: answer.imported }, text: `${answer.imported} entries imported` };
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What the parser says quotes the text, which names people.
    throw new CurfewError('ERR_INPUT_INVALID', `${file} is not JSON`, { got: file, fix: 'docs/hr.md shows an import' });
  }
}
