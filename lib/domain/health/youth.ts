/**
 * What is too young to be judged, and until when. The facts decide, the birth of a ring and of its stack: an alarm has no
 * figure in the first minutes, and says ALARM of a ring that is well.
 */
import { instant } from '../base/time';
import type { Ring } from '../rings/ring';

/** The watch puts a figure each minute, CloudWatch shows it some minutes later, and an alarm then looks back once more. */
const FIGURES_COME_WITHIN = 900;
/** A heartbeat signs the first feed within a minute; one may be late. */
const FEED_COMES_WITHIN = 120;

/** From the reservation of a slot to a STANDBY in the JWKS. */
const PUBLISHED_WITHIN = 120;

/** Epoch seconds. The first slot is written before the first key is made. */
export function bornAtOf({ slots }: Pick<Ring, 'slots'>, now: number): number {
  return Math.min(now, ...slots.map(({ at }) => at));
}

export function figuresDueAt(bornAt: number): number {
  return bornAt + FIGURES_COME_WITHIN;
}

export function feedDueAt(bornAt: number): number {
  return bornAt + FEED_COMES_WITHIN;
}

/** When every cache before us has a key that was born then: it is published within minutes of CreateKey. */
export function publicationDueAt(bornAt: number, propagationSeconds: number): number {
  return bornAt + PUBLISHED_WITHIN + propagationSeconds;
}

/** No key of it was ever ACTIVE, and its birth may still be under way. */
export function isBeingBorn(ring: Pick<Ring, 'slots' | 'activations'>, now: number): boolean {
  return ring.activations === 0 && now < figuresDueAt(bornAtOf(ring, now));
}

/** What to do about what is young. */
export function askAgainAt(at: number): string {
  return `ask again after ${instant(at)}`;
}
