/** What the deployed trial shows: how soon it answers, how evenly it is woken, whether its rights suffice. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { GetMetricStatisticsCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { GetAccountSettingsCommand, InvokeCommand } from '@aws-sdk/client-lambda';
import { simulateBirth } from '../../bin/commands/doctor-births';
import type { Account } from './account';
import type { Check } from './check';
import { type Instance, RING } from './instance';
import { answerOf, tally, untilAgreed } from './looks';

const SERVED_WITHIN_SECONDS = 300;
const WATCHED_SECONDS = 600;
const FIGURE_WITHIN_SECONDS = 900;
const HTTP_SECONDS = 5;

/** `iat` of the feed that is served, and the HTTP status where there is none. */
export async function feedNow({ outputs }: Instance): Promise<{ readonly status: string; readonly iat?: number }> {
  const url = `${outputs.PublicBaseUrl}/r/${RING}/feed`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(HTTP_SECONDS * 1000) });
    if (response.status !== 200) return { status: String(response.status) };
    const [, payload = ''] = (await response.text()).split('.');
    const { iat } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { readonly iat: number };
    return { status: '200', iat };
  } catch (error) {
    return { status: error instanceof Error ? error.name : 'no answer' };
  }
}

async function served({ clock }: Account, instance: Instance): Promise<readonly string[]> {
  const ask = async () => (await feedNow(instance)).status;
  return [
    `the deployment took ${instance.deploySeconds} s`,
    `feed: ${await untilAgreed({ clock, ask, wanted: '200', withinSeconds: SERVED_WITHIN_SECONDS })}`,
  ];
}

/** The publisher is woken each minute and signs: the feed's `iat` says when. */
async function gaps({ clock }: Account, instance: Instance): Promise<readonly string[]> {
  const from = clock.now();
  const signedAt = new Set<number>();
  while (clock.now() - from < WATCHED_SECONDS) {
    const { iat } = await feedNow(instance);
    if (iat !== undefined) signedAt.add(iat);
    await clock.sleep(2);
  }
  const times = [...signedAt].sort((a, b) => a - b);
  const between = times.slice(1).map((at, n) => at - (times[n] ?? at));
  if (between.length === 0) return [`no two feeds within ${WATCHED_SECONDS} s`];
  return [
    `${times.length} feeds in ${WATCHED_SECONDS} s; between them ${Math.min(...between)} to ${Math.max(...between)} s: ${between.join(', ')}`,
  ];
}

/** A token is issued: its body goes into the table that a key of our own encrypts. */
async function issued({ lambda, id }: Account, { outputs }: Instance): Promise<readonly string[]> {
  const request = {
    op: 'issue',
    ring: RING,
    claims: { sub: 'account-check', client_id: 'account-check' },
    callerArn: `arn:aws:iam::${id}:root`,
  };
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: outputs.FunctionIssuerName, Payload: Buffer.from(JSON.stringify(request)) }),
  );
  const answer = JSON.parse(Buffer.from(Payload ?? []).toString('utf8') || '{}') as Readonly<Record<string, unknown>>;
  // Never the token itself.
  return [
    FunctionError === undefined && 'token' in answer
      ? 'a token is issued'
      : `no token: ${FunctionError ?? ''} ${String(answer.errorMessage ?? Object.keys(answer).join(', '))}`,
  ];
}

async function births({ iam, region }: Account, { outputs }: Instance): Promise<readonly string[]> {
  const rotatorArn = outputs.RoleRotatorArn ?? '';
  return [JSON.stringify(await simulateBirth(iam, { rotatorArn, keySpec: 'ECC_NIST_P256', region }))];
}

async function iteratorAge(
  { cloudwatch, clock }: Account,
  { outputs, deployedAt }: Instance,
): Promise<readonly string[]> {
  const { Datapoints = [] } = await cloudwatch.send(
    new GetMetricStatisticsCommand({
      Namespace: 'AWS/Lambda',
      MetricName: 'IteratorAge',
      Dimensions: [{ Name: 'FunctionName', Value: outputs.FunctionOutboxSigningName }],
      StartTime: new Date(deployedAt * 1000),
      EndTime: new Date(clock.now() * 1000),
      Period: 60,
      Statistics: ['Maximum'],
    }),
  );
  const oldest = Math.max(...Datapoints.map(({ Maximum = 0 }) => Maximum));
  return [Datapoints.length === 0 ? 'no figure yet' : `the oldest record waited ${oldest / 1000} s`];
}

async function figures({ cloudwatch, clock, run }: Account): Promise<readonly string[]> {
  const figure = { Namespace: 'CurfewAccountCheck', MetricName: run };
  const from = clock.now();
  await cloudwatch.send(
    new PutMetricDataCommand({ Namespace: figure.Namespace, MetricData: [{ MetricName: run, Value: 1 }] }),
  );
  const ask = async () => {
    const { Datapoints = [] } = await cloudwatch.send(
      new GetMetricStatisticsCommand({
        ...figure,
        StartTime: new Date((from - 300) * 1000),
        EndTime: new Date((clock.now() + 60) * 1000),
        Period: 60,
        Statistics: ['Sum'],
      }),
    );
    return Datapoints.length > 0 ? 'seen' : 'not seen';
  };
  return [await untilAgreed({ clock, ask, wanted: 'seen', withinSeconds: FIGURE_WITHIN_SECONDS })];
}

async function concurrency({ lambda }: Account): Promise<readonly string[]> {
  const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}));
  return [
    `runs at once in this account: ${AccountLimit?.ConcurrentExecutions}; not reserved: ${AccountLimit?.UnreservedConcurrentExecutions}`,
  ];
}

/** Its findings, with the quotas of the account as Service Quotas has them. */
async function doctor(_: Account, { name }: Instance): Promise<readonly string[]> {
  const curfew = join(resolve(__dirname, '..', '..'), 'bin', 'curfew.ts');
  const args = ['--import', 'tsx', curfew, 'doctor', '--instance', name];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return `${stdout}${stderr}`.trim().split('\n');
}

/** Many invocations of the function that strangers call; what is refused did not run. */
async function throttles({ lambda }: Account, { outputs }: Instance): Promise<readonly string[]> {
  const FunctionName = outputs.FunctionWellKnownName;
  const calls = Array.from({ length: 60 }, () =>
    answerOf(() => lambda.send(new InvokeCommand({ FunctionName, Payload: Buffer.from('{}') }))),
  );
  return [`60 invocations at once: ${tally(await Promise.all(calls))}`];
}

export const INSTANCE_CHECKS: readonly Check[] = [
  { name: 'the first answer of a new API', rows: ['http.not-yet'], needs: 'instance', look: served },
  {
    name: 'whether IAM and the organisation let a ring key be born',
    rows: ['kms.lockout'],
    needs: 'instance',
    look: births,
  },
  { name: 'a token is issued, through a table under a key of our own', rows: [], needs: 'instance', look: issued },
  { name: 'runs at once', rows: ['lambda.throttled'], needs: 'instance', look: throttles },
  { name: 'the quota of runs at once', rows: ['lambda.throttled'], needs: 'account', look: concurrency },
  { name: 'what `curfew doctor` says, with the quotas', rows: [], needs: 'instance', look: doctor },
  { name: 'the time between two runs of a schedule', rows: ['scheduler.late'], needs: 'instance', look: gaps },
  { name: 'how long a record waits in its stream', rows: [], needs: 'instance', look: iteratorAge },
  { name: 'how long a figure takes to be seen', rows: [], needs: 'account', look: figures },
];
