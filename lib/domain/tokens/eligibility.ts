/** Which ledger rows a wave re-signs. Input is the ledger, never a presented token: a stolen key signs validly. */

import type { CutOff } from '../feed/feed';
import type { KeyRecord } from '../rings/ring';
import { type Claims, subjectsOf } from './claims';
import { blind, isCutOff } from './cut-off';
import type { LedgerRow } from './ledger';

/** A token with less than this left, in seconds, is not worth a signature. */
const LEFT_MIN = 30;

/** Why a row is not re-signed; every row of the source is either done or counted under one of these. */
export type Exclusion = 'expired' | 'uncommitted' | 'issued-after-taint' | 'cut-off' | 'poison';

export interface Candidate {
  readonly row: LedgerRow;
  readonly claims: Claims;
  /** SHA-256 of the payload as stored in Bodies, and of the compact token as re-assembled from it. */
  readonly payloadSha256: string;
  readonly tokenSha256: string;
}

interface EligibilityContext {
  readonly source: KeyRecord;
  readonly drainSeconds: number;
  readonly now: number;
  /** Digests of the source's shard that are committed in the tree. */
  readonly committed: ReadonlySet<string>;
}

/** Judged on the row alone; the body is only read for what passes. */
export function excludedRow(
  row: LedgerRow,
  { source, drainSeconds, now, committed }: EligibilityContext,
): Exclusion | undefined {
  // A legacy key has an end of its own, and a wave must not carry its tokens past it.
  if (row.exp <= now + LEFT_MIN || now > source.verifyUntil) return 'expired';
  if (source.taint && row.iat > source.taint.at + drainSeconds) return 'issued-after-taint';
  // A row put into the ledger behind our back is in no committed list.
  if (!committed.has(row.tokenSha256)) return 'uncommitted';
  return undefined;
}

/** Judged on the body: the bytes are the recorded ones, and no subject in them was cut off. */
export function excludedBody(
  { row, claims, payloadSha256, tokenSha256 }: Candidate,
  pepper: string,
  cutOffs: ReadonlyMap<string, CutOff>,
): Exclusion | undefined {
  if (payloadSha256 !== row.payloadSha256 || tokenSha256 !== row.tokenSha256) return 'poison';
  if (claims.iat !== row.iat || claims.exp !== row.exp) return 'poison';
  const cut = subjectsOf(claims).some((subject) => isCutOff(cutOffs.get(blind(pepper, subject)), claims.iat));
  return cut ? 'cut-off' : undefined;
}
