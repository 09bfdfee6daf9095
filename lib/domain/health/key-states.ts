/** What `curfew doctor` makes of the state that KMS has for one key of a ring: may it be so, for how long yet, and what is said of it. */

import { span } from '../base/time';
import { shortKid } from '../jose/jwk';
import type { KeyRecord, Ring } from '../rings/ring';
import { PREPARED_FOR } from '../rings/rotation';

/** A rotator asks at least each hour (SigningKeyRing): what is due for longer is not being done. */
export const TICK_SECONDS_MAX = 3600;

interface JudgedKey {
  /** `late`: it must not be so, and the next tick ends it. */
  readonly is: 'right' | 'late' | 'wrong';
  /** Absent where there is nothing to name: a key that cannot sign, and must not. */
  readonly says?: string;
}

/** `found` is KMS's own word for the state of the key. */
export function judgeKey(found: string, key: KeyRecord, ring: Ring, at: number): JudgedKey {
  const name = `${shortKid(key.kid)} (${key.state})`;
  if (key.kid === ring.activeKid) return { is: found === 'Enabled' ? 'right' : 'wrong', says: `${name} is ${found}` };
  if (found === 'Disabled') return { is: 'right' };
  // No operation needs a key back that is over.
  if (found !== 'Enabled') return isOver(key) ? { is: 'right' } : { is: 'wrong', says: `${name} is ${found}` };
  // The key could be in other hands: each second counts, and no drain is worth one.
  if (isCompromised(key)) return { is: 'wrong', says: `${name} is still Enabled, the next tick disables it` };
  return judgeEnabled(name, key, ring, at);
}

/** Another key than the ACTIVE one signs for a while when it leaves that state, and before it enters it. */
function judgeEnabled(name: string, key: KeyRecord, { cfg }: Ring, at: number): JudgedKey {
  const isStandby = key.state === 'STANDBY';
  const since = isStandby ? key.preparedAt : key.deactivatedAt;
  if (since === undefined) return { is: 'wrong', says: `${name} is Enabled` };
  const until = since + (isStandby ? PREPARED_FOR : cfg.drainSeconds);
  const what = isStandby ? 'its activation' : 'its drain';
  if (at <= until) return { is: 'right', says: `${name} is Enabled, for ${what}` };
  const late = `${name} is still Enabled, ${span(at - until)} after the time for ${what}`;
  if (at <= until + TICK_SECONDS_MAX) return { is: 'late', says: `${late}; the next tick disables it` };
  return { is: 'wrong', says: late };
}

/** Of such a key only one thing matters: that it cannot sign. */
export function isOver({ state }: KeyRecord): boolean {
  return state === 'RETIRED' || state === 'DENIED';
}

/** Tainted because it could have been copied. */
export function isCompromised({ state, taint }: KeyRecord): boolean {
  return (state === 'SUSPECT' || state === 'DENIED') && taint?.class === 'compromise';
}
