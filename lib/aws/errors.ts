/** From AWS's error names to Curfew's codes. Whatever is not named is `ERR_UNAVAILABLE`: the outcome is unknown. */
import { CurfewError, type ErrorCode } from '../domain/base/errors';

/** What every AWS API may answer. */
const COMMON: Readonly<Record<string, ErrorCode>> = {
  AccessDenied: 'ERR_ACCESS_DENIED',
  AccessDeniedException: 'ERR_ACCESS_DENIED',
  ValidationException: 'ERR_INPUT_INVALID',
};

/** A code, and what the reader can do about it. */
interface Refusal {
  readonly code: ErrorCode;
  readonly fix: string;
}
export type Codes = Readonly<Record<string, ErrorCode | Refusal>>;

/** The message names the operation only: AWS's own text may hold ARNs and names of people. It stays in the cause. */
export function awsError(operation: string, cause: unknown, codes: Codes = {}): CurfewError {
  const name = errorName(cause);
  const said = codes[name] ?? COMMON[name] ?? 'ERR_UNAVAILABLE';
  const { code, fix } = typeof said === 'string' ? { code: said, fix: undefined } : said;
  // No answer came at all: a name that was not found, a certificate that is not trusted.
  const reason = systemCode(cause);
  if (reason !== undefined && said === 'ERR_UNAVAILABLE')
    return new CurfewError(code, `${operation} got no answer: ${reason}`, { got: reason, fix, cause });
  return new CurfewError(code, `${operation} was refused: ${name}`, { got: name, fix, cause });
}

/** Of Node: ECONNREFUSED, DEPTH_ZERO_SELF_SIGNED_CERT. AWS's own errors have none of this form. */
function systemCode(cause: unknown): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code) ? code : undefined;
}

export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : 'UnknownError';
}

/** Runs one SDK call and turns its refusal into a CurfewError. */
export async function calling<T>(operation: string, call: () => Promise<T>, codes?: Codes): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw awsError(operation, error, codes);
  }
}
