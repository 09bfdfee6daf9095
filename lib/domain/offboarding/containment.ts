/**
 * What containment does: a small list, frozen and recorded before the first act, and every act on it can be undone.
 *
 * The list is computed from references alone (`p0`, `p1`, …), so that the offline verifier recomputes it from the
 * record `case.listed`; who the references stand for is sealed there, and in clear only in the case's own items.
 */
import { ordered } from '../table';

/** One thing of the worker's that can authenticate, as far as it may stand in a record in clear. */
export type PrincipalRef =
  | { readonly ref: string; readonly type: 'subject'; readonly ring: string }
  | {
      readonly ref: string;
      readonly type: 'iam-user';
      /** How many, in the order IAM lists them; 0 where IAM has no such user any more. */
      readonly accessKeys: number;
      readonly exists: boolean;
      readonly loginProfile: boolean;
    }
  | { readonly ref: string; readonly type: 'kms-key' };

export type ContainmentItem =
  /** Block and cut-off: no token of the subject counts, none is issued. */
  | { readonly nn: string; readonly kind: 'cut-off'; readonly ref: string; readonly ring: string }
  /** The tag and the pre-provisioned deny policy, together. */
  | { readonly nn: string; readonly kind: 'latch'; readonly ref: string }
  | { readonly nn: string; readonly kind: 'access-key'; readonly ref: string; readonly key: number }
  | { readonly nn: string; readonly kind: 'personal-key'; readonly ref: string };

type Unnumbered<T> = T extends unknown ? Omit<T, 'nn'> : never;

/**
 * The order is a security claim:
 *  1. cut-offs end what can be used from anywhere with no call to AWS, and one write ends all of a subject's tokens;
 *  2. the latch ends sessions as well as keys, and the leaver cannot lift it: whatever follows he cannot undo, neither
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
];

export function listContainment(principals: readonly PrincipalRef[]): readonly ContainmentItem[] {
  const items = ORDER.flatMap((rule) => principals.flatMap(rule));
  return items.map((item, index) => ({ nn: itemNumber(index + 1), ...item }));
}

/** Two digits in names of items and records; the plan goes on where containment ended. */
export function itemNumber(n: number): string {
  return ordered(n, 2);
}
