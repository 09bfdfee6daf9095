/** Each rule of the schedule, taken out or turned round: `departure.test.ts` has to notice every one. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { transformSync } from '@swc/core';
import * as departure from '../../../lib/domain/cases/departure';
import { ACTS } from '../../../lib/domain/store/case';

/** In the order in which one imports the other; all else that they import are types, and the order of the acts. */
const FILES = ['word', 'departure'];

/** What the rule says, a line of it, and what stands there instead. */
export const MUTANTS: readonly (readonly [rule: string, line: string, instead: string])[] = [
  ['the latest word of a source counts', 'const last = Math.max(...own.map', 'const last = Math.min(...own.map'],
  ['only its own source takes a departure back', 'other.source === rescind.source &&', ''],
  ['a rescind planted ahead disarms nothing', 'other.saidAt <= rescind.saidAt &&', ''],
  [
    'the earliest of the instants counts',
    '[Math.min(...dates), Math.max(...dates)]',
    '[Math.max(...dates), Math.max(...dates)]',
  ],
  [
    'the latest instant is waited for',
    'latest - effectiveAt <= SAME_DEPARTURE_SECONDS ? latest : effectiveAt,',
    'effectiveAt,',
  ],
  [
    'instants 36 hours apart are one departure',
    'const SAME_DEPARTURE_SECONDS = 36 *',
    'const SAME_DEPARTURE_SECONDS = 35 *',
  ],
  ['an access end outranks an employment end', 'return exact.length > 0 ? exact : standing;', 'return standing;'],
  ['two words of one instant are a doubt', 'contradicts: new Set(dates).size > 1 ||', 'contradicts: false &&'],
  ['one source takes it back, another says it: a doubt', '      ...withdrawn,\n', ''],
  ['dates of one meaning apart are a doubt', "? ['dates-apart'] : [])", '? [] : [])'],
  ['access ends with the last contract', '(a.at ?? 0) - (b.at ?? 0)).at(-1)', '(a.at ?? 0) - (b.at ?? 0)).at(0)'],
  ['what only its receipt dates needs a second voice', "if (one.timedBy === 'event') return true;", 'return true;'],
  [
    'after a rehire it is another departure',
    "kind === 'rehire' && from <= effectiveAt",
    'false && from <= effectiveAt',
  ],
  ['closed for thirty days, it is another departure', 'saidAt >= closedAt + OVER_AFTER_SECONDS', 'false'],
  ['given back, it is another departure', 'return Math.max(saidAt, receivedAt) <= givenBackAt &&', 'return true ||'],
  [
    'a month later it is another departure',
    'meta.effectiveAt + LONG_AGO_SECONDS;',
    'meta.effectiveAt + 100 * LONG_AGO_SECONDS;',
  ],
  ['a day that was replaced does not come back', '&& !isReplaced(one, standing, said)', ''],
  [
    'what was given back replaces nothing',
    'owner !== undefined && owner.givenBackAt === undefined',
    'owner !== undefined',
  ],
  ['a stronger act is another departure', 'if (!covers(meta.act, act)) return false;', ''],
  ['moved after it began is asked about', 'isToldSince(word, meta) ? ', 'false ? '],
  [
    'taken back after it began is asked about',
    '    ...words.filter(({ at }) => at === undefined).map',
    '    ...words.filter(() => false).map',
  ],
  [
    'after a go-on the same source stops it no more',
    'source !== undefined && overruled.some',
    'false && overruled.some',
  ],
];

/** The module itself, or the mutant that CURFEW_MUTANT names by its number; by any other name, loaded as they are, with none. */
export function departureUnderTest(): typeof departure {
  const { CURFEW_MUTANT } = process.env;
  if (CURFEW_MUTANT === undefined) return departure;
  const [rule = '', line = '', instead = ''] = MUTANTS[Number(CURFEW_MUTANT)] ?? [];
  const sources = FILES.map((name) => readFileSync(resolve(__dirname, `../../../lib/domain/cases/${name}.ts`), 'utf8'));
  if (rule !== '' && sources.filter((source) => source.includes(line)).length !== 1)
    throw new Error(`no such line any more, of: ${rule}`);
  const loaded: Record<string, unknown> = { '../store/case': { ACTS } };
  FILES.forEach((name, n) => {
    const { code } = transformSync((sources[n] ?? '').replace(line, instead), {
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs' },
    });
    const exported = {};
    new Function('require', 'exports', code)((from: string) => loaded[from], exported);
    loaded[`./${name}`] = exported;
  });
  return loaded['./departure'] as typeof departure;
}
