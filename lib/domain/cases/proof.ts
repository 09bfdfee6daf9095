/** What must be observed before an item counts as done, and again before it counts as proved. One row per kind. */
import type { ErrorCode } from '../base/errors';
import type { KeyState } from '../rings/ring';
import type { CaseItem } from '../store/case-items';

export type { CaseItem } from '../store/case-items';
export type ItemKind = CaseItem['kind'];

/** As asked of the thing itself: IAM, KMS, the documents as served. Never an answer of the step that acted. */
export type Observations = {
  'cut-off': { readonly blocked: boolean; readonly notBefore?: number; readonly feedSeq?: number };
  latch: { readonly exists: boolean; readonly tagged: boolean; readonly denied: boolean };
  'access-key': { readonly status: 'Active' | 'Inactive' | 'none' };
  'personal-key': { readonly kmsState: string };
  'login-profile': { readonly exists: boolean };
  /** Of a thing that a give-back opens: whether it can be used again. */
  release: { readonly open: boolean; readonly gone?: boolean; readonly notBefore?: number };
  /** Why no step can act on it; no observation proves it. */
  unplannable: { readonly reason: string };
  taint: {
    readonly state: KeyState | 'none';
    readonly inJwks?: boolean;
    /** KMS's own answer to the issuer for the tainted key; a legacy key has none. */
    readonly sign?: { readonly signed: boolean; readonly code?: string };
    /** The same for each STANDBY that is not being activated: no caller can pre-mint on the next key. */
    readonly standbys?: readonly { readonly kid: string; readonly signed: boolean; readonly code?: string }[];
  };
  'rotate-again': { readonly followUp?: string; readonly dueAt?: number };
};

export type Proof<K extends ItemKind = ItemKind> = {
  readonly ok: boolean;
  readonly expected: string;
  readonly observed: Observations[K];
};

/** KMS's DisabledException; a refusal for any other reason (a right, a throttle, a typo) proves nothing. */
const CANNOT_SIGN = 'ERR_KEY_DISABLED' satisfies ErrorCode;

const PROOFS: { readonly [K in ItemKind]: { readonly expected: string; holds(observed: Observations[K]): boolean } } = {
  'cut-off': { expected: 'the feed as served blocks the subject', holds: ({ blocked }) => blocked },
  latch: {
    expected: 'the user carries the leaver tag and the deny policy, or is gone',
    holds: ({ exists, tagged, denied }) => !exists || (tagged && denied),
  },
  'access-key': { expected: 'IAM says Inactive, or has no such key', holds: ({ status }) => status !== 'Active' },
  'personal-key': {
    expected: 'KMS says Disabled or PendingDeletion, or has no such key',
    holds: ({ kmsState }) => ['Disabled', 'PendingDeletion', 'NotFound'].includes(kmsState),
  },
  'login-profile': { expected: 'IAM has no login profile', holds: ({ exists }) => !exists },
  release: {
    expected: 'it can be used again, as it could before the departure, or is no more',
    holds: ({ open, gone = false }) => open || gone,
  },
  unplannable: { expected: 'people settle it: it keeps the case open', holds: () => false },
  taint: {
    expected: `the kid is DENIED, or RETIRED because its last token ran out, not in the JWKS as served, and KMS refuses to sign with it and with every STANDBY that no rotation has made ready: ${CANNOT_SIGN}`,
    holds: ({ state, inJwks, sign, standbys = [] }) =>
      (state === 'DENIED' || state === 'RETIRED') &&
      inJwks === false &&
      (sign === undefined || refused(sign)) &&
      standbys.every(refused),
  },
  'rotate-again': {
    expected: 'a linked case is due when every session alive at containment has expired',
    holds: ({ followUp, dueAt }) => followUp !== undefined && dueAt !== undefined,
  },
};

export function proveItem<K extends ItemKind>(kind: K, observed: Observations[K]): Proof<K> {
  const { expected, holds } = PROOFS[kind];
  return { ok: holds(observed), expected, observed };
}

function refused({ signed, code }: { readonly signed: boolean; readonly code?: string }): boolean {
  return !signed && code === CANNOT_SIGN;
}
