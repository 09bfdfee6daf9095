/**
 * A ring lives through any mixture of ticks, departures, waves, deaths of the process and jumps of the clock, and after
 * each of them every invariant is judged from outside. fast-check shrinks a violation to the shortest such life.
 */
import fc from 'fast-check';
import { commitIssued } from '../../lambdas/committer';
import { exchange } from '../../lambdas/exchange';
import { publishFeed } from '../../lambdas/publisher';
import { rotate } from '../../lambdas/rotator';
import { taintOrDeny } from '../../lambdas/taint';
import { isCurfewError } from '../../lib/domain/base/errors';
import type { TaintClass } from '../../lib/domain/rings/ring';
import { activeKey } from '../../lib/domain/rings/ring';
import { successors } from '../../lib/domain/rings/rotation';
import { batchesOf } from '../../lib/domain/tokens/wave';
import type { World } from '../../lib/local/world';
import { extent } from '../support/extent';
import { verdict } from '../support/published';
import { alwaysViolated, settledViolated } from '../support/ring-invariants';
import { issueTo, pass, RING, ringOf, type SigningWorld, signingWorld, taintKeys, verifierOf } from './signing-world';

type Crash = { readonly at: number; readonly mode: 'before' | 'after' };
type Action =
  | { readonly do: 'tick' | 'two ticks' | 'wave'; readonly crash?: Crash }
  | { readonly do: 'leave'; readonly class: TaintClass; readonly crash?: Crash }
  | { readonly do: 'jump'; readonly seconds: number }
  | { readonly do: 'issue' };

const DAY = 86_400;
const crash = fc.option(
  fc.record({ at: fc.integer({ min: 1, max: 25 }), mode: fc.constantFrom('before' as const, 'after' as const) }),
  { nil: undefined, freq: 2 },
);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('tick' as const, 'two ticks' as const), crash }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('leave' as const),
      class: fc.constantFrom('compromise' as const, 'planned' as const),
      crash,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wave' as const), crash }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('jump' as const),
      seconds: fc.constantFrom(1, 5, 14, 16, 71, 301, 3000, 10 * DAY, 30 * DAY, 95 * DAY),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('issue' as const) }) },
);

class Life {
  private live: { readonly token: string; readonly until: number }[] = [];
  private leavers = 0;

  constructor(private readonly world: SigningWorld) {}

  /** Acts, and answers every sentence that does not hold afterwards. */
  async violatedBy(next: Action): Promise<string[]> {
    const { world } = this;
    const crashAt = 'crash' in next ? next.crash : undefined;
    if (crashAt) world.faults.crashAt(crashAt.at, crashAt.mode);
    const finished = await this.act(next).then(
      () => true,
      (error) => {
        if (!world.faults.crashed) throw error;
        return false;
      },
    );
    const crashed = world.faults.crashed;
    world.faults.restart();
    const settled = next.do === 'tick' && finished && !crashed ? await settledViolated(world) : [];
    return [...(await alwaysViolated(world)), ...settled, ...(await this.refusedTokens())];
  }

  private async act(next: Action): Promise<unknown> {
    const { world } = this;
    switch (next.do) {
      case 'tick':
        return tick(world);
      case 'two ticks':
        return bothEnded([tick(world), tick(world)]);
      case 'leave':
        return this.leave(next.class);
      case 'wave':
        return this.wave();
      case 'jump':
        return world.clock.advance(next.seconds);
      case 'issue':
        return this.issue();
    }
  }

  private async leave(taintClass: TaintClass): Promise<void> {
    const { world } = this;
    const before = await ringOf(world);
    const now = world.clock.now();
    try {
      await taintKeys(
        world,
        [{ kid: before.activeKid ?? '', class: taintClass, reason: 'test' }],
        `c-${this.leavers++}`,
      );
    } catch (error) {
      // Only where every STANDBY is too young may a departure have to wait.
      if (!isCurfewError(error, 'ERR_NO_SUCCESSOR') || successors(before, now).length > 0) throw error;
    }
  }

  /** Two passes of every open wave, and the denial; what cannot be signed for now is tried again by the next one. */
  private async wave(): Promise<void> {
    const { world } = this;
    const ring = await ringOf(world);
    const open = ring.waves.filter(({ state }) => state === 'OPEN');
    if (open.length === 0 || world.clock.now() > (activeKey(ring)?.signUntil ?? 0)) return;
    await commitIssued({}, world.deps('committer'));
    const batches = open.flatMap(({ fromKid }) => batchesOf({ ring: RING, fromKid }, 64));
    await pass(world, batches, 1);
    world.clock.advance(ring.cfg.drainSeconds);
    await pass(world, batches, 2);
    await taintOrDeny({ op: 'deny', ring: RING, kids: open.map(({ fromKid }) => fromKid) }, world.deps('taint'));
  }

  private async issue(): Promise<void> {
    const { world } = this;
    const now = world.clock.now();
    const over = now > (activeKey(await ringOf(world))?.signUntil ?? 0);
    try {
      this.live.push({ token: await issueTo(world, `member-${this.live.length}`), until: now + 3600 - 60 });
      if (over) throw new Error('issued past signUntil');
    } catch (error) {
      if (!over || !isCurfewError(error, 'ERR_ACCESS_DENIED')) throw error;
    }
  }

  /**
   * Every live token is accepted, or its holder is given a version that is. While a wave is open the newest version may
   * be under a key that is being left, and an exchange has nothing to give yet.
   */
  private async refusedTokens(): Promise<string[]> {
    const { world } = this;
    this.live = this.live.filter(({ until }) => world.clock.now() < until);
    if (this.live.length === 0) return [];
    await publishFeed({ ring: RING }, world.deps('publisher'));
    const verifier = await verifierOf(world);
    const isMoving = (await ringOf(world)).waves.some(({ state }) => state === 'OPEN');
    const refused: string[] = [];
    for (const { token } of this.live) {
      const first = await verdict(verifier, token);
      if (first === 'ERR_TOKEN_KID_STATE' && isMoving) continue;
      const second = first === 'ERR_TOKEN_KID_STATE' ? await verdict(verifier, await tradeIn(world, token)) : first;
      if (second !== 'accepted') refused.push(`a good token is refused: ${first}, ${second}`);
    }
    return refused;
  }
}

/** Waits for the second one also where the first one died: what was under way in it may still land. */
async function bothEnded(ticks: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(ticks)) if (outcome.status === 'rejected') throw outcome.reason;
}

const tick = (world: World) => rotate({ op: 'tick', ring: RING }, world.deps('rotator'));

async function tradeIn(world: World, token: string): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  });
  return ((await exchange(RING, form.toString(), world.deps('exchange'))) as { access_token: string }).access_token;
}

test('whatever happens to a ring, in whatever order, no invariant is violated at any moment', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 8, maxLength: 24 }), async (actions) => {
      const world = await signingWorld();
      const life = new Life(world);
      for (const [n, next] of actions.entries()) {
        const violated = await life.violatedBy(next);
        if (violated.length > 0)
          throw new Error(`after action ${n}, ${JSON.stringify(next)}: ${[...new Set(violated)].join('; ')}`);
      }
      // However it was left, a tick, the drain and a wait bring it back.
      world.clock.advance(301);
      await tick(world);
      world.clock.advance(300);
      await tick(world);
      expect([await alwaysViolated(world), await settledViolated(world)]).toEqual([[], []]);
      await expect(issueTo(world, 'member')).resolves.toBeDefined();
    }),
    { numRuns: extent(8, 200) },
  );
}, 600_000);
