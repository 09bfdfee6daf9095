/** What `curfew ring show` says below its table of a key that is not fit: a policy not as written, a STANDBY that waits. */

import { instant } from '../../lib/domain/base/time';
import { shortKid } from '../../lib/domain/jose/jwk';
import type { PolicyState } from '../../lib/domain/rings/key-policy';
import { type Obstacle, obstacles } from '../../lib/domain/rings/obstacles';
import type { KeyRecord, Ring } from '../../lib/domain/rings/ring';
import { isClosed } from '../../lib/domain/rings/rotation';

const POLICIES: Readonly<Record<Exclude<PolicyState, 'as-written'>, string>> = {
  changed: 'is not the one written at birth: others may be able to sign',
  orphaned: 'names a deleted role: no other principal gained a right, and our roles may have lost theirs',
  granted: 'is as written, and a KMS grant exists beside it',
  unreadable: 'cannot be read any more',
};

/** Short kid and note, a row each; none where every key is as it should be. */
export function notesOf(ring: Ring, now: number): string[][] {
  return ring.keys.flatMap((key) => [
    ...policyNote(key).map((note) => [shortKid(key.kid), note]),
    ...waiting(ring, key, now).map((note) => [shortKid(key.kid), `may not sign yet: ${note}`]),
  ]);
}

/** As the rotator read it back last. */
function policyNote({ policyState = 'as-written' }: KeyRecord): string[] {
  return policyState === 'as-written' ? [] : [`policy ${policyState}: it ${POLICIES[policyState]}`];
}

/** Why a STANDBY could not take over now; nothing of a key that never will, or of a ring that is closed. */
export function waiting(ring: Ring, key: KeyRecord, now: number): string[] {
  if (key.state !== 'STANDBY' || isClosed(ring)) return [];
  return obstacles(ring, key, now).map(inWords);
}

function inWords(obstacle: Obstacle): string {
  switch (obstacle.is) {
    case 'state':
      return `it is ${obstacle.state}`;
    case 'policy':
      return `its policy is ${obstacle.policyState}`;
    case 'expired':
      return `its policy let it sign until ${instant(obstacle.signUntil)}`;
    case 'disabling':
      return 'it is being disabled in KMS';
    case 'resting':
      return `it was prepared and not activated; it waits until ${instant(obstacle.until)}`;
    case 'unconfirmed':
      return 'it was never seen in the JWKS';
    case 'young':
      return `published since ${instant(obstacle.confirmedAt)}, it may be unknown to a verifier until ${instant(obstacle.until)}`;
  }
}
