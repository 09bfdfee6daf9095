/**
 * Steady issuing and verifying around rotations by schedule and by emergency: every live token is shown each time to a
 * verifier of ours and to stock ones with caches of every age from 0 to the declared one. Every refusal is a failure.
 */
import { publishFeed } from '../../lambdas/publisher';
import { rotate } from '../../lambdas/rotator';
import { nextRotationAt } from '../../lib/domain/rings/rotation';
import { issueTo, RING, ringOf, SETTINGS, signingWorld, taintKeys, verifierOf } from '../scenarios/signing-world';
import { verdict } from './published';
import { alwaysViolated, settledViolated } from './ring-invariants';
import { stockVerifier } from './stock-verifier';

const STEP = 13;
/** Together longer than a key that was enabled ahead waits before it takes over. */
const STEPS = 18;
/** Younger than what a token has left: nobody is asked about one that ends while he is. */
const TOKEN_SECONDS = 3600;
const AGES = [0, 1, 17, 30, 59, SETTINGS.verifierCacheSeconds];

export interface Traffic {
  readonly requests: number;
  readonly failed: readonly string[];
  readonly activeKids: number;
  readonly violated: readonly string[];
}

/** In each period a scheduled rotation, and in each `emergency` one two custodians leave within a minute. */
export async function steadyTraffic(given: {
  readonly periods: number;
  readonly tokensEach: number;
  readonly isEmergency: (period: number) => boolean;
}): Promise<Traffic> {
  const world = await signingWorld();
  const verifiers = [await verifierOf(world), ...AGES.map((age) => stockVerifier(world, age))];
  const failed: string[] = [];
  const violated = new Set<string>();
  const activeKids = new Set<string | undefined>();
  let live: { readonly token: string; readonly until: number }[] = [];
  let requests = 0;

  const issue = async (to: string) => {
    requests++;
    const issued = await issueTo(world, to).catch((error: Error) => failed.push(`issue ${to}: ${error.message}`));
    if (typeof issued === 'string') live.push({ token: issued, until: world.clock.now() + TOKEN_SECONDS });
    activeKids.add((await ringOf(world)).activeKid);
  };
  const verifyAll = async (when: string) => {
    live = live.filter(({ until }) => world.clock.now() < until);
    for (const [which, verifier] of verifiers.entries())
      for (const { token } of live) {
        requests++;
        const outcome = await verdict(verifier, token);
        if (outcome !== 'accepted') failed.push(`${when}, verifier ${which}: ${outcome}`);
      }
  };

  for (let period = 0; period < given.periods; period++) {
    // Around an activation time goes by in steps shorter than any cache; the quiet part of a period in one.
    for (let step = 0; step < STEPS; step++) {
      await rotate({ op: 'tick', ring: RING }, world.deps('rotator'));
      for (const sentence of await settledViolated(world)) violated.add(sentence);
      await publishFeed({ ring: RING }, world.deps('publisher'));
      if (given.isEmergency(period) && (step === 13 || step === 15)) {
        const { activeKid: kid = '' } = await ringOf(world);
        await taintKeys(world, [{ kid, class: 'planned', reason: 'a custodian left' }], `c-${period}-${step}`);
      }
      for (let n = 0; n < given.tokensEach; n++) await issue(`member-${period}-${step}-${n}`);
      await verifyAll(`${period}.${step}`);
      for (const sentence of await alwaysViolated(world)) violated.add(sentence);
      world.clock.advance(STEP);
    }
    world.clock.set((nextRotationAt(await ringOf(world)) ?? 0) - 20);
  }
  return { requests, failed, activeKids: activeKids.size, violated: [...violated] };
}
