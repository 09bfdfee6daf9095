/** What `curfew doctor` makes of a wave that is open: does it go on, does it wait for holders, or did it stop? */
import { instant, span } from '../base/time';
import { shortKid } from '../jose/jwk';
import { findKey, type Ring, type Wave } from '../rings/ring';
import { isOpen } from '../rings/transitions';
import { answersOf, type Finding, MAY_LOOK, type Seen } from './finding';

/** How far the passes of a wave have come, towards the key that issues now. */
interface WaveProgress {
  readonly shards: number;
  /** Shards that any pass went through. */
  readonly passed: number;
  /** Shards in which a second or later pass found nothing left to re-sign. */
  readonly settled: number;
}

export interface WaveFacts {
  readonly ring: Ring;
  /** Epoch seconds at which it was looked at. */
  readonly at: number;
  /** By tainted kid, of every open wave. */
  readonly waves: Readonly<Record<string, Seen<WaveProgress>>>;
}

/** A Lambda that re-signs some shards lives a quarter of an hour: after it each of them has its row, or failed. */
const FIRST_ROWS_WITHIN = 900;
/** Two passes over a ledger of ordinary size take minutes. Of one with millions of tokens they take hours. */
const PASSES_TAKE = 3600;
/** A planned wave then waits for holders, a day by default; a larger ledger is re-signed within a day too. */
const WAVE_SECONDS_MAX = 86_400;

export function diagnoseWaves({ ring, at, waves }: WaveFacts): Finding[] {
  return ring.waves.filter(isOpen).map((wave) => {
    const { ok, problem, unknown } = answersOf(ring.id);
    const { class: taintClass = 'planned' } = findKey(ring, wave.fromKid).taint ?? {};
    const kid = shortKid(wave.fromKid);
    const cases = wave.cases.length > 0 ? `, for ${wave.cases.join(', ')}` : '';
    const is = `${kid} is SUSPECT (${taintClass}${cases}) since ${instant(wave.openedAt)}, ${span(at - wave.openedAt)}`;
    const goOn = `\`curfew ring taint ${kid} --class ${taintClass} --reason …\` goes on where it stopped`;
    const fix = wave.cases.length > 0 ? `see \`curfew case show ${wave.cases[0]}\`; ${goOn}` : goOn;
    const found = waves[wave.fromKid] ?? { unseen: 'its passes were not looked at' };
    const age = at - startOf(ring, wave);
    if (at - wave.openedAt > WAVE_SECONDS_MAX) return problem('waves', `${is}: it does not end`, fix);
    if ('unseen' in found) return unknown('waves', `${is}; its passes: ${found.unseen}`, MAY_LOOK);

    const { shards, passed, settled } = found.seen;
    const far = `${settled} of ${shards} shards re-signed, ${passed} begun`;
    if (passed === 0 && age > FIRST_ROWS_WITHIN)
      return problem('waves', `${is}: it stopped before the re-signing`, fix);
    if (settled === shards && taintClass === 'planned')
      return ok('waves', `${is}: all ${shards} shards re-signed, holders may still collect`);
    if (settled === shards && age > FIRST_ROWS_WITHIN)
      return problem('waves', `${is}: all ${shards} shards re-signed, and it is not DENIED`, fix);
    if (age > PASSES_TAKE)
      return unknown(
        'waves',
        `${is}: ${far}`,
        `ask again in ${span(FIRST_ROWS_WITHIN)}: if it says the same, it stopped; ${fix}`,
      );
    return ok('waves', `${is}: ${far}`);
  });
}

/** When its passes may begin: after the drain, and when verifiers know the window. A key that took over begins them anew. */
function startOf({ keys, cfg }: Ring, { openedAt, toKid }: Wave): number {
  const { activatedAt = 0 } = keys.find(({ kid }) => kid === toKid) ?? {};
  return Math.max(openedAt, activatedAt) + cfg.drainSeconds + cfg.feedPollSeconds;
}
