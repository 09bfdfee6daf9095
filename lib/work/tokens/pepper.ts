/** The pepper that blinds subjects: the newest value, the same for everybody who writes or asks. */
import { CurfewError } from '../../domain/base/errors';
import type { Secrets } from '../../ports';

export async function pepperOf({ secrets }: { readonly secrets: Secrets }): Promise<string> {
  const [pepper] = await secrets.values('pepper');
  if (pepper) return pepper;
  throw new CurfewError('ERR_CONFIG_INVALID', 'there is no pepper', { fix: 'it is made by the signing stack' });
}
