/** What `curfew doctor` makes of the keys of a ring as KMS has them: their states, their policies, their grants. */

import { span } from '../base/time';
import { shortKid } from '../jose/jwk';
import { type KeyPolicyInput, keyPolicy, type PolicyState, policyStateOf } from '../rings/key-policy';
import type { KeyRecord, Ring } from '../rings/ring';
import { answersOf, count, type Finding, MAY_LOOK, type Seen } from './finding';
import { isCompromised, isOver, judgeKey, TICK_SECONDS_MAX } from './key-states';

/** KMS's own word for a key that it does not have. */
export const GONE = 'NotFound';

export interface KmsKeyFacts {
  /** As DescribeKey has it, or `GONE`. */
  readonly state: Seen<string>;
  readonly policy: Seen<string>;
  /** Ids of its grants. */
  readonly grants: Seen<readonly string[]>;
}

export interface KmsFacts {
  readonly ring: Ring;
  /** Epoch seconds at which it was looked at. */
  readonly at: number;
  /** By kid, of every key that KMS was given. */
  readonly kms: Readonly<Record<string, KmsKeyFacts>>;
  readonly roles: Pick<KeyPolicyInput, 'accountId' | 'roleArns'>;
}

const NOT_LOOKED_AT = { unseen: 'not looked at' } as const;

export function diagnoseKms(facts: KmsFacts): Finding[] {
  return [states(facts), policies(facts), grants(facts)];
}

/** It waits for deletion, is gone, or cannot be used for another reason of KMS's own: it cannot sign. */
export function isUnusable({ kid }: KeyRecord, kms: KmsFacts['kms']): boolean {
  const { state } = kms[kid] ?? { state: NOT_LOOKED_AT };
  return 'seen' in state && state.seen !== 'Enabled' && state.seen !== 'Disabled';
}

/** KMS's own word for every key, the dead ones too: one key can sign, and no other. Nothing is said of a key that was not seen. */
function states({ ring, at, kms }: KmsFacts): Finding {
  const { ok, problem, unknown } = answersOf(ring.id);
  const all = ownKeys(ring);
  const looked = all.map((key) => ({ key, state: kms[key.kid]?.state ?? NOT_LOOKED_AT }));
  const judged = looked.flatMap(({ key, state }) =>
    'seen' in state ? [{ key, state: state.seen, ...judgeKey(state.seen, key, ring, at) }] : [],
  );
  const named = judged.flatMap(({ says }) => (says === undefined ? [] : [says])).join('; ');
  const wrong = judged.filter(({ is }) => is === 'wrong').map(({ key }) => key);
  if (wrong.length > 0) return problem('keys in KMS', named, fixFor(wrong, kms));
  const unseen = looked.flatMap(({ state }) => ('unseen' in state ? [state.unseen] : []));
  if (unseen.length > 0)
    return unknown('keys in KMS', `KMS did not answer for ${count(unseen.length, 'key')}: ${unseen[0]}`, MAY_LOOK);
  if (judged.some(({ is }) => is === 'late'))
    return unknown('keys in KMS', named, `ask again when a tick has run, within ${span(TICK_SECONDS_MAX)}`);
  const others = byState(judged.filter(({ says }) => says === undefined).map(({ state }) => state));
  if (named === '') return ok('keys in KMS', `no key is Enabled: ${others || 'there is none'}`);
  return ok('keys in KMS', others === '' ? `${named}; there is no other` : `${named}; the others: ${others}`);
}

/** Each state as KMS has it, and how many keys are in it. */
function byState(states: readonly string[]): string {
  return [...new Set(states)]
    .sort()
    .map((state) => `${states.filter((one) => one === state).length} ${state}`)
    .join(', ');
}

function fixFor(wrong: readonly KeyRecord[], kms: KmsFacts['kms']): string {
  const compromised = wrong.find(isCompromised);
  if (compromised)
    return `\`curfew ring taint ${shortKid(compromised.kid)} --class compromise --reason …\` goes on where it stopped: it disables the key in KMS, and says so`;
  return wrong.some((key) => !isOver(key) && isUnusable(key, kms))
    ? 'the next tick or `curfew ring taint` replaces the key; CloudTrail says who asked for its deletion'
    : 'the next tick disables keys that must not sign; CloudTrail says who changed them outside Curfew';
}

/** Of the keys that the rotator reads back as well. What it found counts too: it may see what the caller may not. */
function policies({ ring, at, kms, roles }: KmsFacts): Finding {
  const { ok, problem, unknown } = answersOf(ring.id);
  const looked = ownKeys(ring).filter(({ signUntil, verifyUntil }) => at <= Math.max(signUntil, verifyUntil));
  const seen = looked.map((key): { key: KeyRecord; state: Seen<PolicyState> } => {
    const found = kms[key.kid]?.policy ?? NOT_LOOKED_AT;
    const known = key.policyState ?? 'as-written';
    if (known !== 'as-written') return { key, state: { seen: known } };
    if ('unseen' in found) return { key, state: found };
    const written = keyPolicy({ ...roles, algorithm: ring.cfg.alg, signUntil: key.signUntil });
    return { key, state: { seen: policyStateOf(found.seen, written) } };
  });
  const drifted = seen.flatMap(({ key, state }) =>
    'seen' in state && state.seen !== 'as-written' ? [`${shortKid(key.kid)} (${key.state}) is ${state.seen}`] : [],
  );
  if (drifted.length > 0)
    return problem(
      'key policies',
      drifted.join(', '),
      'find the PutKeyPolicy in CloudTrail; `curfew ring taint` an ACTIVE key that others could sign with',
    );
  const unseen = seen.flatMap(({ state }) => ('unseen' in state ? [state.unseen] : []));
  if (unseen.length > 0)
    return unknown('key policies', `KMS did not show ${unseen.length} of ${looked.length}: ${unseen[0]}`, MAY_LOOK);
  return ok('key policies', `${count(looked.length, 'key')}, each as written at birth`);
}

/** The policy written at birth denies every grant, so only a principal that changed it could have made one. */
function grants({ ring, kms }: KmsFacts): Finding {
  const { ok, problem, unknown } = answersOf(ring.id);
  const all = ownKeys(ring).filter((key) => !isOver(key) || !isUnusable(key, kms));
  const seen = all.map(({ kid }) => ({ kid, grants: kms[kid]?.grants ?? NOT_LOOKED_AT }));
  const given = seen.flatMap(({ kid, grants: found }) =>
    'seen' in found ? found.seen.map((id) => `grant ${id} of ${shortKid(kid)}`) : [],
  );
  if (given.length > 0)
    return problem(
      'KMS grants',
      `a grant gives a right beside the policy: ${given.join(', ')}`,
      '`aws kms revoke-grant`, find the CreateGrant in CloudTrail, and `curfew ring taint` a key that others could sign with',
    );
  const unseen = seen.flatMap(({ grants: found }) => ('unseen' in found ? [found.unseen] : []));
  if (unseen.length > 0)
    return unknown('KMS grants', `KMS did not answer for ${count(unseen.length, 'key')}: ${unseen[0]}`, MAY_LOOK);
  return ok('KMS grants', `none for ${count(all.length, 'key')}`);
}

function ownKeys({ keys }: Ring): readonly KeyRecord[] {
  return keys.filter(({ kind }) => kind === 'kms');
}
