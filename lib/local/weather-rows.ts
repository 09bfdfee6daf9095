/**
 * What AWS does now and then, one row for each kind: the twins do it under a `Weather`, the adapters' tests answer so
 * over a stubbed SDK client, and `account-check` looks for it in a real account. The id names the row everywhere.
 *
 * `doc`: AWS documents it, or a public issue shows it. `known`: we know it by hearsay; it can be switched off.
 */
interface WeatherRow {
  readonly source: 'doc' | 'known';
  /** What AWS does, and what a caller sees of it. */
  readonly does: string;
}

export const WEATHER_ROWS = {
  // https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html, BypassPolicyLockoutSafetyCheck
  'kms.lockout': {
    source: 'doc',
    does: 'CreateKey refuses a policy under which its caller could not call PutKeyPolicy, unless it is told to skip the check',
  },
  'kms.principal-unseen': {
    source: 'doc',
    does: 'CreateKey takes a policy that names a role made a moment ago for malformed',
  },
  // https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
  'kms.stale': {
    source: 'doc',
    does: 'for seconds after CreateKey, EnableKey or DisableKey a host answers as before it: NotFound, or the old state',
  },
  // https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
  'kms.throttled': { source: 'doc', does: 'CreateKey, EnableKey and DisableKey above five per second are refused' },
  'kms.internal': { source: 'doc', does: 'a call ends with an internal error of KMS; nothing happened' },
  'kms.lost-answer': { source: 'known', does: 'CreateKey makes a key, and its answer never arrives' },
  'kms.other-region': { source: 'doc', does: 'a key ARN of another Region is not found: "Invalid arn"' },
  'tags.stale': { source: 'doc', does: 'a search by tag does not show a key that was made in the last minute' },
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
  'dynamodb.conflict': {
    source: 'doc',
    does: 'a write on a row that another transaction holds is refused, again and again',
  },
  'dynamodb.throttled': { source: 'doc', does: 'reads and writes above what a partition gives are refused' },
  'dynamodb.lost-answer': { source: 'doc', does: 'a transaction is done, and its answer never arrives' },
  'dynamodb.late': { source: 'known', does: 'a write that timed out is done seconds later' },
  'dynamodb.item-by-item': {
    source: 'doc',
    does: 'a read beside a transaction sees some of its rows as they were and some as they are',
  },
  'dynamodb.pages': { source: 'doc', does: 'a page of a query is empty, and is not the last' },
  'dynamodb.expired-there': { source: 'doc', does: 'a row whose time to live is over is still there' },
  // https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
  'stream.twice': { source: 'doc', does: 'a batch that was taken is delivered once more' },
  'stream.reordered': { source: 'doc', does: 'rows of two partitions come in another order than they were written in' },
  'stream.apart': { source: 'doc', does: 'two rows of one transaction come in two batches' },
  'stream.down': { source: 'doc', does: 'a consumer fails for a day: the stream holds 24 hours and then forgets' },
  // https://docs.aws.amazon.com/lambda/latest/dg/invocation-retries.html
  'lambda.throttled': {
    source: 'doc',
    does: 'an invocation is refused: no concurrency is left; the callee did not run',
  },
  'lambda.lost-answer': { source: 'known', does: 'the callee did its work, and its answer never arrives' },
  'lambda.killed': { source: 'doc', does: 'the callee is stopped at its time-out, between two effects' },
  'lambda.twice': { source: 'doc', does: 'an asynchronous invocation runs twice' },
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
  'iam.stale': { source: 'doc', does: 'for seconds after a change, reads and decisions of IAM are as before it' },
  'iam.throttled': { source: 'doc', does: 'a call of IAM is refused: its rate is exceeded' },
  'iam.limit': { source: 'doc', does: 'a user has as many managed policies, or tags, as IAM allows' },
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
  's3.conflict': { source: 'doc', does: 'a conditional put answers 409: another one of the same key is under way' },
  's3.slow-down': { source: 'doc', does: 'S3 answers 503 SlowDown' },
  'http.not-yet': { source: 'known', does: 'an API, or a CDN, made a moment ago answers 403, 404, or not at all' },
  'http.no-name': { source: 'known', does: 'a name of your own does not resolve while its stack is being made' },
  'events.throttled': { source: 'doc', does: 'PutEvents refuses an entry' },
  // https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule.html
  'scheduler.late': { source: 'doc', does: 'a schedule fires up to a minute late; gaps of two minutes are normal' },
  'scheduler.twice': { source: 'doc', does: 'a schedule fires twice' },
  'workflow.killed': { source: 'doc', does: 'an execution fails between two steps, for good' },
  'clock.step': { source: 'known', does: 'the clock of a host is some seconds off, and steps' },
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes-update.html
  'cloudformation.roll-back': {
    source: 'doc',
    does: 'an update that failed is rolled back: the custom resource gets its old properties again',
  },
} as const satisfies Readonly<Record<string, WeatherRow>>;
export type WeatherRowId = keyof typeof WEATHER_ROWS;
