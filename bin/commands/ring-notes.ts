/** What `curfew ring show` says below its table of a key that is not fit: a policy not as written, a STANDBY that waits. */

import { instant } from '../../lib/domain/base/time';
import { shortKid } from '../../lib/domain/jose/jwk';
import type { PolicyState } from '../../lib/domain/rings/key-policy';
import type { KeyRecord, Ring } from '../../lib/domain/rings/ring';
import { isClosed, mayActivate, RESTS_FOR } from '../../lib/domain/rings/rotation';

const POLICIES: Readonly<Record<Exclude<PolicyState, 'as-written'>, string>> = {
  changed: 'is not the one written at birth: others may be able to sign',
  orphaned: 'names a role that was deleted: nobody got a right, and ours may have lost theirs',
  granted: 'is as written, and somebody has a KMS grant beside it',
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

/** Why a STANDBY could not take over now: every reason of `mayActivate` that can be said of it. */
export function waiting(ring: Ring, key: KeyRecord, now: number): string[] {
  if (key.state !== 'STANDBY' || isClosed(ring) || mayActivate(ring, key, now)) return [];
  const { confirmedAt, disabledAt, kmsState, policyState = 'as-written', signUntil } = key;
  const reasons: string[] = [];
  if (policyState !== 'as-written') reasons.push(`its policy is ${policyState}`);
  if (now >= signUntil) reasons.push(`its policy let it sign until ${instant(signUntil)}`);
  if (kmsState === 'Disabling') reasons.push('it is being disabled in KMS');
  if (disabledAt !== undefined && now < disabledAt + RESTS_FOR)
    reasons.push(`it was made ready and given up, and rests until ${instant(disabledAt + RESTS_FOR)}`);
  if (confirmedAt === undefined) reasons.push('it was never seen in the JWKS');
  else {
    const seenBy = confirmedAt + ring.cfg.propagationSeconds + ring.cfg.cacheSeconds;
    if (ring.activations > 0 && now < seenBy)
      reasons.push(`published since ${instant(confirmedAt)}, it may be unknown to a verifier until ${instant(seenBy)}`);
  }
  return reasons;
}
