/** What `curfew doctor` makes of one ring: facts as they were looked at, findings out. */

import { instant, span } from '../base/time';
import { shortKid } from '../jose/jwk';
import { obstacles, readyAt } from '../rings/obstacles';
import { activeKey, STANDBYS, verifyUntilOf } from '../rings/ring';
import { isClosed, isStanding, nextRotationAt, overdueBy, successors } from '../rings/rotation';
import { diagnoseSlots } from './birth-diagnosis';
import { answersOf, count, type Finding, MAY_LOOK, type Seen } from './finding';
import { TICK_SECONDS_MAX } from './key-states';
import { diagnoseKms, isUnusable, type KmsFacts } from './kms-diagnosis';
import { diagnosePublication, jwksFinding, type PublicationFacts } from './publication-diagnosis';
import { diagnoseWaves, type WaveFacts } from './wave-diagnosis';
import { askAgainAt, bornAtOf, figuresDueAt, isBeingBorn } from './youth';

export interface RingFacts extends PublicationFacts, KmsFacts, WaveFacts {
  /** When the watch last put a figure; undefined if it put none within the hour. */
  readonly watchedAt: Seen<number | undefined>;
}

/** The watch puts figures each minute, and CloudWatch takes a while to show them. */
const WATCH_AGE_SECONDS_MAX = 300;

export function diagnoseRing(facts: RingFacts): Finding[] {
  const { ring } = facts;
  const always = [issuing(facts), ...diagnoseKms(facts)];
  if (isClosed(ring)) return [...always, jwksFinding(facts)];
  return [
    ...always,
    ...diagnosePublication(facts),
    standbys(facts),
    ...diagnoseSlots(facts),
    rotation(facts),
    ...diagnoseWaves(facts),
    ...legacyKeys(facts),
    verifiers(facts),
    watched(facts),
  ];
}

function issuing({ ring, at }: RingFacts): Finding {
  const { ok, problem, unknown } = answersOf(ring.id);
  const [active, ...more] = ring.keys.filter(({ state }) => state === 'ACTIVE');
  if (isClosed(ring)) return ok('issuing', 'the ring is closed: it issues nothing');
  if (isBeingBorn(ring, at))
    return unknown('issuing', 'young: its first key is being born', askAgainAt(figuresDueAt(bornAtOf(ring, at))));
  if (active === undefined || more.length > 0 || active.kid !== ring.activeKid)
    return problem(
      'issuing',
      `${count(active ? more.length + 1 : 0, 'key')} ACTIVE, and the ring names ${ring.activeKid ?? 'none'}`,
      'deploy the signing stack again, and read the log of the rotator if that does not help',
    );
  if (ring.halted)
    return problem(
      'issuing',
      'halted: nothing is issued',
      `\`curfew ring resume ${ring.id} --reason …\` when the reason for the halt is over`,
    );
  if (ring.closingAt !== undefined)
    return ok('issuing', `closing: the ring ends at ${instant(verifyUntilOf(ring.closingAt, ring.cfg))}`);
  return ok('issuing', `${shortKid(active.kid)} has issued since ${instant(active.activatedAt ?? 0)}`);
}

