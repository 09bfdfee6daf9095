/**
 * How an error crosses an invocation: the callee throws an Error whose message is JSON, the caller rebuilds it.
 *
 *     {"code":"ERR_KEY_STATE","message":"key … is DENIED","fix":"…"}
 *
 * `got` and `cause` stay behind: only what was written to be read travels.
 */
import { CurfewError, type ErrorCode, isCurfewError } from '../domain/base/errors';
import { errorName } from './errors';

export function formatCalleeError(functionName: string, error: unknown): string {
  const { code, message, fix } = isCurfewError(error)
    ? error
    : new CurfewError('ERR_UNAVAILABLE', `${functionName} failed unexpectedly: ${errorName(error)}`);
  return JSON.stringify({ code, message, fix });
}

/** Anything that is not in this form (a time-out, a crash of the runtime) leaves the outcome unknown. */
export function parseCalleeError(functionName: string, errorMessage: unknown): CurfewError {
  try {
    const said: unknown = JSON.parse(String(errorMessage));
    if (typeof said === 'object' && said !== null && 'code' in said && 'message' in said) {
      const { code, message } = said;
      const fix = 'fix' in said && typeof said.fix === 'string' ? said.fix : undefined;
      if (typeof code === 'string' && /^ERR_[A-Z_]+$/.test(code) && typeof message === 'string')
        return new CurfewError(code as ErrorCode, message, { fix });
    }
  } catch {
    // Not JSON: the runtime's own words, which may hold anything; only the fact is kept.
  }
  return new CurfewError('ERR_UNAVAILABLE', `${functionName} ended without an answer`, {
    fix: 'see its log, then retry: every invocation may run twice',
  });
}
