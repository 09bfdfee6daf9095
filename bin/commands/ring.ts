/** `curfew ring …`: the commands on key rings. What they show stands in `ring-view.ts`, what they change in `ring-change.ts`. */
import { CurfewError } from '../../lib/domain/base/errors';
import type { TaintClass } from '../../lib/domain/rings/ring';
import { drawingFor, progress } from '../edge/terminal';
import { type Commands, instanceOf, type Options, text } from './command';
import { parseRingId, rotateRing, switchIssuing } from './ring-change';
import { taintKey } from './ring-taint';
import { showRing, showRings } from './ring-view';

export const RING_COMMANDS = {
  'ring list': {
    usage: '',
    says: 'one line a ring: which key issues, since when, what is ready, what is due',
    takes: 0,
    run: async (_, options) => showRings(await instanceOf(options)),
  },
  'ring show': {
    usage: 'RING',
    says: 'every key: its state, its life on a time line, what happens next and when',
    takes: 1,
    run: async ([given = ''], options) => {
      const ring = parseRingId(given);
      return showRing(await instanceOf(options), ring, drawingFor(process.stdout, process.env));
    },
  },
  'ring rotate': {
    usage: 'RING --reason TEXT',
    says: 'put the next key in place now, and disable the old one; its tokens stay good',
    takes: 1,
    run: async ([given = ''], options) => {
      const request = { ring: parseRingId(given), reason: text(options, 'reason') };
      return rotateRing(await instanceOf(options), request, progress);
    },
  },
  'ring taint': {
    usage: 'KID --class compromise|planned --reason TEXT [--direct]',
    says: 'end a key: a case replaces it, re-signs its tokens, denies it and proves that it is refused; --direct: the CLI takes the steps',
    takes: 1,
    run: async ([kid = ''], options) => {
      const request = {
        kid,
        class: parseClass(options),
        reason: text(options, 'reason'),
        direct: options.direct === true,
      };
      return taintKey(await instanceOf(options), request, progress);
    },
  },
  'ring halt': {
    usage: 'RING --reason TEXT',
    says: 'issue nothing more; what was issued stays good',
    takes: 1,
    run: (args, options) => switched('halt', args, options),
  },
  'ring resume': {
    usage: 'RING --reason TEXT',
    says: 'issue again',
    takes: 1,
    run: (args, options) => switched('resume', args, options),
  },
} as const satisfies Commands;

async function switched(op: 'halt' | 'resume', [given = '']: readonly string[], options: Options) {
  const request = { op, ring: parseRingId(given), reason: text(options, 'reason') };
  return switchIssuing(await instanceOf(options), request);
}

function parseClass({ class: given }: Options): TaintClass {
  if (given === 'compromise' || given === 'planned') return given;
  throw new CurfewError('ERR_INPUT_INVALID', 'the taint class is not compromise or planned', {
    got: given,
    allowed: ['compromise', 'planned'],
    fix: 'compromise if the key could have been copied; planned if a custodian leaves and there is no sign of misuse',
  });
}
