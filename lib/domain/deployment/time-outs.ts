/**
 * How long each Lambda may run, in seconds, and why: one table, read by the constructs and by whoever waits for a Lambda.
 *
 * A caller outlives its callees: it may run for as long as each function it invokes (`invoke:X` in rights.ts) and
 * `WAITING_MARGIN_SECONDS` more. Otherwise the caller is stopped while its callee still works, and nobody is told how that
 * ended. Every Lambda can be stopped at any effect and run again: what a time-out leaves undone is said beside it.
 */
import type { FunctionName } from './rights';

/** What waiting takes beside the callee's own time: a cold start, which does not count there, the way, and throttling. */
export const WAITING_MARGIN_SECONDS = 15;

interface TimeOut {
  readonly seconds: number;
  /** What it has to do in that time, and what becomes of what it has not done. */
  readonly why: string;
  /** Of one that invokes others: why they fit in, one after another. */
  readonly calls?: string;
}

export const TIME_OUTS: Readonly<Record<FunctionName, TimeOut>> = {
  // signing
  issuer: {
    seconds: 10,
    why: 'the caller waits for a token; the drain waits for the longest run, so it is less still where drainSeconds is small',
  },
  publisher: {
    seconds: 15,
    why: 'reads a ring and its cut-offs, signs and swaps, five times at most; the next heartbeat does it again',
  },
  rotator: {
    seconds: 120,
    why: 'births, probes and read-backs are steps of a plan: what is not done is due at the next tick; less than RESTS_FOR, which counts on its end',
    calls:
      'a STANDBY is enabled within ten seconds and probed for forty at most, and two of them fit; the publisher comes after an activation and after each retirement, a handful in a tick',
  },
  'ring-deployer': {
    seconds: 180,
    why: 'a birth waits up to two minutes for an API or a CDN that was just made; CloudFormation is told of a failure and asks again; less than RESTS_FOR as well',
    calls:
      'as the rotator; beside two minutes of waiting, one minute is left for three births, a probe and two publications',
  },
  disabler: { seconds: 30, why: 'three calls of KMS' },
  taint: {
    seconds: 30,
    why: 'one transaction, or one for each kid that is denied; the caller asks again and finds done what is done',
  },
  halt: { seconds: 30, why: 'one transaction, for which a person waits' },
  'latch-release': { seconds: 30, why: 'two calls of IAM; the replay does them again' },
  'key-enabler': { seconds: 30, why: 'one call of IAM or KMS' },
  'subject-release': { seconds: 30, why: 'one transaction for each of three subjects; the replay does the rest' },
  approvals: { seconds: 15, why: 'a person waits: one transaction' },
  decider: { seconds: 30, why: 'reads two dozen rows, and one transaction; the ticker has it done again' },
  cutter: { seconds: 30, why: 'one transaction for each of three subjects; the replay does the rest' },
  resigner: {
    seconds: 300,
    why: 'a batch of shards, at the rate at which KMS signs; run again, it goes on after the last shard that it finished',
  },
  recorder: {
    seconds: 60,
    why: 'a hundred tokens, one transaction each; sent again, those that are in count as recorded',
  },
  committer: {
    seconds: 60,
    why: 'all that waits, a few thousand tokens in a second; what is left waits for the next minute, or for the retry of the step',
    calls: 'the appender comes once in a round, with one record for each kid, and a round that has ended is kept',
  },
  exchange: { seconds: 15, why: 'a holder waits: a dozen reads' },
  'was-issued': { seconds: 15, why: 'a verifier waits: one read' },
  'well-known': { seconds: 15, why: 'a verifier waits: a ring, or one object' },
  'outbox-signing': {
    seconds: 30,
    why: 'a batch of 25 rows; the stream delivers it again, and no record is taken twice',
    calls: 'the appender comes once, with the whole batch; the events after it take some milliseconds each',
  },
  'sweeper-signing': {
    seconds: 300,
    why: 'a sixteenth of two tables, twice, and a question to the log for each record in it; what it did not reach, the next round does',
    calls: 'the appender comes with 25 records at a time, and only for records that are missing',
  },
  watch: { seconds: 30, why: 'every ring read once; a minute without figures is not an alarm yet' },
  // offboarding
  intake: { seconds: 10, why: 'the HR system waits: one transaction; it sends again what was not answered' },
  'case-folder': {
    seconds: 30,
    why: 'a delivery, at most 20 rounds for each statement; the stream, then the ticker, have it folded again',
  },
  'taint-opener': {
    seconds: 30,
    why: 'a responder waits: a ring read, a case written and started; the ticker starts what was not',
  },
  ticker: {
    seconds: 60,
    why: 'everything due, side by side; what was not started is due a minute later',
    calls: 'all deliveries that were missed are folded side by side',
  },
  'people-import': {
    seconds: 15,
    why: 'a part of a file, a person waits; put again, it is the same rows',
  },
  planner: { seconds: 120, why: 'one worker’s principals as IAM shows them; a frozen list goes on where it stopped' },
  conductor: {
    seconds: 150,
    why: 'one item, or one step for every ring of the case; the state machine retries the step, which finds done what is done',
    calls: 'an item is one call; a step takes five rings at once, each in ten seconds or so: seventy rings fit in',
  },
  latch: { seconds: 30, why: 'two calls of IAM' },
  'iam-disabler': { seconds: 30, why: 'one call of IAM' },
  prover: {
    seconds: 120,
    why: 'one item observed; the state machine asks again',
    calls:
      'the probes of a ring are asked side by side, and each is one signature; the disabler is asked for a personal key alone',
  },
  rechecker: {
    seconds: 600,
    why: 'cases that are due, five at a time; it begins with none after 45 s, and what it did not reach is due a minute later',
    calls: 'the planner once a case; the prover and the conductor five items at a time, each item on its own',
  },
  closer: {
    seconds: 120,
    why: 'reads a whole case and the youngest records of its rings; the state machine asks again until all is in the tree',
    calls: 'the sequencer comes once, and what it has not sequenced is the next one’s',
  },
  'outbox-offboarding': {
    seconds: 30,
    why: 'a batch of 25 rows, as outbox-signing',
    calls: 'the appender comes once, as from outbox-signing',
  },
  'sweeper-offboarding': {
    seconds: 300,
    why: 'a sixteenth of the table cases, twice, as sweeper-signing',
    calls: 'the appender comes as from sweeper-signing',
  },
  // evidence
  appender: { seconds: 15, why: 'some dozen records, one small transaction each; the caller sends all of them again' },
  sequencer: {
    seconds: 45,
    why: 'batches of 49 records until none waits; the head knows what is staged, and the next minute goes on',
  },
};

