/**
 * The guards of a ring, each with the sentence that is violated without it. To remove one, one of the real rules or
 * steps is changed for the model; a guard that nothing misses would not be one.
 */
import { jwksAt } from '../../../lib/domain/feed/publication';
import type { KeyRecord, Ring } from '../../../lib/domain/rings/ring';
import { planRotation } from '../../../lib/domain/rings/rotation';
import type { Test, Write } from '../../../lib/domain/store/table';
import { SENTENCES, type Sentence } from './invariants';
import type { Often } from './walk';
import { type GuardedStep, RULES, type Rules } from './world';

export interface Guard {
  readonly guard: string;
  /** What does not hold without it. */
  readonly violation: Sentence;
  /** How the model goes without it. */
  readonly removed: string;
  readonly rules: Rules;
  /** Where to look: a race of two rotators is seldom in a life that is mostly about tokens. */
  readonly often?: Often;
}

/** Two rotators and a departure, and time to be late in. */
export const RACES: Often = {
  issue: 0,
  heartbeat: 0,
  halt: 0,
  resume: 0,
  close: 0,
  origin: 0,
  tamper: 0,
  'two emergencies': 0,
  departure: 3,
};

/** Tokens that are asked for while the key changes. */
const ISSUING: Often = { ...RACES, issue: 3, rotate: 5, departure: 0.3 };

export const GUARDS: readonly Guard[] = [
  {
    guard: 'a STANDBY waits for propagation and cache before it signs',
    violation: SENTENCES.good,
    removed: 'plan and transitions see a ring with neither',
    rules: shown((ring) => ({ ...ring, cfg: { ...ring.cfg, propagationSeconds: 0, cacheSeconds: 0 } })),
  },
  {
    guard: 'confirmedAt is written after the kid was read back as served',
    violation: SENTENCES.good,
    removed: 'the rotator takes its own word for it',
    rules: skipping('read back'),
  },
  {
    guard: 'two STANDBYs stand by',
    violation: SENTENCES.emergencies,
    removed: 'the plan counts one that is not there',
    rules: { ...RULES, plan: (ring, now, stuck) => planRotation(withGhost(ring, now), now, stuck) },
  },
  {
    guard: 'the plan disables what must not sign',
    violation: SENTENCES.other,
    removed: 'every kid counts as stuck',
    rules: {
      ...RULES,
      plan: (ring, now) =>
        planRotation(
          ring,
          now,
          ring.keys.map(({ kid }) => kid),
        ),
    },
  },
  {
    guard: 'the drain is over before the old key is disabled',
    violation: SENTENCES.failed,
    removed: 'the plan sees a ring whose drain is 0 s',
    rules: shown((ring) => ({ ...ring, cfg: { ...ring.cfg, drainSeconds: 0 } })),
    often: ISSUING,
  },
  {
    guard: 'a key is disabled at birth, before the ring knows it',
    violation: SENTENCES.other,
    removed: 'it is adopted as KMS made it',
    rules: skipping('disable at birth'),
  },
  {
    guard: 'the fence: one change of a ring at a time',
    violation: SENTENCES.wave,
    removed: 'no transaction tests the fence of HEAD, or that its record is new',
    rules: untested((test, write) => test.attribute === 'fence' || keyOf(write).startsWith('OUT#')),
  },
  {
    guard: 'a transition tests the state that it read',
    violation: SENTENCES.one,
    removed: 'no change of a key tests its state',
    rules: untested((test, write) => test.attribute === 'state' && keyOf(write).startsWith('KEY#')),
    often: RACES,
  },
  {
    guard: 'a slot takes one KMS key',
    violation: SENTENCES.slot,
    removed: 'no change of a slot tests its state',
    rules: untested((test, write) => test.attribute === 'state' && keyOf(write).startsWith('SLOT#')),
  },
  {
    guard: 'kmsState says Enabled before EnableKey is called',
    violation: SENTENCES.other,
    removed: 'it is written after the call',
    rules: skipping('mark prepared'),
  },
  {
    guard: 'the probe: a key signs before it becomes ACTIVE',
    violation: SENTENCES.one,
    removed: 'EnableKey is believed',
    rules: skipping('probe'),
  },
  {
    guard: 'the feed announces a key before it issues',
    violation: SENTENCES.good,
    removed: 'it is published after the activation only',
    rules: skipping('announce'),
    often: ISSUING,
  },
  {
    guard: 'a STANDBY is Disabling before DisableKey is called',
    violation: SENTENCES.one,
    removed: 'it is disabled without a word',
    rules: skipping('mark Disabling'),
    often: RACES,
  },
  {
    guard: 'a STANDBY that was given up rests',
    violation: SENTENCES.one,
    removed: 'plan and transitions do not see when it was disabled',
    rules: shown((ring) => ({ ...ring, keys: ring.keys.map((key) => ({ ...key, disabledAt: undefined })) })),
    often: RACES,
  },
  {
    guard: 'an ACTIVE key is never disabled, whatever HEAD said',
    violation: SENTENCES.one,
    removed: 'the plan disables an enabled key that HEAD, as read, does not name',
    rules: { ...RULES, plan: (ring, now, stuck) => disableOfTornRead(ring) ?? planRotation(ring, now, stuck) },
    often: RACES,
  },
  {
    guard: 'the dead man’s statement of the key policy',
    violation: SENTENCES.signUntil,
    removed: 'keys are created without it',
    rules: { ...RULES, keyPolicy: (given) => withoutStatement(RULES.keyPolicy(given), 'DeadMan') },
  },
  {
    guard: 'the clock in the JWKS',
    violation: SENTENCES.verifyUntil,
    removed: 'the JWKS is of an instant at which nothing had ended',
    rules: { ...RULES, jwksAt: (ring) => jwksAt(ring, 0) },
  },
  {
    guard: 'the last transaction of an issue tests HEAD.activeKid',
    violation: SENTENCES.one,
    removed: 'it does not',
    rules: untested((test) => test.attribute === 'activeKid'),
    often: ISSUING,
  },
  {
    guard: 'the last transaction of an issue tests halted and closing',
    violation: SENTENCES.closed,
    removed: 'it does not',
    rules: untested((test) => test.attribute === 'halted' || test.attribute === 'closingAt'),
  },
  {
    guard: 'a key is disabled before it is DENIED',
    violation: SENTENCES.denied,
    removed: 'a departure goes from the drain to the waves',
    rules: skipping('disable before deny'),
  },
  {
    guard: 'each tick reads every key back',
    violation: SENTENCES.other,
    removed: 'no tick does',
    rules: skipping('inspect'),
  },
  {
    guard: 'each tick looks for keys that carry the tag of a taken slot',
    violation: SENTENCES.other,
    removed: 'only adoption looks for them',
    rules: skipping('sweep'),
    often: { ...RACES, departure: 0, rotate: 3, start: 2, crash: 3, clock: 2, 'tick alone': 3 },
  },
  {
    guard: 'a key whose policy was changed is no successor',
    violation: SENTENCES.policy,
    removed: 'plan and transitions do not see what the read-back found',
    rules: shown((ring) => ({ ...ring, keys: ring.keys.map((key) => ({ ...key, policyState: undefined })) })),
  },
  {
    guard: 'a feed replaces exactly the one that was read',
    violation: SENTENCES.feed,
    removed: 'it is put without a comparison',
    rules: skipping('swap'),
  },
];

