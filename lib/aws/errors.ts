/** From AWS's error names to Curfew's codes. Whatever is not named is `ERR_UNAVAILABLE`: the outcome is unknown. */
import { CurfewError, type ErrorCode } from '../domain/base/errors';

/** What every AWS API may answer. */
const COMMON: Readonly<Record<string, ErrorCode>> = {
  AccessDenied: 'ERR_ACCESS_DENIED',
  AccessDeniedException: 'ERR_ACCESS_DENIED',
  ValidationException: 'ERR_INPUT_INVALID',
};

/** The message names the operation only: AWS's own text may hold ARNs and names of people. It stays in the cause. */
export function awsError(
  operation: string,
  error: unknown,
  codes: Readonly<Record<string, ErrorCode>> = {},
): CurfewError {
  const name = errorName(error);
  const code = codes[name] ?? COMMON[name] ?? 'ERR_UNAVAILABLE';
  return new CurfewError(code, `${operation} was refused: ${name}`, { got: name, cause: error });
}

export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : 'UnknownError';
}

/** Runs one SDK call and turns its refusal into a CurfewError. */
export async function calling<T>(
  operation: string,
  call: () => Promise<T>,
  codes?: Readonly<Record<string, ErrorCode>>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw awsError(operation, error, codes);
  }
}
