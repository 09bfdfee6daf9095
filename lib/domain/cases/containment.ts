/**
 * What containment does: a small list, frozen and recorded before the first act, and every act on it can be undone.
 *
 * The list is computed from references alone (`p0`, `p1`, …), so that the offline verifier recomputes it from the
 * record `case.listed`; who a reference stands for is sealed in the record of its item, and in clear only in the case's
 * own items.
 */
import type { ContainmentItem, PrincipalRef } from '../store/case-items';
import { ordered } from '../store/table';

export type { ContainmentItem, PrincipalRef } from '../store/case-items';

/** Fixed words: they stand in records in clear. */
export const UNKNOWN_REASONS = {
  account: 'an IAM user of another account',
  user: 'IAM has another user of that name',
  ring: 'a subject of a ring that does not exist',
  many: 'more principals than one case lists',
} as const;

/** What a record of 65,535 bytes has room for, whatever they are. */
export const PRINCIPALS_MAX = 200;

type Unnumbered<T> = T extends unknown ? Omit<T, 'nn'> : never;

/**
 * The order is a security claim:
 *  1. cut-offs end what can be used from anywhere with no call to AWS, and one write ends all of a subject's tokens;
 *  2. the latch ends sessions as well as keys, and the leaver cannot lift it: they cannot undo what follows, neither
 *     by making a new key nor by setting an old one Active again;
 *  3. access keys, which without the latch could have been replaced in between;
 *  4. personal KMS keys last: disabling one stops what it signs or decrypts, and it authenticates nobody to anything.
 */
const ORDER: readonly ((principal: PrincipalRef) => readonly Unnumbered<ContainmentItem>[])[] = [
  (p) => (p.type === 'subject' ? [{ kind: 'cut-off', ref: p.ref, ring: p.ring }] : []),
  (p) => (p.type === 'iam-user' && p.exists ? [{ kind: 'latch', ref: p.ref }] : []),
  (p) =>
    p.type === 'iam-user'
      ? Array.from({ length: p.accessKeys }, (_, key) => ({ kind: 'access-key', ref: p.ref, key }))
      : [],
  (p) => (p.type === 'kms-key' ? [{ kind: 'personal-key', ref: p.ref }] : []),
  (p) => (p.type === 'unknown' ? [{ kind: 'unplannable', ref: p.ref, reason: p.reason }] : []),
];

/** A console login that was made after the plan. */
function madeLater(p: PrincipalRef): readonly Unnumbered<ContainmentItem>[] {
  return p.type === 'iam-user' && p.loginProfile ? [{ kind: 'login-profile', ref: p.ref }] : [];
}

export function listContainment(principals: readonly PrincipalRef[], n = 1): readonly ContainmentItem[] {
  const rules = n === 1 ? ORDER : [...ORDER, madeLater];
  const items = rules.flatMap((rule) => principals.flatMap(rule));
  const first = n === 1 ? 1 : firstNumber('listing', n);
  return items.map((item, index) => ({ nn: itemNumber(first + index), ...item }));
}

/** The first listing begins at 1, and the first plan where that ended; together they have fewer items than this. */
const NUMBERS = 10_000;
/** The nth plan has the upper half of what the nth listing leaves: each of them has fewer items than that. */
const BEGINS = { listing: 1, plan: NUMBERS / 2 + 1 } as const;

/** Of the `n`th listing or plan, from the second on: whatever is frozen later, and beside whatever, no two items have one number. */
export function firstNumber(of: keyof typeof BEGINS, n: number): number {
  return n * NUMBERS + BEGINS[of];
}

/** Of a listing after the first. */
export function isListedLater({ nn }: { readonly nn: string }): boolean {
  return Number(nn) > NUMBERS && Number(nn) % NUMBERS < BEGINS.plan;
}

/** So often is a case listed anew, and planned anew, at most: two digits name which. */
export const FREEZINGS_MAX = 99;

/** Two digits or more: read as numbers they sort, as text they do not. */
export function itemNumber(n: number): string {
  return ordered(n, 2);
}