function shown(view: (ring: Ring) => Ring): Rules {
  return { ...RULES, shown: view };
}

function skipping(step: GuardedStep): Rules {
  return { ...RULES, takes: (asked) => asked !== step };
}

/** Transactions as they would be sent without the tests that `isGone`. */
function untested(isGone: (test: Test, write: Write) => boolean): Rules {
  const without = (write: Write): Write => ({ ...write, if: (write.if ?? []).filter((test) => !isGone(test, write)) });
  return { ...RULES, sent: (writes) => writes.map(without) };
}

function keyOf(write: Write): string {
  return write.kind === 'put' ? write.row.sk : write.key.sk;
}

/** Too young to sign for ever, so that the plan counts on it and never calls it. */
function withGhost(ring: Ring, now: number): Ring {
  const [like] = ring.keys;
  if (!like || ring.activations === 0) return ring;
  const ghost: KeyRecord = {
    ...like,
    kid: 'ghost',
    state: 'STANDBY',
    kmsState: 'Disabled',
    confirmedAt: now,
    signUntil: now + ring.cfg.periodSeconds,
    slot: 0,
  };
  return { ...ring, keys: [...ring.keys, ghost] };
}

function disableOfTornRead({ keys, activeKid }: Ring) {
  const torn = keys.find(
    ({ state, kid, kmsState }) => state === 'ACTIVE' && kmsState === 'Enabled' && kid !== activeKid,
  );
  return torn && ({ do: 'disable', kid: torn.kid } as const);
}

function withoutStatement(policy: string, sid: string): string {
  const parsed = JSON.parse(policy) as { Statement: readonly { Sid: string }[] };
  return JSON.stringify({ ...parsed, Statement: parsed.Statement.filter(({ Sid }) => Sid !== sid) });
}
