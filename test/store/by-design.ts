/**
 * Who does not end with the refusal of a row that could not be read, and why that is right: the work before it has
 * happened, or the work beside it must not wait. Each says how the answer tells of the row.
 */
import type { Moment, Outcome } from './scene';
import type { Reading } from './tap';

interface Exception {
  /** The act, and where it says so, whose reading failed; as a pattern over `conductor announce: publisher`. */
  readonly of: RegExp;
  readonly why: string;
  readonly isTold: (outcome: Outcome) => boolean;
}

const said = ({ answer }: Outcome) => JSON.stringify(answer) ?? '';
/** The error itself is in the answer, with the refusal as its text or at its end. */
const isAmongErrors = ({ answer, message }: Outcome) =>
  Array.isArray(answer) && answer.some((error) => error instanceof Error && error.message.includes(message));
const isRefusal = ({ error }: Outcome) => error !== undefined;

/** It answers, and the answer tells. */
export const ANSWERS: readonly Exception[] = [
  {
    of: /^doctor looks: (doctor|well-known)$/,
    why: 'a doctor reports what is broken, and looks at everything else; its exit code is 1',
    isTold: (outcome) => said(outcome).includes(outcome.message) && said(outcome).includes('"exitCode":1'),
  },
  {
    of: /^rotator rotates: (publisher|well-known)$/,
    why: 'the ring has rotated; a caller who is told that it failed would rotate it again',
    isTold: (outcome) => said(outcome).includes('"failed":["ERR_ITEM_INVALID"'),
  },
  {
    of: /^(rotator|conductor) prepares?: publisher$/,
    why: 'an emergency does not wait for verifiers: the publisher logs it, and whoever activates publishes again and fails',
    isTold: () => true,
  },
  {
    of: /^conductor announce: publisher$/,
    why: 'the next heartbeat publishes, and the prover finds a cut-off that is in no feed open',
    isTold: (outcome) => said(outcome).includes('"unpublished":["customer-api"]'),
  },
  {
    of: /^ring rotate replaces the key: (rotator|publisher|well-known)$/,
    why: 'whether the ring has rotated is told from the ring, or said not to be known; the exit code is 1',
    isTold: (outcome) =>
      said(outcome).includes(`${outcome.message} (ERR_ITEM_INVALID)`) && said(outcome).includes('"exitCode":1'),
  },
  {
    of: /^(outbox-(signing|offboarding) carries what [a-z-]+ sends|sweeper-(signing|offboarding) sweeps): /,
    why: 'one row must not keep the records of others from the log; the Lambda logs each error, and an alarm counts them',
    isTold: isAmongErrors,
  },
  {
    of: /^rechecker (recheck|looks again at what is due): (planner|prover|conductor|cutter|publisher)$/,
    why: 'one thing that cannot be read does not keep the others open; it is looked at again in minutes, and alarmed',
    isTold: (outcome) => said(outcome).includes('"code":"ERR_ITEM_INVALID"'),
  },
];

/** It fails with the refusal, once it has done what does not hang on that row. */
export const GOES_ON_FIRST: readonly Exception[] = [
  {
    of: /^rotator turns [a-z-]+: publisher$/,
    why: 'a tick reads every key back whatever its plan met: one trouble must not blind us to another',
    isTold: isRefusal,
  },
  {
    of: /^ticker (has begun what is due|starts what is due and folds what was missed): /,
    why: 'a row that cannot be read, of a case, a delivery or the approvers, does not keep the access of a worker alive',
    isTold: isRefusal,
  },
  {
    of: /^rechecker (recheck|looks again at what is due): /,
    why: 'what cannot be read does not keep another thing open, of this leaver or of the next',
    isTold: isRefusal,
  },
];

/** What an exception is of: `conductor announce: publisher`, whichever item or try it was. */
export function nameOf({ says }: Moment, { reader }: Pick<Reading, 'reader'>): string {
  const act = says
    .replace(/ again$/, '')
    .replace(/ \d\d$/, '')
    .trim();
  return `${act}: ${reader}`;
}
