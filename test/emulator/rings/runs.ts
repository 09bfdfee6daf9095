/** What made a Lambda run: the calls of its API, as CloudTrail saw them, and its runs, as its log has them. */
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { callJson } from './rest';

const LOOKUP = 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents';

/** CloudTrail has data events only where a trail asks for them; the emulator, where it is told to record. */
export async function recordCalls(on: boolean): Promise<void> {
  const body = JSON.stringify({ 'cloudtrail._recording_enabled': String(on) });
  const response = await fetch(`${process.env.AWS_ENDPOINT_URL}/_ministack/config`, { method: 'POST', body });
  expect(response.ok).toBe(true);
}

/** How often anybody asked Lambda to run it, since an instant in epoch milliseconds. EventBridge Scheduler does not ask so. */
export async function invocationsSince(functionName: string, since: number): Promise<number> {
  interface Event {
    readonly EventTime: number;
    readonly Resources: readonly { readonly ResourceName: string }[];
  }
  const { Events } = await callJson<{ Events: readonly Event[] }>('cloudtrail', LOOKUP, {
    LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'Invoke' }],
  });
  return Events.filter(
    ({ EventTime, Resources }) =>
      EventTime * 1000 >= since && Resources.some(({ ResourceName }) => ResourceName.endsWith(functionName)),
  ).length;
}

export async function runsSince(functionName: string, startTime: number): Promise<number> {
  const { LoggingConfig } = await new LambdaClient({}).send(
    new GetFunctionConfigurationCommand({ FunctionName: functionName }),
  );
  const { events } = await callJson<{ events: readonly { readonly message: string }[] }>(
    'logs',
    'Logs_20140328.FilterLogEvents',
    { logGroupName: LoggingConfig?.LogGroup, startTime, filterPattern: '"START RequestId"' },
  );
  return events.length;
}