/** The ring's own record calls a STANDBY fit that KMS has meanwhile scheduled for deletion; here that one does not count. */
function standbys({ ring, at, kms }: RingFacts): Finding {
  const { ok, problem, unknown } = answersOf(ring.id);
  const standing = ring.keys.filter((key) => isStanding(key, at) && !isUnusable(key, kms));
  const ready = successors(ring, at).filter((key) => !isUnusable(key, kms));
  const unseen = standing.filter(
    (key) =>
      at > key.bornAt + TICK_SECONDS_MAX && obstacles(ring, key, at).some((obstacle) => obstacle.is === 'unconfirmed'),
  );
  if (standing.length < STANDBYS && isBeingBorn(ring, at))
    return unknown(
      'STANDBYs',
      `young: ${standing.length} of ${STANDBYS} stand by`,
      askAgainAt(figuresDueAt(bornAtOf(ring, at))),
    );
  if (standing.length < STANDBYS)
    return problem(
      'STANDBYs',
      `${standing.length} of ${STANDBYS} stand by: a taint may have to wait for a key`,
      standing.length < ring.keys.filter((key) => isStanding(key, at)).length
        ? 'the next tick, or `curfew ring taint` of the STANDBY that KMS cannot use, creates another one'
        : 'the next tick creates the missing key; if it does not, read the log of the rotator',
    );
  if (unseen.length > 0)
    return problem(
      'STANDBYs',
      `${unseen.map(({ kid }) => shortKid(kid)).join(', ')} was never seen in the JWKS`,
      'check that publicBaseUrl serves the JWKS',
    );
  const readyAts = standing.map((key) => readyAt(ring, key, at) ?? at);
  const wait = Math.max(at, ...readyAts) > at ? `; all of them from ${instant(Math.max(...readyAts))} on` : '';
  return ok('STANDBYs', `${standing.length} stand by, ${ready.length} ready to sign now${wait}`);
}

function rotation({ ring, at }: RingFacts): Finding {
  const { ok, problem } = answersOf(ring.id);
  const overdue = overdueBy(ring, at);
  if (overdue > TICK_SECONDS_MAX)
    return problem(
      'rotation',
      `overdue by ${span(overdue)}`,
      'read the log of the rotator and the dead letters of the schedule; `curfew ring rotate` rotates by hand',
    );
  const next = nextRotationAt(ring);
  if (next === undefined || activeKey(ring) === undefined) return ok('rotation', 'nothing to rotate');
  return ok('rotation', overdue > 0 ? 'due at the next tick' : `next at ${instant(next)}, in ${span(next - at)}`);
}

function legacyKeys({ ring, at }: RingFacts): Finding[] {
  const { ok, problem } = answersOf(ring.id);
  return ring.keys
    .filter(({ state }) => state === 'OBSERVED')
    .map(({ kid, verifyUntil }) =>
      at <= verifyUntil
        ? ok('legacy key', `${shortKid(kid)} of the former issuer is accepted until ${instant(verifyUntil)}`)
        : problem('legacy key', `${shortKid(kid)} is past its date, and not RETIRED`, 'read the log of the rotator'),
    );
}

function verifiers({ ring }: RingFacts): Finding {
  const { ok, problem, unknown } = answersOf(ring.id);
  const declared = ring.cfg.verifiers ?? [];
  const unbounded = declared.filter(({ cacheSeconds }) => cacheSeconds === 'unbounded').map(({ name }) => name);
  if (declared.length === 0)
    return problem(
      'verifiers',
      `none declared: the cache age of ${span(ring.cfg.cacheSeconds)} is a guess`,
      'declare the services that verify tokens: `verifiers: [{name, cacheSeconds}]` of the ring',
    );
  if (unbounded.length > 0)
    return unknown(
      'verifiers',
      `${unbounded.join(', ')} may accept old keys without limit`,
      'restart them after each taint, or have them refresh the JWKS by themselves',
    );
  return ok(
    'verifiers',
    `${declared.length} declared; a STANDBY waits for the slowest, ${span(ring.cfg.cacheSeconds)}`,
  );
}

function watched({ ring, at, watchedAt }: RingFacts): Finding {
  const { ok, problem, unknown } = answersOf(ring.id);
  const fix = 'read the log of the watch and the dead letters of its schedule: without figures no alarm works';
  if ('unseen' in watchedAt) return unknown('figures', `CloudWatch did not answer: ${watchedAt.unseen}`, MAY_LOOK);
  const dueAt = figuresDueAt(bornAtOf(ring, at));
  if (watchedAt.seen === undefined && at < dueAt)
    return unknown('figures', 'young: CloudWatch shows none yet', askAgainAt(dueAt));
  if (watchedAt.seen === undefined) return problem('figures', 'none within the last hour', fix);
  const age = at - watchedAt.seen;
  if (age > WATCH_AGE_SECONDS_MAX) return problem('figures', `the last is ${span(age)} old`, fix);
  return ok('figures', `the last is ${span(Math.max(0, age))} old: the schedules run`);
}
