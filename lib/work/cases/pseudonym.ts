/** A worker's only name in evidence: random, so that the worker id cannot be guessed from it, and kept in one row. */
import { base64url } from '../../domain/base/encoding';
import { CurfewError } from '../../domain/base/errors';
import { put } from '../../domain/store/entity';
import { ROW_ABSENT } from '../../domain/store/table';
import { PSEUDONYM } from '../../domain/store/worker';
import type { Random, Tables } from '../../ports';
import { tryTransact } from '../transactions';

const PSEUDONYM_BYTES = 16;

interface NamingDeps {
  readonly random: Random;
  readonly tables: Pick<Tables<'cases:get' | 'cases:put'>, 'get' | 'transact'>;
}

export async function pseudonymOf(workerId: string, { tables, random }: NamingDeps): Promise<string> {
  const fresh = base64url(random.bytes(PSEUDONYM_BYTES));
  // If we stop after this, the name is drawn and in no record yet: the next fold finds it.
  if (await tryTransact(tables, [put(PSEUDONYM, [workerId], { pseudonym: fresh }, ROW_ABSENT)])) return fresh;
  const drawn = await tables.get(PSEUDONYM, workerId);
  if (drawn) return drawn.pseudonym;
  throw new CurfewError('ERR_UNAVAILABLE', 'the pseudonym of the worker was written and cannot be read', {
    fix: 'retry',
  });
}
