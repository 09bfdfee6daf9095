/**
 * What must hold of the model in every state, and what must hold once a tick has come to its end alone. Each sentence is
 * a name: a guard is listed with the one it keeps true.
 */
import { type Feed, feedAt } from '../../../lib/domain/feed/feed';
import { RESTS_FOR } from '../../../lib/domain/rings/obstacles';
import type { KeyRecord, Ring } from '../../../lib/domain/rings/ring';
import { nextRotationAt, PREPARED_AHEAD, PREPARED_FOR } from '../../../lib/domain/rings/rotation';
import { ACCEPTED, isInWindow } from '../../../lib/verifier/verify';
import type { ModelKey } from './kms';
import { FEED_LIFE } from './publisher-script';
import type { HeldToken, ModelWorld } from './world';

export const SENTENCES = {
  good: 'a good token is never refused within the promised cache age',
  one: 'one key issues',
  other: 'no other key can sign but the one being activated or the one draining',
  denied: 'a denied kid never signs',
  signUntil: 'past signUntil nothing signs',
  verifyUntil: 'past verifyUntil nothing is published',
  standbys: 'two STANDBYs come back within one undisturbed tick',
  emergencies: 'two emergencies within one cache age wait for nothing',
  back: 'a SUSPECT or DENIED kid never becomes anything better again',
  slot: 'no two KMS keys are in one slot',
  feed: 'no feed takes anything back',
  failed: 'an issue in flight is told to ask again, never failed',
  closed: 'a halted or closing ring issues nothing',
  wave: 'an open wave goes to the key that issues',
  policy: 'a key whose policy was changed is never activated',
} as const;
export type Sentence = (typeof SENTENCES)[keyof typeof SENTENCES];

/** As much as eligibility.ts leaves a token that is not worth a signature any more. */
const TOO_SHORT_TO_RESIGN = 30;

/** Watches one life. What it remembers is what verifiers and auditors could have seen. */
export class Watch {
  private readonly servedSince = new Map<string, number>();
  private readonly worst = new Map<string, string>();
  private readonly verifyUntil = new Map<string, number>();
  private readonly slotKeys = new Map<number, string>();
  private readonly activated = new Set<string>();
  private openedAt: number | undefined;

  constructor(private readonly world: ModelWorld) {}

  /** Sentences that do not hold in the state as it is. */
  violated(): string[] {
    const { world } = this;
    const ring = world.ring();
    const found = world.broken.splice(0);
    if (!ring) return found;
    const must = (holds: boolean, sentence: Sentence) => holds || found.push(sentence);

    this.remember(ring);
    this.judgeKeys(ring, must);
    this.judgeServed(ring, must);
    const feed = feedAt(ring, [], 0, world.now, FEED_LIFE);
    for (const token of world.tokens) must(!this.isRefused(token, ring, feed), SENTENCES.good);
    return found;
  }

  private remember(ring: Ring): void {
    const { world, servedSince } = this;
    if (ring.activations > 0) this.openedAt ??= world.now;
    const kids = new Set(world.served().map(({ kid }) => kid));
    for (const kid of servedSince.keys()) if (!kids.has(kid)) servedSince.delete(kid);
    for (const kid of kids) if (!servedSince.has(kid)) servedSince.set(kid, world.now);
    for (const { kid, verifyUntil } of ring.keys)
      this.verifyUntil.set(kid, Math.min(verifyUntil, this.verifyUntil.get(kid) ?? verifyUntil));
  }

  private judgeKeys(ring: Ring, must: (holds: boolean, sentence: Sentence) => void): void {
    const { world, worst, slotKeys } = this;
    const active = ring.keys.filter(({ state }) => state === 'ACTIVE');
    must(active.length === (ring.activeKid === undefined ? 0 : 1) && active[0]?.kid === ring.activeKid, SENTENCES.one);

    for (const key of ring.keys) {
      const { kid, state, kmsKeyArn = '', signUntil, kmsState } = key;
      const kms = world.kms.key(kmsKeyArn);
      const signs = world.kms.canSign(kmsKeyArn);
      if (state === 'ACTIVE') {
        must(signs || world.now > signUntil || kms.tampered, SENTENCES.one);
        must(this.activated.has(kid) || (key.policyState ?? 'as-written') === 'as-written', SENTENCES.policy);
        this.activated.add(kid);
      }
      must(!signs || world.now <= signUntil || kms.tampered, SENTENCES.signUntil);
      must(!signs || kms.tampered || kmsState !== 'Disabled', SENTENCES.other);
      must(!signs || kms.tampered || state !== 'DENIED', SENTENCES.denied);

      const before = worst.get(kid);
      must(before === undefined || before === state || (before === 'SUSPECT' && state === 'DENIED'), SENTENCES.back);
      if (state === 'SUSPECT' || state === 'DENIED') worst.set(kid, state);
    }
    for (const { state, toKid } of ring.waves) must(state !== 'OPEN' || toKid === ring.activeKid, SENTENCES.wave);
    for (const { slot, kmsKeyArn } of ring.slots) {
      if (kmsKeyArn === undefined) continue;
      must((slotKeys.get(slot) ?? kmsKeyArn) === kmsKeyArn, SENTENCES.slot);
      slotKeys.set(slot, kmsKeyArn);
    }
  }

