/** Which key a person means: by its kid, whole or abbreviated to what no other key of the instance begins with. */
import { CurfewError } from '../../lib/domain/base/errors';
import { KID_PATTERN } from '../../lib/domain/jose/jwk';
import type { KeyRecord, Ring } from '../../lib/domain/rings/ring';
import { KID_POINTER } from '../../lib/domain/store/ring-key';
import { findRing, listRings, loadRing } from '../../lib/work/rings/load-ring';
import type { CommandPorts } from './command';

/** Of 64 letters each: among a thousand keys two begin alike in one instance of 130,000. */
export const KID_CHARACTERS_MIN = 6;

/** Ports of the commands that take a kid. */
type KidReader = Pick<CommandPorts<'ring taint'>, 'tables'>;

export interface KeyOfRing {
  readonly ring: Ring;
  readonly key: KeyRecord;
}

/** A whole kid is of one ring only, which stands under its own name; where none does, it may be the beginning of one. */
export async function findKeyByKid(given: string, deps: KidReader): Promise<KeyOfRing> {
  const pointer = KID_PATTERN.test(given) ? await deps.tables.get(KID_POINTER, given) : undefined;
  if (pointer) {
    const ring = await loadRing(deps, pointer.ring);
    const key = ring.keys.find(({ kid }) => kid === given);
    if (key) return { ring, key };
  }
  const [found, ...others] = await keysBeginningWith(given, deps);
  if (found && others.length === 0) return found;
  if (found) throw ambiguous(given, [found, ...others]);
  throw new CurfewError('ERR_NOT_FOUND', 'no ring has a key of that kid', {
    got: given,
    fix: `give the kid as \`curfew ring show RING\` has it, whole or its first ${KID_CHARACTERS_MIN} characters or more`,
  });
}

async function keysBeginningWith(given: string, deps: KidReader): Promise<KeyOfRing[]> {
  if (!KID_PATTERN.test(given)) return [];
  if (given.length < KID_CHARACTERS_MIN)
    throw new CurfewError('ERR_INPUT_INVALID', `a kid is abbreviated to ${KID_CHARACTERS_MIN} characters at least`, {
      got: given,
      allowed: `the kid whole, or its first ${KID_CHARACTERS_MIN} characters or more`,
      fix: `give ${KID_CHARACTERS_MIN - given.length} more, as \`curfew ring show RING\` has them`,
    });
  const rings = await Promise.all((await listRings(deps)).map(({ id }) => findRing(deps, id)));
  return rings.flatMap((ring) =>
    (ring?.keys ?? []).filter(({ kid }) => kid.startsWith(given)).map((key) => ({ ring: ring as Ring, key })),
  );
}

function ambiguous(given: string, candidates: readonly KeyOfRing[]): CurfewError {
  return new CurfewError('ERR_INPUT_INVALID', `${candidates.length} keys begin with that`, {
    got: given,
    allowed: candidates.map(({ ring, key }) => `${key.kid} (${key.state} in ring ${ring.id})`).sort(),
    fix: 'give as much of the kid as only one of them has',
  });
}
