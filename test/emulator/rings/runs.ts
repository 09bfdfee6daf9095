/** What made a Lambda run: the calls of its API, as CloudTrail saw them, and its runs, as its log has them. */
import { IAMClient, ListAccessKeysCommand, ListUsersCommand } from '@aws-sdk/client-iam';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { isNamed } from '../aws';
import { callJson } from './rest';

const LOOKUP = 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents';

/** CloudTrail has data events only where a trail asks for them; the emulator, where it is told to record. */
export async function recordCalls(on: boolean): Promise<void> {
  const body = JSON.stringify({ 'cloudtrail._recording_enabled': String(on) });
  const response = await fetch(`${process.env.AWS_ENDPOINT_URL}/_ministack/config`, { method: 'POST', body });
  expect(response.ok).toBe(true);
}

/**
 * How often anybody asked Lambda to run it, since an instant in epoch milliseconds. EventBridge Scheduler does not ask so.
 * The people of other suites, which run beside this one, ask for rings of their own and do not count.
 */
export async function invocationsSince(functionName: string, since: number): Promise<number> {
  interface Event {
    readonly AccessKeyId: string;
    readonly Resources: readonly { readonly ResourceName: string }[];
  }
  const { Events } = await callJson<{ Events: readonly Event[] }>('cloudtrail', LOOKUP, {
    LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'Invoke' }],
    StartTime: since / 1000,
  });
  const others = await keysOfOtherSuites();
  return Events.filter(
    ({ AccessKeyId, Resources }) =>
      !others.has(AccessKeyId) && Resources.some(({ ResourceName }) => ResourceName.endsWith(functionName)),
  ).length;
}

async function keysOfOtherSuites(): Promise<ReadonlySet<string>> {
  const iam = new IAMClient({});
  const { Users = [] } = await iam.send(new ListUsersCommand({}));
  const people = Users.flatMap(({ UserName = '' }) => (isNamed(UserName) ? [UserName] : []));
  // Who is made and removed between the two calls has no keys any more.
  const keys = await Promise.all(
    people.map((UserName) => iam.send(new ListAccessKeysCommand({ UserName })).catch(() => undefined)),
  );
  return new Set(keys.flatMap((answer) => answer?.AccessKeyMetadata?.map(({ AccessKeyId = '' }) => AccessKeyId) ?? []));
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