  /** By the origin, as the clock stands: what a cache keeps of it is as old as HTTP lets it be. */
  private judgeServed(ring: Ring, must: (holds: boolean, sentence: Sentence) => void): void {
    const { world } = this;
    for (const { kid } of world.rules.jwksAt(ring, world.now).keys)
      must(world.now <= (this.verifyUntil.get(kid) ?? 0), SENTENCES.verifyUntil);
  }

  /**
   * Verifiers have not to be sampled: each that asks at its declared age, and is answered by a copy as old as the
   * propagation may be, holds what was served at some instant of this span. The kid must have been there in all of it.
   */
  private isKnownToEveryVerifier(kid: string, { cfg }: Ring): boolean {
    const since = this.servedSince.get(kid);
    const oldest = this.world.now - cfg.propagationSeconds - cfg.cacheSeconds;
    return since !== undefined && since <= Math.max(oldest, this.openedAt ?? 0);
  }

  /** By a stock verifier or by ours. Of a token that was re-signed it is enough that one version is accepted. */
  private isRefused(token: HeldToken, ring: Ring, feed: Feed): boolean {
    const { world } = this;
    const { jti, kid, claims, resignOf } = token;
    if (world.now > claims.exp) return false;
    const key = ring.keys.find((candidate) => candidate.kid === kid) as KeyRecord;
    if (key.state === 'DENIED') {
      if (claims.exp <= (key.deniedAt ?? 0) + TOO_SHORT_TO_RESIGN) return false;
      // Its holder has it exchanged along the waves; each version is judged for itself.
      const toKid = ring.waves.find(({ fromKid }) => fromKid === kid)?.toKid;
      return !world.tokens.some((version) => version.jti === jti && version.kid === toKid);
    }
    // A compromised key leaves the JWKS at once: only our own verifiers still know which of its tokens are good.
    if (key.taint?.class !== 'compromise' && !this.isKnownToEveryVerifier(kid, ring)) return true;
    if (!isAccepted(token, feed, ring, world.now)) return true;
    // A verifier that has just polled; what was re-signed is handed out a poll after its window was published.
    const last = world.published?.feed;
    return (
      last !== undefined && world.now <= last.exp && resignOf === undefined && !isAccepted(token, last, ring, world.now)
    );
  }
}

/** As far as state, end and windows of the key decide it. */
function isAccepted({ kid, claims }: HeldToken, feed: Feed, { cfg }: Ring, now: number): boolean {
  const key = feed.keys.find((candidate) => candidate.kid === kid);
  return (
    key !== undefined &&
    ACCEPTED.includes(key.state) &&
    now <= key.verifyUntil &&
    isInWindow(claims.iat, key, cfg.skewSeconds)
  );
}

/** After a tick that nobody disturbed and nothing cut short. */
export function unsettled(world: ModelWorld): Sentence[] {
  const ring = world.ring();
  if (!ring) return [];
  const found: Sentence[] = [];
  const isClosed = ring.closingAt !== undefined && ring.activeKid === undefined && ring.activations > 0;
  if (!isClosed && standing(world, ring).length < 2) found.push(SENTENCES.standbys);
  for (const key of world.kms.keys.values())
    if (world.kms.canSign(key.arn) && !maySign(key, ring, world.now)) found.push(SENTENCES.other);
  return found;
}

/** STANDBYs that could sign next, now or when their wait is over. */
export function standing({ stale, now }: ModelWorld, ring: Ring): KeyRecord[] {
  return ring.keys.filter(
    ({ state, signUntil, kmsState, confirmedAt, policyState = 'as-written' }) =>
      state === 'STANDBY' &&
      now < signUntil &&
      kmsState !== 'Disabling' &&
      policyState === 'as-written' &&
      (confirmedAt !== undefined || stale !== undefined),
  );
}

function maySign({ arn, slot: number, creator }: ModelKey, ring: Ring, now: number): boolean {
  const key = ring.keys.find(({ kmsKeyArn }) => kmsKeyArn === arn);
  if (!key) {
    // Whoever created it is about to bring it into the ring, or to give it up; if it died, one look at its slot is due.
    const { adoptedAt = now } = ring.slots.find(({ slot }) => slot === number) ?? {};
    return creator !== undefined || now < adoptedAt + RESTS_FOR;
  }
  if (key.kid === ring.activeKid) return true;
  if (key.state === 'STANDBY') {
    const due = nextRotationAt(ring);
    return now <= (key.preparedAt ?? 0) + PREPARED_FOR || (due !== undefined && now >= due - PREPARED_AHEAD);
  }
  return now < (key.deactivatedAt ?? 0) + ring.cfg.drainSeconds;
}
