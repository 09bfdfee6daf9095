/** `curfew people import FILE`: who has which principals and what they had custody of. */
import { readFileSync } from 'node:fs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { parseCalleeError } from '../../lib/aws/callee-error';
import { CurfewError } from '../../lib/domain/errors';
import type { Instance } from '../instance';

export async function importPeople(instance: Instance, file: string) {
  const invoke = new InvokeCommand({
    FunctionName: instance.output('FunctionPeopleImportName'),
    Payload: readFileSync(file),
  });
  const { FunctionError, Payload } = await new LambdaClient({}).send(invoke);
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
