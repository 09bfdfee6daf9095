/** B1, B11, B12, B13: a leaked key, a storm of unknown kids, feeds that take something back, and DER. */
import { SETTINGS } from '../scenarios/signing-world';
import { derFailures } from '../support/der-trial';
import { tryFeedAttacks } from '../support/feed-attacks';
import { kidStorm, UNKNOWN_KID_COOL_DOWN } from '../support/kid-storm';
import { leakedKeyDrill } from '../support/leaked-key-drill';
import { POLL } from '../support/published';
import { count, type Row } from './scoreboard';

const STORM = { seconds: 60, junk: 300_000, good: 6000 };
const DER_TRIES = 1_000_000;

export async function drillRows(log: (line: string) => void): Promise<Row[]> {
  const leak = await leakedKeyDrill();
  const storm = await kidStorm(STORM);
  const tried = await tryFeedAttacks(1000);
  for (const { kind, tries, accepted } of tried) log(`feed attack: ${kind}: ${accepted} accepted of ${count(tries)}`);
  const accepted = tried.reduce((sum, kind) => sum + kind.accepted, 0);
  const tries = tried.reduce((sum, kind) => sum + kind.tries, 0);
  const failures = derFailures(32, DER_TRIES / 2) + derFailures(48, DER_TRIES / 2);
  const atMostFetches = 1 + STORM.seconds / UNKNOWN_KID_COOL_DOWN;
  const goodAccepted = storm.verdicts.accepted ?? 0;
  return [
    {
      id: 'B1',
      what: 'leaked key: the last verifier refuses forgeries; genuine ones once DENIED; stock ones',
      figure: `${leak.forgedWhileSuspect} s; ${leak.genuineOnceDenied} s; ${leak.forgedAtStock} s`,
      goal: `<= ${POLL} s; <= ${POLL} s; <= ${SETTINGS.verifierCacheSeconds} s`,
      ok:
        leak.forgedWhileSuspect <= POLL &&
        leak.genuineOnceDenied <= POLL &&
        leak.forgedAtStock <= SETTINGS.verifierCacheSeconds &&
        leak.genuineRefused === 0,
    },
    {
      id: 'B11',
      what: `${count(STORM.junk)} unknown kids in ${STORM.seconds} s: fetches in all; good tokens accepted`,
      figure: `${storm.fetches}; ${count(goodAccepted)} of ${count(STORM.good)}`,
      goal: `<= ${atMostFetches}; all`,
      ok: storm.fetches <= atMostFetches && goodAccepted === STORM.good,
    },
    {
      id: 'B12',
      what: `feeds rolled back, spliced, expired, reviving, lowering, unblocking: ${tried.length} kinds`,
      figure: `${accepted} accepted of ${count(tries)}`,
      goal: '0 of 10,000',
      ok: accepted === 0 && tries >= 10_000,
    },
    {
      id: 'B13',
      what: 'DER to r‖s, low-S: random and edge halves, ES256 and ES384',
      figure: `${failures} failures of ${count(DER_TRIES)}`,
      goal: '0 of 1,000,000',
      ok: failures === 0,
    },
  ];
}
