/** Which key a person means: by its kid, whole or abbreviated to what no other key of the instance begins with. */
import { CurfewError } from '../../lib/domain/base/errors';
import { KID_PATTERN } from '../../lib/domain/jose/jwk';
import type { KeyRecord, Ring } from '../../lib/domain/rings/ring';
import { findRing, listRings } from '../../lib/work/rings/load-ring';
import type { CommandPorts } from './command';

/** Of 64 letters each: among a thousand keys two begin alike in one instance of 130,000. */
export const KID_CHARACTERS_MIN = 6;

/** Ports of the commands that take a kid. */
type KidReader = Pick<CommandPorts<'ring taint'>, 'tables'>;

interface KeyOfRing {
  readonly ring: Ring;
  readonly key: KeyRecord;
}

/** A whole kid is of one ring only, and of nothing else, be it the beginning of another or shorter than an abbreviation. */
export async function findKeyByKid(given: string, deps: KidReader): Promise<KeyOfRing> {
  const keys = KID_PATTERN.test(given) ? await allKeys(deps) : [];
  const whole = keys.find(({ key }) => key.kid === given);
  if (whole) return whole;
  if (KID_PATTERN.test(given) && given.length < KID_CHARACTERS_MIN) throw tooShort(given);
  const [found, ...others] = keys.filter(({ key }) => key.kid.startsWith(given));
  if (found && others.length === 0) return found;
  if (found) throw ambiguous(given, [found, ...others]);
  throw new CurfewError('ERR_NOT_FOUND', 'no ring has a key with this kid', {
    got: given,
    fix: `give the kid as \`curfew ring show RING\` has it, whole or its first ${KID_CHARACTERS_MIN} characters or more`,
  });
}

async function allKeys(deps: KidReader): Promise<KeyOfRing[]> {
  const rings = await Promise.all((await listRings(deps)).map(({ id }) => findRing(deps, id)));
  return rings.flatMap((ring) => (ring ? ring.keys.map((key) => ({ ring, key })) : []));
}

function tooShort(given: string): CurfewError {
  return new CurfewError('ERR_INPUT_INVALID', `the short kid has fewer than ${KID_CHARACTERS_MIN} characters`, {
    got: given,
    allowed: `the kid whole, or its first ${KID_CHARACTERS_MIN} characters or more`,
    fix: `give ${KID_CHARACTERS_MIN - given.length} more, as \`curfew ring show RING\` has them`,
  });
}

function ambiguous(given: string, candidates: readonly KeyOfRing[]): CurfewError {
  return new CurfewError('ERR_INPUT_INVALID', `${candidates.length} keys have a kid that begins so`, {
    got: given,
    allowed: candidates.map(({ ring, key }) => `${key.kid} (${key.state} in ring ${ring.id})`).sort(),
    fix: 'give more characters of the kid',
  });
}