/** Until no signature under an old key is in flight, the drain waits for the issuer and this much more. */
const DRAIN_MARGIN_SECONDS = 5;

export function timeOutSeconds(name: FunctionName, { drainSeconds }: { readonly drainSeconds: number }): number {
  const { seconds } = TIME_OUTS[name];
  return name === 'issuer' ? Math.min(seconds, drainSeconds - DRAIN_MARGIN_SECONDS) : seconds;
}

/** How long to wait for an answer of this function before it is taken for lost. */
export function waitSeconds(name: FunctionName): number {
  return TIME_OUTS[name].seconds + WAITING_MARGIN_SECONDS;
}

/** Somebody outside waits for each of these: a caller for a token, a verifier, an HR system. */
const REQUEST_PATHS: readonly FunctionName[] = ['issuer', 'exchange', 'was-issued', 'well-known', 'intake'];

interface Pace {
  readonly attempts: number;
  /** For the answer to one attempt. */
  readonly requestSeconds: number;
  /** A client that is throttled sends less. */
  readonly adaptive: boolean;
  /** How long one transaction may wait, all its pauses together, for others that hold its rows. */
  readonly conflictSeconds: number;
}
const ON_REQUEST_PATHS: Pace = { attempts: 3, requestSeconds: 2, adaptive: false, conflictSeconds: 1 };

/** How a Lambda calls AWS: the more time it has, the more often. Without a name: the CLI, which has as much as a person. */
export function paceOf(name?: FunctionName): Pace {
  if (name !== undefined && REQUEST_PATHS.includes(name)) return ON_REQUEST_PATHS;
  const seconds = name === undefined ? 60 : TIME_OUTS[name].seconds;
  // The delays alone come to 7, 15 and, at the longest, some 70 seconds.
  if (seconds < 30) return { attempts: 4, requestSeconds: 2, adaptive: true, conflictSeconds: 3 };
  return { attempts: seconds < 60 ? 5 : 8, requestSeconds: 10, adaptive: true, conflictSeconds: 5 };
}

/** How often the sweepers look for what the streams forgot: each run ends before the next one begins. */
export const SWEEP_EVERY_SECONDS = 900;
