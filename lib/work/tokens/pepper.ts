/** The pepper that blinds subjects: the newest value, the same for everybody who writes or asks. */
import { CurfewError } from '../../domain/base/errors';
import type { Secrets } from '../../ports';

export async function pepperOf({ secrets }: { readonly secrets: Secrets }): Promise<string> {
  const [pepper] = await secrets.values('pepper');
  if (pepper) return pepper;
  throw new CurfewError('ERR_CONFIG_INVALID', 'the pepper is missing', {
    fix: 'deploy the signing stack: it creates the pepper',
  });
}
