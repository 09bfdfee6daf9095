/** What a look at an instance found: one row of `curfew doctor`. What could not be seen is unknown, and never called ok. */

export type FindingState = 'ok' | 'problem' | 'unknown';

export interface Finding {
  /** A ring id, or `instance`. */
  readonly of: string;
  readonly check: string;
  readonly state: FindingState;
  readonly found: string;
  /** What to do about it; absent where all is well. */
  readonly fix?: string;
}

/** What was looked at, or why it could not be. */
export type Seen<T> = { readonly seen: T } | Unseen;

export interface Unseen {
  readonly unseen: string;
  /** It was there, and what it holds cannot be read: no right is missing, something is broken. */
  readonly isBroken?: true;
}

/** The three ways to answer one check. */
export function answersOf(of: string) {
  return {
    ok: (check: string, found: string): Finding => ({ of, check, state: 'ok', found }),
    problem: (check: string, found: string, fix: string): Finding => ({ of, check, state: 'problem', found, fix }),
    unknown: (check: string, found: string, fix: string): Finding => ({ of, check, state: 'unknown', found, fix }),
  };
}

/** Of what AWS refused to show. */
export const MAY_LOOK = 'ask under the policy curfew-{instance}-operator or -responder';

/** How many there are: `1 key`, `2 keys`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
