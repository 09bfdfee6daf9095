/** D2 and D3: the model of rotation over many seeds, and the same model without each of its guards. */
import { GUARDS, RACES } from '../support/model/guards';
import { shortest, tell, walk } from '../support/model/walk';
import { seedFor } from '../support/seeded';
import { count, type Extent, type Row } from './scoreboard';

const SEEDS = 8;
/** The rarest violation takes some 100,000 on average: so many that none is missed by chance. */
const SEARCH_MAX = 5_000_000;

export function modelRows({ states }: Extent, log: (line: string) => void): Row[] {
  let judged = 0;
  let violations = 0;
  for (let n = 0; n < SEEDS; n++) {
    // Every second one is about races alone.
    const often = n % 2 === 0 ? undefined : RACES;
    const walked = walk({ seed: seedFor(`model ${n}`), states: states / SEEDS, often });
    judged += walked.states;
    if (!walked.violation) continue;
    violations++;
    log(tell(shortest(walked.violation)));
  }
  const found = GUARDS.map(({ guard, violation: wanted, rules, often }) => {
    const { violation, states: after } = walk({ seed: seedFor(guard), states: SEARCH_MAX, rules, often, wanted });
    log(`${guard} | ${wanted} | ${violation ? `found after ${count(after)} states` : 'NOT FOUND'}`);
    return violation !== undefined;
  });
  const needed = found.filter(Boolean).length;
  return [
    {
      id: 'D2',
      what: `rotation, caches, departures, deaths at any call: ${SEEDS} seeds`,
      figure: `${count(judged)} states, ${violations} violations`,
      goal: `>= ${count(states)}; 0`,
      ok: violations === 0 && judged >= states,
    },
    {
      id: 'D3',
      what: 'the same without one guard at a time: violations found',
      figure: `${needed}/${GUARDS.length} guards necessary`,
      goal: 'all',
      ok: needed === GUARDS.length,
    },
  ];
}
