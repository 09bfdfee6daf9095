/** Which case a person means: by its id, whole, or abbreviated to what no other case that is not over begins with. */
import { CurfewError } from '../../lib/domain/base/errors';
import { parseCaseId } from '../../lib/domain/cases/case';
import { CASE, DUE_MARKER } from '../../lib/domain/store/case';
import type { Tables } from '../../lib/ports';

/** After `c-`. Of 64 letters each, as those of a kid. */
export const CASE_CHARACTERS_MIN = 6;
const WHOLE_CHARACTERS = 22;

type CaseReader = { readonly tables: Pick<Tables<'cases:get' | 'cases:query'>, 'get' | 'query'> };

/**
 * A whole id names one case. A short one is looked up among the cases that are not over, which have a due marker: no index has
 * the others, and a scan would show everybody who leaves, and when.
 */
export async function findCaseId(given: string, { tables }: CaseReader): Promise<string> {
  const caseId = parseCaseId(given);
  const characters = caseId.length - 'c-'.length;
  if (characters >= WHOLE_CHARACTERS || (await tables.get(CASE, caseId)) !== undefined) return caseId;
  if (characters < CASE_CHARACTERS_MIN)
    throw new CurfewError(
      'ERR_INPUT_INVALID',
      `the short case id has fewer than ${CASE_CHARACTERS_MIN} characters after c-`,
      {
        got: given,
        allowed: `the id whole, or c- and its next ${CASE_CHARACTERS_MIN} characters or more`,
        fix: 'take it from `curfew case list`',
      },
    );
  const ids = new Set((await tables.query(DUE_MARKER.in())).map((marker) => marker.caseId));
  const [found, ...others] = [...ids].filter((id) => id.startsWith(caseId)).sort();
  if (found !== undefined && others.length === 0) return found;
  if (found !== undefined)
    throw new CurfewError('ERR_INPUT_INVALID', `${others.length + 1} cases have an id that begins so`, {
      got: given,
      allowed: [found, ...others],
      fix: 'give more characters of the id',
    });
  throw new CurfewError('ERR_NOT_FOUND', 'no case that is not over has an id that begins so', {
    got: given,
    fix: 'see `curfew case list`; a case that is sealed needs its whole id',
  });
}
