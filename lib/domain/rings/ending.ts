/**
 * How a tainted key ends: the steps and their order, which is a security claim. It is written here and nowhere else. The
 * state machine of a departure, `curfew ring taint` and the tests read it.
 */
interface EndingStep {
  readonly name: string;
  /** Why it stands here and not earlier or later. */
  readonly why: string;
  /** Nothing but time passes: as long as this setting of the ring says. */
  readonly wait?: 'drainSeconds' | 'feedPollSeconds';
  /** Re-signs what the wave's batches still hold. */
  readonly pass?: number;
}

export const ENDING = [
  {
    name: 'prepare',
    why: 'enabling a KMS key is eventually consistent: a successor that cannot sign yet would stop all issuing',
  },
  {
    name: 'taint',
    why: 'one transaction per ring ends the old key and puts the new one in its place, so every wave has one target',
  },
  {
    name: 'disable-compromised',
    why: 'a key that somebody may have copied signs no second longer than its successor needs to take over; what is under way under it is lost, and asked for again',
  },
  {
    name: 'drain',
    wait: 'drainSeconds',
    why: 'until no signature under an old key can be in flight: what was begun before the taint is in the ledger by now',
  },
  {
    name: 'disable-old',
    why: 'right after the drain and before the waves, which need nothing of an old key: it can sign not a second longer',
  },
  {
    name: 'commit',
    why: 'after the drain, so that the list is whole: a ledger row that is in no committed list is never re-signed, which tells issued from smuggled in',
  },
  {
    name: 'poll',
    wait: 'feedPollSeconds',
    why: 'verifiers must have seen the window that lets a re-signed token keep its old iat',
  },
  {
    name: 'resign',
    pass: 1,
    why: 'from the ledger, never from a presented token; all waves in one map, towards keys not tainted here',
  },
  {
    name: 'resign-again',
    pass: 2,
    why: 'finds what pass 1 could not sign; only a pass that finds nothing shows that nothing is left behind',
  },
  {
    name: 'deny',
    pass: 2,
    why: 'terminal, so last: a kid is DENIED when its holders have, or could have had, a token under another',
  },
  {
    name: 'commit-again',
    why: 'the re-signed tokens are issued tokens: they stand in the tree before anybody says that the old key is over',
  },
] as const satisfies readonly EndingStep[];
export type EndingStepName = (typeof ENDING)[number]['name'];

/** What KMS says of a key that cannot sign. */
const CANNOT_SIGN: readonly string[] = ['Disabled', 'PendingDeletion', 'NotFound'];

/** KMS's own word decides; a state that could not be read is no word for it. */
export function cannotSign(kmsState: string): boolean {
  return CANNOT_SIGN.includes(kmsState);
}
