/**
 * How every SDK client waits and tries again, by the Lambda it works in: the one place where that is said.
 *
 * On a request path somebody waits for the answer, so three attempts of two seconds each end well within the time-out of
 * the Lambda. In the background a call may cost most of the Lambda's time, and a client that is throttled slows itself
 * down (adaptive): eight rings that are born at once share five CreateKey in a second. All delays are drawn (full jitter).
 *
 * The Region is the process's own (AWS_REGION).
 */
import { AdaptiveRetryStrategy, StandardRetryStrategy } from '@smithy/core/retry';
import type { FunctionName } from '../domain/deployment/rights';
import { paceOf } from '../domain/deployment/time-outs';
import { errorName } from './errors';

/** To whom: most answer at once; a Lambda that we invoke answers when it has done its work. */
type Callee = 'service' | 'lambda';
type Strategy = Pick<AdaptiveRetryStrategy, 'acquireInitialRetryToken' | 'refreshRetryTokenForRetry' | 'recordSuccess'>;

const SECONDS = 1000;

/** Without a name: the CLI, where a person waits and there is no time-out. */
export function clientSettings(name?: FunctionName, callee: Callee = 'service') {
  const { attempts, requestSeconds, adaptive } = paceOf(name);
  const strategy: Strategy = adaptive
    ? new AdaptiveRetryStrategy(async () => attempts)
    : new StandardRetryStrategy({ maxAttempts: attempts });
  return {
    maxAttempts: attempts,
    retryStrategy: exceptQuotas(strategy),
    requestHandler: {
      connectionTimeout: 2 * SECONDS,
      // The answer of a Lambda is waited for as long as that one may run (LambdaFunctions), not as long as a service takes.
      ...(callee === 'service' && { requestTimeout: requestSeconds * SECONDS, throwOnRequestTimeout: true }),
    },
  };
}

/** The SDK takes a quota that is used up (the eleventh policy of a user) for throttling; no waiting changes it. */
function exceptQuotas(strategy: Strategy): Strategy {
  return {
    acquireInitialRetryToken: (scope) => strategy.acquireInitialRetryToken(scope),
    refreshRetryTokenForRetry: async (token, info) => {
      // Thrown to the SDK, which then gives its caller the error of AWS.
      if (errorName(info.error) === 'LimitExceededException') throw new Error('a quota does not pass by waiting');
      return strategy.refreshRetryTokenForRetry(token, info);
    },
    recordSuccess: (token) => strategy.recordSuccess(token),
  };
}
