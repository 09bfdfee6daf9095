/** C3: rotations by schedule and by emergency under steady issuing and verifying. */
import { steadyTraffic } from '../support/steady-traffic';
import { count, type Extent, type Row } from './scoreboard';

const TOKENS_EACH = 18;
/** So many requests one period of that traffic makes: seven verifiers, and twelve steps at which the live tokens add up. */
const REQUESTS_A_PERIOD = TOKENS_EACH * (12 + 7 * 78);

export async function rotationRows({ requests }: Extent): Promise<Row[]> {
  const periods = Math.max(2, Math.ceil(requests / REQUESTS_A_PERIOD));
  const traffic = await steadyTraffic({ periods, tokensEach: TOKENS_EACH, isEmergency: (period) => period % 2 === 1 });
  return [
    {
      id: 'C3',
      what: `${traffic.activeKids} keys one after the other, in memory, verifier caches of 0 to the declared age`,
      figure: `${traffic.failed.length} failed of ${count(traffic.requests)}`,
      goal: '0 of 1,000,000',
      ok: traffic.failed.length === 0 && traffic.violated.length === 0,
    },
  ];
}
