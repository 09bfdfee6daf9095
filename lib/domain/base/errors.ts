/** Every refusal Curfew can make: one class, one closed union of codes, so that callers switch on `code`. */

export type ErrorCode =
  // input and configuration
  | 'ERR_INPUT_INVALID'
  | 'ERR_CONFIG_INVALID'
  | 'ERR_NOT_FOUND'
  // tables: a condition of a transaction did not hold; the caller re-reads and decides again
  | 'ERR_CONDITION_FAILED'
  | 'ERR_RIGHT_MISSING'
  // a stored row is not what its entity says
  | 'ERR_ITEM_INVALID'
  // key rings
  | 'ERR_RING_SCHEDULE'
  | 'ERR_RING_LIMIT'
  | 'ERR_RING_STANDBY_AGE'
  | 'ERR_RING_IMMUTABLE'
  | 'ERR_RING_HALTED'
  | 'ERR_RING_CLOSING'
  // an app that may not be synthesised
  | 'ERR_KEY_OUTSIDE_RING'
  | 'ERR_EVIDENCE_UNLOCKED'
  | 'ERR_EXEMPTION'
  | 'ERR_KEY_STATE'
  | 'ERR_KEY_DISABLED'
  | 'ERR_NO_SUCCESSOR'
  | 'ERR_ACCESS_DENIED'
  | 'ERR_SIGNATURE_ENCODING'
  // tokens (reference: verify, in this order)
  | 'ERR_TOKEN_MALFORMED'
  | 'ERR_TOKEN_TOO_LARGE'
  | 'ERR_TOKEN_HEADER'
  | 'ERR_TOKEN_KID_UNKNOWN'
  | 'ERR_TOKEN_KID_STATE'
  | 'ERR_TOKEN_SIGNATURE'
  | 'ERR_TOKEN_CLAIM'
  | 'ERR_TOKEN_EXPIRED'
  | 'ERR_TOKEN_WINDOW'
  | 'ERR_TOKEN_CUT_OFF'
  | 'ERR_TOKEN_NOT_ISSUED'
  | 'ERR_FEED_INVALID'
  | 'ERR_FEED_EXPIRED'
  | 'ERR_FEED_ROLLBACK'
  | 'ERR_SUBJECT_BLOCKED'
  | 'ERR_EXCHANGE_REFUSED'
  // HR intake
  | 'ERR_WEBHOOK_SOURCE'
  | 'ERR_WEBHOOK_HEADER'
  | 'ERR_WEBHOOK_TOO_OLD'
  | 'ERR_WEBHOOK_TOO_NEW'
  | 'ERR_WEBHOOK_SAID_AHEAD'
  | 'ERR_WEBHOOK_SIGNATURE'
  | 'ERR_WEBHOOK_BODY'
  | 'ERR_WEBHOOK_STATEMENT'
  // cases
  | 'ERR_CASE_STATE'
  | 'ERR_PLAN_INVALID'
  | 'ERR_CASE_STOPPED'
  | 'ERR_NOT_APPROVED'
  | 'ERR_NOT_PROVED'
  // evidence
  | 'ERR_EVIDENCE_FORMAT'
  | 'ERR_EVIDENCE_SIGNATURE'
  | 'ERR_EVIDENCE_TREE'
  | 'ERR_EVIDENCE_RECORD'
  | 'ERR_RECORD_UNREADABLE'
  | 'ERR_EVIDENCE_INCOMPLETE'
  // the machine around us
  | 'ERR_UNAVAILABLE';

interface ErrorDetail {
  /** The value that was refused. Never a token, a secret or a personal datum. */
  readonly got?: unknown;
  /** What would have been accepted. */
  readonly allowed?: unknown;
  /** What the reader can do about it, in one clause. */
  readonly fix?: string;
  readonly cause?: unknown;
}

/** @see ErrorCode for the closed list; messages are lower case, without a final period. */
export class CurfewError extends Error {
  readonly code: ErrorCode;
  readonly got: unknown;
  readonly allowed: unknown;
  readonly fix: string | undefined;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'CurfewError';
    this.code = code;
    this.got = detail.got;
    this.allowed = detail.allowed;
    this.fix = detail.fix;
  }
}

/** True for an error of this class, across bundles (where `instanceof` may see two copies), with the given code. */
export function isCurfewError(error: unknown, code?: ErrorCode): error is CurfewError {
  if (!(error instanceof Error) || error.name !== 'CurfewError' || !('code' in error)) return false;
  return code === undefined || error.code === code;
}
