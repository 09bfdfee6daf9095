/**
 * How many runs at once each function on a public route may have. All functions of an account and region share one
 * number of runs, so without caps strangers who call a public route leave none for the issuer.
 *
 * There are none by default: AWS takes a cap only where 100 runs stay with the functions that have none, and a new
 * account may have fewer than that in all.
 */
import { CurfewError } from '../../domain/base/errors';
import type { FunctionName } from '../../domain/deployment/rights';

/** Whom anybody may call, before it is known who calls. */
const PUBLIC_FUNCTIONS = ['well-known', 'exchange', 'was-issued', 'intake'] as const satisfies readonly FunctionName[];
type PublicFunction = (typeof PUBLIC_FUNCTIONS)[number];

/** A cap on some of them alone would leave the others open: all or none. */
export interface PublicConcurrency extends Readonly<Record<PublicFunction, number>> {
  /** What the account has in this region: the quota "Concurrent executions" of Lambda. Synth cannot ask. */
  readonly account: number;
}

/** PutFunctionConcurrency refuses to leave less to the functions without a cap. */
const UNRESERVED_MIN = 100;

/** A cap is also a reservation: what the public functions hold, the issuer and all others cannot use. */
export function parsePublicConcurrency(given: PublicConcurrency): PublicConcurrency {
  for (const name of ['account', ...PUBLIC_FUNCTIONS] as const)
    if (!Number.isSafeInteger(given[name]) || given[name] < 1)
      throw refusal(`${name} is not a whole number of runs`, given[name], 'a whole number from 1 on', 'give a number');
  const sum = PUBLIC_FUNCTIONS.reduce((total, name) => total + given[name], 0);
  const most = Math.min(given.account - UNRESERVED_MIN, Math.floor(given.account / 2));
  if (sum <= most) return given;
  throw refusal(
    `the public functions would hold ${sum} of the ${given.account} runs that the account has`,
    sum,
    most < PUBLIC_FUNCTIONS.length
      ? 'no caps: AWS leaves 100 runs to the functions without one'
      : `${most} together: half of the account, and 100 stay with the functions without a cap`,
    'lower the caps, leave publicConcurrency out, or have the quota "Concurrent executions" of Lambda raised',
  );
}

function refusal(says: string, got: number, allowed: string, fix: string): CurfewError {
  return new CurfewError('ERR_CONFIG_INVALID', `publicConcurrency: ${says}`, { got, allowed, fix });
}
