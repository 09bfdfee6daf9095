/**
 * A copied signing key, tainted and then denied, in frozen seconds: how long until each verifier refuses. One of ours for
 * each phase its poll can have, and a stock one for each age its cache can have.
 */

import { commitIssued } from '../../lambdas/committer';
import { taintOrDeny } from '../../lambdas/taint';
import {
  legacyClaims,
  pass,
  RING,
  record,
  SETTINGS,
  signingWorld,
  signLegacy,
  taintKeys,
  verifierOf,
} from '../scenarios/signing-world';
import { verdict } from './published';
import { stockVerifier } from './stock-verifier';

type Verifier = { verify(token: unknown): Promise<unknown> };

/** Longest times, in seconds, from the change until the last verifier of a kind refuses. */
export interface DrillFigures {
  readonly forgedWhileSuspect: number;
  readonly genuineOnceDenied: number;
  readonly forgedAtStock: number;
  /** Genuine tokens that a verifier of ours refused between taint and denial: none should be. */
  readonly genuineRefused: number;
}

export async function leakedKeyDrill(): Promise<DrillFigures> {
  const world = await signingWorld();
  const { feedPollSeconds } = world.config.settings;
  const kid = world.legacy.jwk.kid;
  const genuine = signLegacy(world, legacyClaims(world, 'member-1', 'jti-1'));
  const forged = signLegacy(world, legacyClaims(world, 'member-1', 'forged'));
  await record(world, [genuine]);
  await commitIssued({}, world.deps('committer'));

  const ours = await Promise.all(Array.from({ length: feedPollSeconds }, () => verifierOf(world)));
  const stock = Array.from({ length: SETTINGS.verifierCacheSeconds }, () =>
    stockVerifier(world, SETTINGS.verifierCacheSeconds),
  );
  // Each asks for the first time in another second, so that the taint meets every phase there is.
  for (const at of stock.keys()) {
    const first = [stock[at], ours[at - (stock.length - ours.length)]].filter((one) => one !== undefined);
    for (const verifier of first) await mustAccept(verifier, forged);
    world.clock.advance(1);
  }

  const { batches } = await taintKeys(world, [{ kid, class: 'compromise', reason: 'copied-possible' }]);
  let genuineRefused = 0;
  const watched = async () => {
    for (const verifier of ours) if ((await verdict(verifier, genuine)) !== 'accepted') genuineRefused++;
  };
  const [forgedWhileSuspect = 0, forgedAtStock = 0] = await secondsUntilRefused(
    world.clock,
    forged,
    [ours, stock],
    watched,
  );

  for (const n of [1, 2]) await pass(world, batches, n);
  await taintOrDeny({ op: 'deny', ring: RING, kids: [kid] }, world.deps('taint'));
  await world.functions.invoke('publisher', { ring: RING });
  const [genuineOnceDenied = 0] = await secondsUntilRefused(world.clock, genuine, [ours]);
  return { forgedWhileSuspect, forgedAtStock, genuineOnceDenied, genuineRefused };
}

const LONG = 600;

/** Of each group, the second in which its last verifier refuses. */
async function secondsUntilRefused(
  clock: { advance(seconds: number): void },
  token: string,
  groups: readonly (readonly Verifier[])[],
  eachSecond: () => Promise<void> = async () => {},
): Promise<number[]> {
  const until = groups.map(() => -1);
  for (let second = 0; second < LONG && until.includes(-1); second++) {
    for (const [n, group] of groups.entries()) {
      const verdicts = await Promise.all(group.map((verifier) => verdict(verifier, token)));
      if (until[n] === -1 && !verdicts.includes('accepted')) until[n] = second;
    }
    await eachSecond();
    clock.advance(1);
  }
  if (until.includes(-1)) throw new Error(`a verifier still accepts after ${LONG} s`);
  return until;
}

async function mustAccept(verifier: Verifier, token: string): Promise<void> {
  const given = await verdict(verifier, token);
  if (given !== 'accepted') throw new Error(`before the taint the forgery is accepted, not ${given}`);
}
